// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.Publisher;
import io.cuframes.Transport;
import io.cuframes.javacv.TestPatternWriter;
import io.cuframes.javacv.VideoSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * How many frames a second one source decodes into a ring, as fast as it goes and with nobody reading: the 1080p test pattern in H.264 and HEVC, by
 * NVDEC into device memory and by the CPU into host memory. What this machine cannot do is said, and left out.
 *
 * <p>Arguments: [frames, 1500 unless said]. The first fifth of the frames is warm-up and not counted.
 */
public final class DecodeBenchmark {
    private static final int FRAMES = 1500;
    private static final int WIDTH = 1920;
    private static final int HEIGHT = 1080;

    private DecodeBenchmark() {}

    public static void main(String[] args) throws IOException {
        int frames = args.length > 0 ? Integer.parseInt(args[0]) : FRAMES;
        Path directory = Files.createTempDirectory("cuframes-benchmark");
        Path clip = directory.resolve("clip.mp4");
        System.out.printf("%dx%d test pattern, %d frames, one source%n", WIDTH, HEIGHT, frames);
        System.out.printf("%-12s %-8s %-10s %8s%n", "encoder", "decoder", "ring", "fps");
        try {
            for (String encoder : List.of("libx264", "libx265", "libopenh264")) {
                if (encode(clip, encoder, frames)) {
                    decode(clip, encoder, directory, VideoSource.Decoder.NVDEC, Transport.CUDA_VMM);
                    decode(clip, encoder, directory, VideoSource.Decoder.NVDEC, Transport.CUDA_IPC);
                    decode(clip, encoder, directory, VideoSource.Decoder.CPU, Transport.HOST);
                }
            }
        } finally {
            Files.deleteIfExists(clip);
            Files.delete(directory);
        }
    }

    /** Writes the test pattern; false, and said, if this FFmpeg has no such encoder. */
    static boolean encode(Path clip, String encoder, int frames) {
        try (TestPatternWriter writer = TestPatternWriter.builder(clip.toString())
                .size(WIDTH, HEIGHT)
                .fps(25)
                .codec(encoder)
                .open()) {
            for (int i = 0; i < frames; i++) {
                writer.write();
            }
            return true;
        } catch (CuframesException e) {
            return leftOut(e, encoder);
        }
    }

    private static boolean leftOut(CuframesException e, String what) {
        if (e.code() != ErrorCode.UNSUPPORTED && e.code() != ErrorCode.CUDA) {
            throw e;
        }
        System.out.printf("%s left out: %s%n", what, e.getMessage());
        return false;
    }

    private static void decode(
            Path clip, String encoder, Path directory, VideoSource.Decoder decoder, Transport transport) {
        try (VideoSource source =
                VideoSource.builder(clip.toString()).decoder(decoder).open()) {
            source.awaitFrame();
            try (Publisher publisher = Publisher.builder(
                            "benchmark-decode-" + ProcessHandle.current().pid())
                    .socketDirectory(directory)
                    .transport(transport)
                    .size(WIDTH, HEIGHT)
                    .color(source.format().color())
                    .open()) {
                System.out.printf(
                        "%-12s %-8s %-10s %8.0f%n", encoder, decoder, transport, framesPerSecond(source, publisher));
            }
        } catch (CuframesException e) {
            leftOut(e, encoder + " by " + decoder);
        }
    }

    private static double framesPerSecond(VideoSource source, Publisher publisher) {
        long[] times = new long[1 << 16];
        int count = 0;
        while (count < times.length && source.publishNext(publisher) == VideoSource.Status.PUBLISHED) {
            times[count++] = System.nanoTime();
        }
        if (count < 2) {
            throw new IllegalStateException("the source gave " + count + " frames of " + source.format()
                    + " to a ring of " + publisher.format());
        }
        int warmUp = count / 5;
        return (count - 1 - warmUp) / ((times[count - 1] - times[warmUp]) / 1e9);
    }
}
