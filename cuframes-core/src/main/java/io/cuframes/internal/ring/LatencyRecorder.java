// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import io.cuframes.LatencyStats;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.SingleWriterRecorder;

/**
 * The latencies of one subscriber. One thread records, wait-free and without an allocation; any thread asks for what came of it so far, and waits
 * for the recording thread only while that records one value. Takes 36 KiB, and 108 KiB once it was asked.
 */
final class LatencyRecorder {
    private static final long LOWEST_NANOS = 1;
    private static final long HIGHEST_NANOS = TimeUnit.HOURS.toNanos(1);

    /** Values that differ by less than a hundredth may be taken for the same. Three digits would take five times the memory. */
    private static final int DIGITS = 2;

    private final SingleWriterRecorder recorder = new SingleWriterRecorder(LOWEST_NANOS, HIGHEST_NANOS, DIGITS);

    /** All that was recorded until it was last asked for. Guarded by this; null until then. */
    private Histogram total;

    /** What was recorded between the last two times; used again for the next. Guarded by this. */
    private Histogram interval;

    /**
     * Records a latency.
     *
     * @param nanos what the publisher says may be nonsense: taken for the nearest there is
     * @return the value recorded
     */
    long record(long nanos) {
        long recorded = Math.clamp(nanos, 0, HIGHEST_NANOS);
        recorder.recordValue(recorded);
        return recorded;
    }

    synchronized LatencyStats stats() {
        if (total == null) {
            total = new Histogram(LOWEST_NANOS, HIGHEST_NANOS, DIGITS);
        }
        interval = recorder.getIntervalHistogram(interval);
        total.add(interval);
        return new LatencyStats(
                total.getTotalCount(),
                total.getMinValue(),
                Math.round(total.getMean()),
                total.getValueAtPercentile(50),
                total.getValueAtPercentile(90),
                total.getValueAtPercentile(99),
                total.getValueAtPercentile(99.9),
                total.getMaxValue());
    }
}
