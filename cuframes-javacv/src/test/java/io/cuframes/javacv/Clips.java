// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.Loader;

/** Makes the clips that tests decode: the test pattern, encoded in software. */
final class Clips {
    static final int WIDTH = 320;
    static final int HEIGHT = 240;
    static final int FPS = 25;

    private Clips() {}

    static Path make(Path file, String codec, int frames) {
        return make(file, codec, WIDTH, HEIGHT, frames);
    }

    static Path make(Path file, String codec, int width, int height, int frames) {
        try (TestPatternWriter writer = TestPatternWriter.builder(file.toString())
                .size(width, height)
                .fps(FPS)
                .codec(codec)
                .open()) {
            while (writer.number() < frames) {
                writer.write();
            }
        }
        return file;
    }

    /** Has FFmpeg's own program make a clip of a test picture, for what the test pattern's encoder does not do. */
    static Path program(Path file, String picture, int frames, String... options) throws Exception {
        List<String> line = new ArrayList<>();
        line.add(Loader.load(org.bytedeco.ffmpeg.ffmpeg.class));
        line.addAll(List.of("-v", "error", "-f", "lavfi", "-i", picture, "-frames:v", Integer.toString(frames)));
        line.addAll(List.of(options));
        line.add(file.toString());
        Process process = new ProcessBuilder(line).inheritIO().start();
        assertEquals(0, process.waitFor(), "ffmpeg could not make " + file);
        return file;
    }

    /** Has FFmpeg's own program copy a clip's packets. */
    static Path remux(Path from, Path to, List<String> inputOptions, String... options) throws Exception {
        List<String> line = new ArrayList<>();
        line.add(Loader.load(org.bytedeco.ffmpeg.ffmpeg.class));
        line.addAll(List.of("-v", "error"));
        line.addAll(inputOptions);
        line.addAll(List.of("-i", from.toString(), "-c", "copy"));
        line.addAll(List.of(options));
        line.add(to.toString());
        Process process = new ProcessBuilder(line).inheritIO().start();
        assertEquals(0, process.waitFor(), "ffmpeg could not make " + to);
        return to;
    }

    /** One file after the other in one: formats without a header of their own can be read so. */
    static Path concatenate(Path file, Path first, Path second) throws IOException {
        Files.write(file, Files.readAllBytes(first));
        return Files.write(file, Files.readAllBytes(second), StandardOpenOption.APPEND);
    }
}
