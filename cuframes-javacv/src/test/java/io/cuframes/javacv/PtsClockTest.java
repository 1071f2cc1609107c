// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AV_NOPTS_VALUE;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** Timestamps become nanoseconds that always rise. */
class PtsClockTest {
    private static final long FRAME = 40_000_000;

    private final PtsClock clock = new PtsClock(1, 90_000, FRAME);

    @Test
    void countsInTheTimeBase() {
        assertEquals(1_000_000_000, clock.next(90_000));
        assertEquals(1_033_366_667, clock.next(93_003)); // rounded to the nearest
    }

    @Test
    void aMissingTimestampIsOneFrameLater() {
        assertEquals(0, clock.next(AV_NOPTS_VALUE));
        assertEquals(FRAME, clock.next(AV_NOPTS_VALUE));
        assertEquals(2 * FRAME, clock.next(7200));
    }

    @Test
    void goesOnAfterARestart() {
        clock.next(0);
        clock.next(3600);
        clock.restart(0);
        assertEquals(2 * FRAME, clock.next(0));
        assertEquals(3 * FRAME, clock.next(3600));
        clock.restart(1_000_000_000);
        assertEquals(3 * FRAME + 1_000_000_000, clock.next(123_456));
        clock.restart(0);
        assertEquals(4 * FRAME + 1_000_000_000, clock.next(AV_NOPTS_VALUE));
    }

    @Test
    void aClockSetBackDoesNotTurnTimeBack() {
        clock.next(900_000);
        assertEquals(10_000_000_000L + FRAME, clock.next(0));
        assertEquals(10_000_000_000L + 2 * FRAME, clock.next(3600));
    }
}
