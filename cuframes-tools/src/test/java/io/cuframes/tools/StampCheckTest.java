// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ColorInfo;
import io.cuframes.FrameFormat;
import io.cuframes.PixelFormat;
import io.cuframes.Transport;
import io.cuframes.javacv.FrameStamp;
import org.junit.jupiter.api.Test;

/** What the frame numbers in the pixels tell. */
class StampCheckTest {
    private static final int SLOTS = 6;

    private final StampCheck check =
            new StampCheck(FrameFormat.of(PixelFormat.NV12, 320, 192, ColorInfo.UNKNOWN), Transport.HOST, SLOTS);

    @Test
    void stampsThatGrowAsTheSequenceDoesAreFine() {
        check.take(10, 1000);
        check.take(11, 1001);
        check.take(15, 1005);
        assertFalse(check.failed());
        assertEquals(0, check.restarts());
    }

    @Test
    void aRepeatedStampIsMisordered() {
        check.take(10, 1000);
        check.take(11, 1000);
        assertEquals(1, check.misordered());
        assertTrue(check.failed());
    }

    @Test
    void aStaleSlotIsMisorderedEvenNearTheBeginning() {
        check.take(10, 9);
        check.take(11, 9 - SLOTS);
        assertEquals(1, check.misordered());
    }

    @Test
    void aFrameLostBeforeItWasPublishedIsMisordered() {
        check.take(10, 1000);
        check.take(11, 1002);
        assertEquals(1, check.misordered());
    }

    @Test
    void numbersThatBeginAgainAreARestart() {
        check.take(10, 1000);
        check.take(11, 0);
        check.take(12, 1);
        assertFalse(check.failed());
        assertEquals(1, check.restarts());
    }

    @Test
    void aLongStepBackIntoTheMiddleIsMisordered() {
        check.take(10, 1000);
        check.take(11, 500);
        assertEquals(1, check.misordered());
        assertEquals(0, check.restarts());
    }

    @Test
    void tornAndUnreadableFramesAreCountedApart() {
        check.take(1, 1);
        check.take(2, FrameStamp.TORN);
        check.take(3, FrameStamp.UNREADABLE);
        check.take(4, 4);
        assertEquals(1, check.torn());
        assertEquals(1, check.unreadable());
        assertEquals(0, check.misordered());
        assertTrue(check.failed());
    }
}
