// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AV_NOPTS_VALUE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Times rise, whatever the timestamps do, and what is corrected once is not corrected for ever. */
class PtsClockTest {
    private static final long FRAME = 40_000_000;
    private static final int TICKS = 3600;
    private static final long SECOND = 1_000_000_000;

    private final PtsClock clock = new PtsClock(1, 90_000, FRAME, false);

    private long next(long timestamp) {
        return clock.next(timestamp, 0);
    }

    /** The times of frames 0 to count - 1, whose timestamps are given in ticks; they must rise. */
    private long last(int count, LongUnaryOperator timestamps) {
        long last = Long.MIN_VALUE;
        for (int i = 0; i < count; i++) {
            long time = next(timestamps.applyAsLong(i));
            assertTrue(time > last, "frame " + i + " at " + time + " after " + last);
            last = time;
        }
        return last;
    }

    private static void assertNear(long wanted, long got, long tolerance) {
        assertTrue(Math.abs(wanted - got) <= tolerance, "the end is at " + got + ", not " + wanted);
    }

    @Test
    void countsInTheTimeBase() {
        assertEquals(SECOND, next(90_000));
        assertEquals(1_033_366_667, next(93_003)); // rounded to the nearest
    }

    @Test
    void aMissingTimestampOfAFileIsOneFrameLater() {
        assertEquals(0, next(AV_NOPTS_VALUE));
        assertEquals(FRAME, next(AV_NOPTS_VALUE));
        assertEquals(2 * FRAME, next(7200));
    }

    @Test
    void aMissingTimestampOfALiveInputIsThatOfItsArrival() {
        PtsClock live = new PtsClock(1, 25, FRAME, true);
        assertEquals(0, live.next(AV_NOPTS_VALUE, 5 * SECOND));
        assertEquals(SECOND, live.next(AV_NOPTS_VALUE, 6 * SECOND));
        assertEquals(3 * SECOND, live.next(AV_NOPTS_VALUE, 8 * SECOND));
        assertTrue(live.next(AV_NOPTS_VALUE, 8 * SECOND) > 3 * SECOND);
    }

    @Test
    void goesOnAfterARestart() {
        next(0);
        next(3600);
        clock.restart(0);
        assertEquals(2 * FRAME, next(0));
        assertEquals(3 * FRAME, next(3600));
        clock.restart(SECOND);
        assertEquals(3 * FRAME + SECOND, next(123_456));
        clock.restart(0);
        assertEquals(4 * FRAME + SECOND, next(AV_NOPTS_VALUE));
    }

    @Test
    void aClockSetBackDoesNotTurnTimeBack() {
        next(900_000);
        assertEquals(10 * SECOND + FRAME, next(0));
        assertEquals(10 * SECOND + 2 * FRAME, next(3600));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 5, 10})
    void timestampsThatAreRepeatedDoNotAddUp(int every) {
        long end = last(200, i -> (i % every == every - 1 ? i - 1 : i) * TICKS);
        assertNear(199 * FRAME, end, FRAME);
    }

    @ParameterizedTest
    @ValueSource(longs = {90, 900, 9000, 89_000})
    void timestampsALittleEarlierDoNotAddUp(long ticks) {
        long end = last(200, i -> i % 10 == 9 ? (i - 1) * TICKS - ticks : i * TICKS);
        assertNear(199 * FRAME, end, 2 * FRAME);
    }

    @ParameterizedTest
    @ValueSource(longs = {200_000, 9_000_000})
    void singleTimestampsFarBackDoNotAddUp(long ticks) {
        long end = last(1000, i -> i % 10 == 9 ? i * TICKS - ticks : i * TICKS);
        assertNear(998 * FRAME, end, 2 * FRAME);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4})
    void framesInGroupsOfOneTimestampStayWithIt(int group) {
        long end = last(240, i -> i / group * group * TICKS);
        assertNear(239 * FRAME, end, group * FRAME);
    }

    /** One after another, not in steps: it cannot run ahead of the stream for long, whatever frame duration is believed in. */
    @Test
    void aWrongFrameDurationDoesNotMakeTimeRunAhead() {
        PtsClock slow = new PtsClock(1, 90_000, 20 * FRAME, false);
        long last = -1;
        for (int i = 0; i < 500; i++) {
            last = slow.next((i % 2 == 1 ? i - 1 : i) * (long) TICKS, 0);
        }
        assertNear(499 * FRAME, last, 20 * FRAME);
    }

    @Test
    void aClockSetBackALittleGoesOn() {
        long end = last(100, i -> i < 50 ? i * TICKS : i * TICKS - 18_000); // by 200 ms
        assertTrue(end >= 94 * FRAME && end <= 100 * FRAME, "the end is at " + end);
    }

    /** As with a sender's first report: nothing is lost by beginning again there, and the frames after it keep their distances. */
    @Test
    void timestampsThatMoveAtTheBeginningBeginAgain() {
        assertEquals(0, next(0));
        assertEquals(FRAME, next(-27_000));
        assertEquals(2 * FRAME, next(-23_400));
        assertEquals(4 * FRAME, next(-16_200));
    }

    @Test
    void timestampsThatComeAfterFramesWithoutOneBeginThere() {
        assertEquals(0, next(AV_NOPTS_VALUE));
        assertEquals(FRAME, next(-27_000));
        assertEquals(2 * FRAME, next(-23_400));
    }

    /** A stream whose timestamps all are the same has none. */
    @Test
    void oneTimestampForAllIsNone() {
        long end = last(200, i -> 0);
        assertTrue(end >= 190 * FRAME && end <= 200 * FRAME, "the end is at " + end);
    }

    @Test
    void anythingRises() {
        Random random = new Random(7);
        last(100_000, i -> switch (random.nextInt(5)) {
            case 0 -> AV_NOPTS_VALUE;
            case 1 -> random.nextLong(1L << 33);
            case 2 -> random.nextInt(10_000);
            default -> i * TICKS;
        });
    }
}
