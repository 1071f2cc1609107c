// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.List;
import java.util.Objects;
import org.HdrHistogram.Histogram;

/**
 * Durations of all rounds: each percentile is the median of what the rounds have, the largest value that of all. Microseconds.
 *
 * @param p50 of each round
 * @param p90 of each round
 * @param p99 of each round
 * @param p999 of each round
 * @param max of all
 * @param count of all
 * @param all rounds together, nanoseconds
 */
record Figures(
        List<Double> p50,
        List<Double> p90,
        List<Double> p99,
        List<Double> p999,
        double max,
        long count,
        Histogram all) {
    private static final double NANOS_PER_MICRO = 1e3;

    /** Null if no round has any. */
    static Figures of(List<RoleResult> rounds, RoleResult.What what) {
        List<Histogram> histograms = rounds.stream()
                .map(round -> round.recorded(what))
                .filter(Objects::nonNull)
                .map(Recording::total)
                .filter(histogram -> histogram.getTotalCount() > 0)
                .toList();
        if (histograms.isEmpty()) {
            return null;
        }
        Histogram all = Recording.newHistogram();
        histograms.forEach(all::add);
        return new Figures(
                percentiles(histograms, 50),
                percentiles(histograms, 90),
                percentiles(histograms, 99),
                percentiles(histograms, 99.9),
                all.getMaxValue() / NANOS_PER_MICRO,
                all.getTotalCount(),
                all);
    }

    private static List<Double> percentiles(List<Histogram> histograms, double percentile) {
        return histograms.stream()
                .map(histogram -> histogram.getValueAtPercentile(percentile) / NANOS_PER_MICRO)
                .toList();
    }

    /** The one in the middle, or between the two there. */
    static double median(List<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int half = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }

    JsonObject toJson() {
        JsonObject json = new JsonObject();
        json.addProperty("p50", rounded(median(p50)));
        json.addProperty("p90", rounded(median(p90)));
        json.addProperty("p99", rounded(median(p99)));
        json.addProperty("p99_9", rounded(median(p999)));
        json.addProperty("max", rounded(max));
        json.addProperty("count", count);
        JsonArray rounds = new JsonArray();
        p50.forEach(value -> rounds.add(rounded(value)));
        json.add("p50_of_rounds", rounds);
        JsonArray tails = new JsonArray();
        p99.forEach(value -> tails.add(rounded(value)));
        json.add("p99_of_rounds", tails);
        return json;
    }

    /** Three digits after the point are what the clock has. */
    static double rounded(double value) {
        return Math.round(value * 1e3) / 1e3;
    }
}
