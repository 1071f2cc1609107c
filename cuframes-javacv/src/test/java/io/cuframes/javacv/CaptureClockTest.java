// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AV_NOPTS_VALUE;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** Sender reports turn timestamps into wall-clock time. */
class CaptureClockTest {
    private static final long FRAME = 3600;
    private static final long FRAME_NANOS = 40_000_000;
    private static final long WALL_MICROS = 1_800_000_000_000_000L;
    private static final long WALL_NANOS = WALL_MICROS * 1000;

    private final CaptureClock clock = new CaptureClock(1, 90_000, false);
    private final CaptureClock early = new CaptureClock(1, 90_000, true);

    @Test
    void nothingIsKnownBeforeTheFirstReport() {
        assertEquals(CaptureClock.UNKNOWN, clock.nanosAt(0));
        clock.packet(0, CaptureClock.UNKNOWN);
        assertEquals(CaptureClock.UNKNOWN, clock.nanosAt(0));
        clock.packet(AV_NOPTS_VALUE, WALL_MICROS);
        assertEquals(CaptureClock.UNKNOWN, clock.nanosAt(FRAME));
    }

    @Test
    void aFrameIsAsFarFromTheReportInTimeAsInTicks() {
        clock.packet(10 * FRAME, WALL_MICROS);
        assertEquals(WALL_NANOS, clock.nanosAt(10 * FRAME));
        assertEquals(WALL_NANOS + FRAME_NANOS, clock.nanosAt(11 * FRAME));
        assertEquals(WALL_NANOS + 100 * FRAME_NANOS + 11_111, clock.nanosAt(110 * FRAME + 1));
    }

    @Test
    void aFrameThatIsShownBeforeThePacketFedLastIsEarlier() {
        clock.packet(0, WALL_MICROS);
        clock.packet(3 * FRAME, WALL_MICROS + 120_000);
        assertEquals(WALL_NANOS + FRAME_NANOS, clock.nanosAt(FRAME));
    }

    @Test
    void framesFromBeforeTheFirstReportStayWithoutATime() {
        clock.packet(0, CaptureClock.UNKNOWN);
        clock.packet(FRAME, WALL_MICROS);
        clock.packet(2 * FRAME, WALL_MICROS + 40_000);
        assertEquals(CaptureClock.UNKNOWN, clock.nanosAt(0));
        assertEquals(WALL_NANOS, clock.nanosAt(FRAME));
    }

    @Test
    void aLaterReportCorrectsTheDrift() {
        clock.packet(0, WALL_MICROS);
        clock.packet(1000 * FRAME, WALL_MICROS + 40_003_000);
        assertEquals(WALL_NANOS + 1001 * FRAME_NANOS + 3_000_000, clock.nanosAt(1001 * FRAME));
        clock.packet(1001 * FRAME, CaptureClock.UNKNOWN);
        assertEquals(WALL_NANOS + 1001 * FRAME_NANOS + 3_000_000, clock.nanosAt(1001 * FRAME));
    }

    @Test
    void aTimeThatComesAPacketEarlyIsThatOfTheNext() {
        early.packet(0, CaptureClock.UNKNOWN);
        early.packet(3 * FRAME, WALL_MICROS);
        assertEquals(CaptureClock.UNKNOWN, early.nanosAt(3 * FRAME));
        early.packet(4 * FRAME, CaptureClock.UNKNOWN);
        assertEquals(WALL_NANOS, early.nanosAt(4 * FRAME));
        early.packet(5 * FRAME, WALL_MICROS + 7_000_000);
        assertEquals(WALL_NANOS + FRAME_NANOS, early.nanosAt(5 * FRAME));
        early.packet(AV_NOPTS_VALUE, CaptureClock.UNKNOWN);
        assertEquals(WALL_NANOS + 3 * FRAME_NANOS, early.nanosAt(7 * FRAME));
    }

    @Test
    void aFrameWithoutATimestampHasNoTime() {
        clock.packet(0, WALL_MICROS);
        assertEquals(CaptureClock.UNKNOWN, clock.nanosAt(AV_NOPTS_VALUE));
    }

    @Test
    void aRestartForgetsTheReports() {
        early.packet(0, WALL_MICROS);
        early.packet(FRAME, WALL_MICROS);
        early.restart();
        assertEquals(CaptureClock.UNKNOWN, early.nanosAt(FRAME));
        early.packet(0, CaptureClock.UNKNOWN);
        assertEquals(CaptureClock.UNKNOWN, early.nanosAt(0));
    }
}
