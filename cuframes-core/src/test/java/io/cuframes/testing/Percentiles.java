// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import java.util.Locale;
import org.HdrHistogram.Histogram;

/** Durations, to be reported by a test: not what it asserts, since a machine that runs tests is busy. Not thread-safe. */
public final class Percentiles {
    private final Histogram nanos = new Histogram(3);

    public void add(long duration) {
        nanos.recordValue(Math.max(0, duration));
    }

    public void addAll(Percentiles others) {
        nanos.add(others.nanos);
    }

    public long count() {
        return nanos.getTotalCount();
    }

    public long max() {
        return nanos.getMaxValue();
    }

    /** How many were longer. */
    public long longerThan(long duration) {
        return nanos.getTotalCount() - nanos.getCountBetweenValues(0, duration);
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "p50 %.2f ms, p90 %.2f ms, p99 %.2f ms, max %.2f ms (%d times)",
                nanos.getValueAtPercentile(50) / 1e6,
                nanos.getValueAtPercentile(90) / 1e6,
                nanos.getValueAtPercentile(99) / 1e6,
                nanos.getMaxValue() / 1e6,
                nanos.getTotalCount());
    }
}
