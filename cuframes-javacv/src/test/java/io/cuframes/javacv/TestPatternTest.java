// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** The test picture: the same for the same number, moving, and stamped. */
class TestPatternTest {
    private static final int WIDTH = 1280;
    private static final int HEIGHT = 720;
    private static final int PITCH = 1536;

    @Test
    void dependsOnNothingButTheNumber() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment once = arena.allocate((long) PITCH * HEIGHT * 3 / 2);
            MemorySegment again = arena.allocate((long) PITCH * HEIGHT * 3 / 2);
            TestPattern pattern = new TestPattern(WIDTH, HEIGHT, 25);
            draw(pattern, 500, once);
            draw(pattern, 3, again);
            assertNotEquals(-1, once.mismatch(again));
            draw(pattern, 500, again); // over another frame
            assertEquals(-1, once.mismatch(again));
            assertEquals(500, FrameStamp.read(again, PITCH, WIDTH, HEIGHT));
        }
    }

    private static void draw(TestPattern pattern, long number, MemorySegment frame) {
        long lumaBytes = (long) PITCH * HEIGHT;
        pattern.draw(number, frame.asSlice(0, lumaBytes), PITCH, frame.asSlice(lumaBytes), PITCH);
    }
}
