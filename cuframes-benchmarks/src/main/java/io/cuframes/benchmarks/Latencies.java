// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import org.HdrHistogram.Histogram;

/** Latencies of one way, without the first fifth. */
final class Latencies {
    private final Histogram histogram = new Histogram(1, 10_000_000_000L, 3);
    private final int warmUp;
    private int seen;

    Latencies(int frames) {
        warmUp = frames / 5;
    }

    void add(long nanos) {
        if (seen++ >= warmUp) {
            histogram.recordValue(Math.max(1, nanos));
        }
    }

    void print(String way) {
        System.out.printf(
                "%-18s %8.1f %8.1f %8.1f %8.1f%n",
                way,
                histogram.getValueAtPercentile(50) / 1e3,
                histogram.getValueAtPercentile(90) / 1e3,
                histogram.getValueAtPercentile(99) / 1e3,
                histogram.getMaxValue() / 1e3);
    }
}
