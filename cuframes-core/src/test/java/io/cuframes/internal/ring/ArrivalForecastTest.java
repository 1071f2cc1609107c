// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ArrivalForecastTest {
    private static final long PERIOD = 40_000_000;
    private static final long BEGIN = 1_000_000_000;

    private final ArrivalForecast forecast = new ArrivalForecast();

    /** Frames at the given period, each up to so much sooner or later; the time of the last. */
    private long observe(int frames, long period, long jitter) {
        Random random = new Random(7);
        long last = 0;
        for (int i = 0; i < frames; i++) {
            last = BEGIN + i * period + (jitter == 0 ? 0 : random.nextLong(-jitter, jitter));
            forecast.observe(i + 1, last);
        }
        return last;
    }

    @Test
    void nothingIsForecastBeforeTheStreamIsKnown() {
        for (int frame = 1; frame <= 8; frame++) {
            forecast.observe(frame, BEGIN + frame * PERIOD);
            assertEquals(ArrivalForecast.UNKNOWN, forecast.awakeAt(), "after frame " + frame);
            assertEquals(ArrivalForecast.UNKNOWN, forecast.lateAt());
        }
        forecast.observe(9, BEGIN + 9 * PERIOD);
        assertNotEquals(ArrivalForecast.UNKNOWN, forecast.awakeAt());
    }

    @Test
    void aSteadyStreamIsAwaitedShortlyBeforeItsNextFrame() {
        long due = observe(50, PERIOD, 0) + PERIOD;
        assertTrue(
                forecast.awakeAt() < due && forecast.awakeAt() >= due - 300_000,
                "awake " + (due - forecast.awakeAt()) + " ns before");
        assertTrue(
                forecast.lateAt() > due && forecast.lateAt() <= due + 300_000,
                "late " + (forecast.lateAt() - due) + " ns after");
    }

    @Test
    void aThreadThatWakesLateAsksToBeWokenSooner() {
        observe(50, PERIOD, 0);
        long before = forecast.awakeAt();
        for (int i = 0; i < 50; i++) {
            forecast.woke(0, 120_000);
        }
        assertTrue(forecast.awakeAt() <= before - 50_000, "only " + (before - forecast.awakeAt()) + " ns sooner");
    }

    @Test
    void framesThatThisReaderNeverSawCountForThePeriod() {
        for (int i = 0; i < 50; i++) {
            forecast.observe(1 + 3L * i, BEGIN + 3L * i * PERIOD);
        }
        long due = BEGIN + 147 * PERIOD + PERIOD;
        assertTrue(Math.abs(forecast.awakeAt() - due) <= 300_000);
    }

    @Test
    void nothingIsForecastOfAnIrregularStream() {
        observe(200, PERIOD, 5_000_000);
        assertEquals(ArrivalForecast.UNKNOWN, forecast.awakeAt());
    }

    @Test
    void nothingIsForecastWhereItWouldMeanToSpinMostOfTheTime() {
        observe(200, 150_000, 0);
        assertEquals(ArrivalForecast.UNKNOWN, forecast.awakeAt());
    }

    @Test
    void aPauseIsNoPeriod() {
        long last = observe(50, PERIOD, 0);
        forecast.observe(51, last + 60_000_000_000L);
        assertEquals(ArrivalForecast.UNKNOWN, forecast.awakeAt());
        for (int i = 1; i <= 8; i++) {
            forecast.observe(51 + i, last + 60_000_000_000L + i * PERIOD);
        }
        assertNotEquals(ArrivalForecast.UNKNOWN, forecast.awakeAt());
    }

    @Test
    void theSameFrameAgainTeachesNothing() {
        long last = observe(9, PERIOD, 0);
        long awakeAt = forecast.awakeAt();
        forecast.observe(9, last);
        assertEquals(awakeAt, forecast.awakeAt());
    }

    /** Whatever a publisher writes, what is forecast is a time near those it wrote, or nothing. */
    @ParameterizedTest
    @ValueSource(longs = {Long.MIN_VALUE, -1, 0, Long.MAX_VALUE})
    void timesThatMakeNoSenseGiveNoForecast(long nanos) {
        observe(50, PERIOD, 0);
        for (int i = 1; i <= 20; i++) {
            forecast.observe(50 + i, i % 2 == 0 ? nanos : BEGIN);
        }
        assertEquals(ArrivalForecast.UNKNOWN, forecast.awakeAt());
    }

    @Test
    void anEpochThatBeginsAnewIsLearnedAnew() {
        observe(50, PERIOD, 0);
        forecast.observe(1, BEGIN + 100 * PERIOD);
        assertEquals(ArrivalForecast.UNKNOWN, forecast.awakeAt());
    }
}
