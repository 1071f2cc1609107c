// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.bytedeco.ffmpeg.global.avcodec.AV_HWACCEL_FLAG_UNSAFE_OUTPUT;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_unref;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_alloc_context3;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_find_decoder;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_free_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_open2;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_to_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_receive_frame;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_send_packet;
import static org.bytedeco.ffmpeg.global.avformat.av_read_frame;
import static org.bytedeco.ffmpeg.global.avformat.avformat_close_input;
import static org.bytedeco.ffmpeg.global.avformat.avformat_find_stream_info;
import static org.bytedeco.ffmpeg.global.avformat.avformat_open_input;
import static org.bytedeco.ffmpeg.global.avutil.AV_HWDEVICE_TYPE_CUDA;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_CUDA;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_NONE;
import static org.bytedeco.ffmpeg.global.avutil.av_buffer_ref;
import static org.bytedeco.ffmpeg.global.avutil.av_buffer_unref;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_unref;
import static org.bytedeco.ffmpeg.global.avutil.av_hwdevice_ctx_create;

import io.cuframes.ffm.LibCudart;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVInputFormat;
import org.bytedeco.ffmpeg.avutil.AVBufferRef;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.javacpp.IntPointer;

/**
 * Whether FFmpeg should be given the ring's slots as its pool of frames, or should hand over NVDEC's own surfaces to be copied into a slot: the
 * decode rate of the 1080p test pattern with FFmpeg's copy into its pool and none of ours, with our copy and none of FFmpeg's, and with both.
 *
 * <p>Arguments: [frames, 1500 unless said]. Needs a GPU. The ways take turns, three rounds; the first fifth of a run is warm-up and not counted.
 */
public final class SurfaceCopyBenchmark {
    private static final int FRAMES = 1500;
    private static final int ROUNDS = 3;
    private static final int WIDTH = 1920;
    private static final int HEIGHT = 1080;
    private static final int SLOTS = 6;

    /** As the library's decoder has it. */
    private static final int EXTRA_SURFACES = 3;

    /** {@code AV_CUDA_USE_CURRENT_CONTEXT} of libavutil/hwcontext_cuda.h. */
    private static final int USE_CURRENT_CONTEXT = 2;

    private enum Way {
        POOL("FFmpeg's copy into its pool", false, false),
        SURFACE("our copy from the surface", true, true),
        BOTH("both", false, true);

        private final String words;
        private final boolean surfaces;
        private final boolean copies;

        Way(String words, boolean surfaces, boolean copies) {
            this.words = words;
            this.surfaces = surfaces;
            this.copies = copies;
        }
    }

    private static final class WantCuda extends AVCodecContext.Get_format_AVCodecContext_IntPointer {
        static final WantCuda INSTANCE = new WantCuda();

        @Override
        public int call(AVCodecContext context, IntPointer formats) {
            for (int i = 0; formats.get(i) != AV_PIX_FMT_NONE; i++) {
                if (formats.get(i) == AV_PIX_FMT_CUDA) {
                    return AV_PIX_FMT_CUDA;
                }
            }
            return AV_PIX_FMT_NONE;
        }
    }

    private SurfaceCopyBenchmark() {}

    public static void main(String[] args) throws IOException {
        int frames = args.length > 0 ? Integer.parseInt(args[0]) : FRAMES;
        Path directory = Files.createTempDirectory("cuframes-benchmark");
        Path clip = directory.resolve("clip.mp4");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            check(LibCudart.cudaSetDevice(0), "cudaSetDevice");
            check(LibCudart.cudaMalloc(out, (long) SLOTS * WIDTH * HEIGHT * 3 / 2), "cudaMalloc");
            long ring = out.get(JAVA_LONG, 0);
            System.out.printf("%-12s %-30s %s%n", "encoder", "copies", "fps, round by round");
            for (String encoder : List.of("libx264", "libx265")) {
                if (DecodeBenchmark.encode(clip, encoder, frames)) {
                    compare(clip, encoder, ring);
                }
            }
            check(LibCudart.cudaFree(ring), "cudaFree");
        } finally {
            Files.deleteIfExists(clip);
            Files.delete(directory);
        }
    }

    private static void compare(Path clip, String encoder, long ring) {
        double[][] rates = new double[Way.values().length][ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            int row = 0;
            for (Way way : Way.values()) {
                rates[row++][round] = framesPerSecond(clip, way, ring);
            }
        }
        int row = 0;
        for (Way way : Way.values()) {
            System.out.printf("%-12s %-30s", encoder, way.words);
            for (double rate : rates[row++]) {
                System.out.printf(" %6.0f", rate);
            }
            System.out.println();
        }
    }

    private static double framesPerSecond(Path clip, Way way, long ring) {
        AVFormatContext input = new AVFormatContext(null);
        check(
                avformat_open_input(input, clip.toString(), (AVInputFormat) null, (AVDictionary) null),
                "avformat_open_input");
        check(avformat_find_stream_info(input, (AVDictionary) null), "avformat_find_stream_info");
        AVCodec codec = avcodec_find_decoder(input.streams(0).codecpar().codec_id());
        AVBufferRef device = new AVBufferRef(null);
        check(
                av_hwdevice_ctx_create(device, AV_HWDEVICE_TYPE_CUDA, "0", (AVDictionary) null, USE_CURRENT_CONTEXT),
                "av_hwdevice_ctx_create");
        AVCodecContext decoder = avcodec_alloc_context3(codec);
        check(avcodec_parameters_to_context(decoder, input.streams(0).codecpar()), "avcodec_parameters_to_context");
        decoder.hw_device_ctx(av_buffer_ref(device));
        decoder.get_format(WantCuda.INSTANCE);
        decoder.extra_hw_frames(EXTRA_SURFACES);
        decoder.thread_count(1);
        if (way.surfaces) {
            decoder.hwaccel_flags(decoder.hwaccel_flags() | AV_HWACCEL_FLAG_UNSAFE_OUTPUT);
        }
        check(avcodec_open2(decoder, codec, (AVDictionary) null), "avcodec_open2");
        try (Run run = new Run(way, ring)) {
            AVPacket packet = av_packet_alloc();
            while (av_read_frame(input, packet) >= 0) {
                check(avcodec_send_packet(decoder, packet), "avcodec_send_packet");
                av_packet_unref(packet);
                run.takeFrom(decoder);
            }
            check(avcodec_send_packet(decoder, null), "avcodec_send_packet");
            run.takeFrom(decoder);
            av_packet_free(packet);
            return run.rate();
        } finally {
            avcodec_free_context(decoder);
            av_buffer_unref(device);
            avformat_close_input(input);
        }
    }

    /** The frames of one run: each surface is kept until the one after it was copied. */
    private static final class Run implements AutoCloseable {
        private final Way way;
        private final long ring;
        private final long[] times = new long[1 << 16];
        private final AVFrame[] frames = {av_frame_alloc(), av_frame_alloc()};
        private int count;

        Run(Way way, long ring) {
            this.way = way;
            this.ring = ring;
        }

        void takeFrom(AVCodecContext decoder) {
            AVFrame frame = frames[count % frames.length];
            av_frame_unref(frame);
            while (count < times.length && avcodec_receive_frame(decoder, frame) >= 0) {
                if (frame.format() != AV_PIX_FMT_CUDA) {
                    throw new IllegalStateException("not decoded by NVDEC");
                }
                if (way.copies) {
                    long slot = ring + (long) (count % SLOTS) * WIDTH * HEIGHT * 3 / 2;
                    copy(slot, frame, 0, HEIGHT);
                    copy(slot + (long) WIDTH * HEIGHT, frame, 1, HEIGHT / 2);
                }
                check(LibCudart.cudaStreamSynchronize(0), "cudaStreamSynchronize");
                times[count++] = System.nanoTime();
                frame = frames[count % frames.length];
                av_frame_unref(frame);
            }
        }

        private static void copy(long to, AVFrame frame, int plane, int rows) {
            check(
                    LibCudart.cudaMemcpy2DAsync(
                            to,
                            WIDTH,
                            frame.data(plane).address(),
                            frame.linesize(plane),
                            WIDTH,
                            rows,
                            LibCudart.cudaMemcpyDeviceToDevice,
                            0),
                    "cudaMemcpy2DAsync");
        }

        double rate() {
            int warmUp = count / 5;
            return (count - 1 - warmUp) / ((times[count - 1] - times[warmUp]) / 1e9);
        }

        @Override
        public void close() {
            for (AVFrame frame : frames) {
                av_frame_free(frame);
            }
        }
    }

    /** A status of CUDA, where all but 0 are errors, or of FFmpeg, where the negative ones are. */
    private static void check(int status, String call) {
        if (call.startsWith("cuda") ? status != LibCudart.cudaSuccess : status < 0) {
            throw new IllegalStateException(call + " failed: " + status);
        }
    }
}
