// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import io.cuframes.LatencyStats;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import org.HdrHistogram.Histogram;

/**
 * The latencies of one subscriber. One thread records, without a lock, an allocation or a fence; any thread asks for what came of it so far. Takes
 * 36 KiB, and 72 KiB once it was asked.
 *
 * <p>The counts are those of a {@link Histogram} of two digits, kept apart from one because its own recorder for one thread takes two locked
 * instructions for each value, so that a reader may swap it: most of what recording costs. Here nothing is swapped, since nothing is ever reset.
 */
final class LatencyRecorder {
    private static final long LOWEST_NANOS = 1;
    private static final long HIGHEST_NANOS = TimeUnit.HOURS.toNanos(1);

    /** Values that differ by less than a hundredth may be taken for the same. Three digits would take five times the memory. */
    private static final int DIGITS = 2;

    /** Values below 2 to this power have a count each; from there on each doubling has half as many counts. As in a histogram of two digits. */
    private static final int EXACT_BITS = 8;

    private static final int HALF_BITS = EXACT_BITS - 1;

    /** Written by the recording thread alone, each opaque: a count is never seen half, nor less than before. */
    private final AtomicLongArray counts = new AtomicLongArray(index(HIGHEST_NANOS) + 1);

    /** Filled anew each time that it is asked for. Guarded by this; null until then. */
    private Histogram histogram;

    /** Which count a value belongs to: the number of its doubling, then its first bits. */
    static int index(long nanos) {
        int shift = Long.SIZE - EXACT_BITS - Long.numberOfLeadingZeros(nanos | ((1 << EXACT_BITS) - 1));
        return (shift << HALF_BITS) + (int) (nanos >>> shift);
    }

    /** The least value of a count. */
    static long lowest(int index) {
        int shift = Math.max(0, (index >> HALF_BITS) - 1);
        return (long) (index - (shift << HALF_BITS)) << shift;
    }

    /**
     * Records a latency.
     *
     * @param nanos what the publisher says may be nonsense: taken for the nearest there is
     * @return the value recorded
     */
    long record(long nanos) {
        long recorded = Math.clamp(nanos, 0, HIGHEST_NANOS);
        int index = index(recorded);
        counts.setOpaque(index, counts.getPlain(index) + 1);
        return recorded;
    }

    synchronized LatencyStats stats() {
        if (histogram == null) {
            histogram = new Histogram(LOWEST_NANOS, HIGHEST_NANOS, DIGITS);
        }
        histogram.reset();
        for (int index = 0; index < counts.length(); index++) {
            long count = counts.getOpaque(index);
            if (count > 0) {
                histogram.recordValueWithCount(lowest(index), count);
            }
        }
        return new LatencyStats(
                histogram.getTotalCount(),
                histogram.getMinValue(),
                Math.round(histogram.getMean()),
                histogram.getValueAtPercentile(50),
                histogram.getValueAtPercentile(90),
                histogram.getValueAtPercentile(99),
                histogram.getValueAtPercentile(99.9),
                histogram.getMaxValue());
    }
}
