// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cuframes.LatencyStats;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

/** What is recorded comes out as a histogram of the same values has it. */
class LatencyRecorderTest {
    private static final long HOUR = TimeUnit.HOURS.toNanos(1);

    @Test
    void everyValueIsCountedWhereAHistogramOfTwoDigitsCountsIt() {
        Histogram histogram = new Histogram(1, HOUR, 2);
        for (long value = 0; value < 100_000; value++) {
            assertSameBucket(histogram, value);
        }
        for (int bit = 16; bit <= 41; bit++) {
            for (long value : new long[] {-1, 0, 1}) {
                assertSameBucket(histogram, (1L << bit) + value);
            }
        }
        assertSameBucket(histogram, HOUR);
    }

    private static void assertSameBucket(Histogram histogram, long value) {
        assertEquals(
                histogram.lowestEquivalentValue(value),
                LatencyRecorder.lowest(LatencyRecorder.index(value)),
                "the bucket of " + value);
    }

    @Test
    void figuresAreThoseOfAHistogramAndGoOnFromOneLookToTheNext() {
        LatencyRecorder recorder = new LatencyRecorder();
        Histogram expected = new Histogram(1, HOUR, 2);
        Random random = new Random(7);
        for (int look = 0; look < 3; look++) {
            for (int i = 0; i < 10_000; i++) {
                long value = random.nextLong(HOUR) >>> random.nextInt(41);
                assertEquals(value, recorder.record(value));
                expected.recordValue(value);
            }
            LatencyStats stats = recorder.stats();
            assertEquals(expected.getTotalCount(), stats.count());
            assertEquals(expected.getMinValue(), stats.min());
            assertEquals(Math.round(expected.getMean()), stats.mean());
            assertEquals(expected.getValueAtPercentile(50), stats.p50());
            assertEquals(expected.getValueAtPercentile(90), stats.p90());
            assertEquals(expected.getValueAtPercentile(99), stats.p99());
            assertEquals(expected.getValueAtPercentile(99.9), stats.p999());
            assertEquals(expected.getMaxValue(), stats.max());
        }
    }

    @Test
    void nonsenseIsTakenForTheNearestValueThereIs() {
        LatencyRecorder recorder = new LatencyRecorder();
        assertEquals(0, recorder.record(-5));
        assertEquals(HOUR, recorder.record(Long.MAX_VALUE));
        assertEquals(2, recorder.stats().count());
    }
}
