// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.nio.file.Path;

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
}
