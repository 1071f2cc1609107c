// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.javacv.TestPatternWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** A clip of two seconds of the test pattern, and the same with a twentieth of its bytes overwritten. */
final class BrokenClip {
    private static final int FRAMES = 50;

    private BrokenClip() {}

    /** Makes the whole clip, in the format of its name's ending. */
    static Path whole(Path clip) {
        try (TestPatternWriter writer = TestPatternWriter.builder(clip.toString())
                .size(320, 192)
                .fps(25)
                .open()) {
            for (int i = 0; i < FRAMES; i++) {
                writer.write();
            }
        }
        return clip;
    }

    /** Makes the broken one. What is overwritten is pictures: an index, if there is one, is at an end of the file. */
    static Path broken(Path clip) throws IOException {
        byte[] bytes = Files.readAllBytes(whole(clip));
        Arrays.fill(bytes, bytes.length / 3, bytes.length / 3 + bytes.length / 20, (byte) 0xff);
        return Files.write(clip, bytes);
    }
}
