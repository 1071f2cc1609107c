// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.javacv.TestPatternWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A clip whose format changes on the way: 320x192, then 640x384. */
final class TwoFormatClip {
    private TwoFormatClip() {}

    /**
     * Makes it.
     *
     * @param directory where it is made, and its parts
     * @param frames of each format
     * @return the file
     */
    static Path make(Path directory, int frames) throws IOException {
        Path clip = directory.resolve("both.h264");
        Files.write(clip, Files.readAllBytes(part(directory.resolve("small.h264"), 320, 192, frames)));
        Files.write(
                clip,
                Files.readAllBytes(part(directory.resolve("large.h264"), 640, 384, frames)),
                StandardOpenOption.APPEND);
        return clip;
    }

    private static Path part(Path file, int width, int height, int frames) {
        try (TestPatternWriter writer = TestPatternWriter.builder(file.toString())
                .size(width, height)
                .fps(25)
                .open()) {
            for (int i = 0; i < frames; i++) {
                writer.write();
            }
        }
        return file;
    }
}
