// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.HdrHistogram.Histogram;

/** The pictures of a run. */
final class BenchPlots {
    private static final List<Double> PERCENTILES = List.of(0.0, 50.0, 90.0, 99.0, 99.9, 99.99, 99.999);
    private static final double PER_HALVING = 6;

    private BenchPlots() {}

    /** How latencies are distributed: each case a line, from the median to the slowest. */
    static String latencies(BenchReport report) {
        List<Chart.Line> lines = new ArrayList<>();
        for (CaseResult each : report.results()) {
            lines.add(new Chart.Line(
                    name(report, each), distribution(each.latency().all()), false));
        }
        Chart.Panel panel = new Chart.Panel(
                "Share of frames that were usable within",
                new Chart.Axis("share of frames", Chart.Scale.PERCENTILE, PERCENTILES),
                new Chart.Axis("from written to usable, microseconds", Chart.Scale.LOG, List.of()),
                lines);
        return Chart.draw("How soon a frame can be used", subtitle(report), List.of(panel));
    }

    private static String subtitle(BenchReport report) {
        return report.subject() + "\n" + report.machineText();
    }

    private static List<Chart.Point> distribution(Histogram histogram) {
        List<Chart.Point> points = new ArrayList<>();
        double left = 1;
        while (left * histogram.getTotalCount() >= 1) {
            double percentile = 100 * (1 - left);
            points.add(new Chart.Point(percentile, histogram.getValueAtPercentile(percentile) / 1e3));
            left *= Math.pow(2, -1 / PER_HALVING);
        }
        return points;
    }

    /** The case, with what of it is not the same in all of them. */
    private static String name(BenchReport report, CaseResult each) {
        BenchCase which = each.which();
        if (!which.mode().isRing()) {
            return which.name();
        }
        return which.name()
                + (report.plan().streams().size() > 1 ? ", " + count(which.streams(), "stream") : "")
                + (report.plan().subscribers().size() > 1 ? ", " + count(which.subscribers(), "subscriber") : "");
    }

    private static String count(int number, String what) {
        return number + " " + what + (number == 1 ? "" : "s");
    }

    /** What subscribers and streams cost; null if neither was swept. */
    static String costs(BenchReport report) {
        boolean bySubscribers = report.plan().subscribers().size() > 1;
        if (!bySubscribers && report.plan().streams().size() < 2) {
            return null;
        }
        List<CaseResult> rings = report.results().stream()
                .filter(each -> each.which().mode().isRing() && each.publish() != null)
                .toList();
        if (rings.isEmpty()) {
            return null;
        }
        List<Chart.Panel> panels = List.of(
                panel(
                        bySubscribers,
                        rings,
                        "Caller's time in publish(), p50",
                        "microseconds",
                        Chart.Scale.LINEAR,
                        each -> Figures.median(each.publish().p50())),
                panel(
                        bySubscribers,
                        rings,
                        "CPU of the writing process",
                        "microseconds for each frame",
                        Chart.Scale.LINEAR,
                        CaseResult::writerCpuMicros),
                panel(
                        bySubscribers,
                        rings,
                        "From written to usable, p50",
                        "microseconds",
                        Chart.Scale.LOG,
                        each -> Figures.median(each.latency().p50())),
                panel(
                        bySubscribers,
                        rings,
                        "From written to usable, p99",
                        "microseconds",
                        Chart.Scale.LOG,
                        each -> Figures.median(each.latency().p99())));
        return Chart.draw(bySubscribers ? "What subscribers cost" : "What streams cost", subtitle(report), panels);
    }

    private static Chart.Panel panel(
            boolean bySubscribers,
            List<CaseResult> rings,
            String title,
            String unit,
            Chart.Scale scale,
            ToDoubleFunction<CaseResult> value) {
        Map<String, List<Chart.Point>> lines = new LinkedHashMap<>();
        for (CaseResult each : rings) {
            BenchCase which = each.which();
            int other = bySubscribers ? which.streams() : which.subscribers();
            String what = count(other, bySubscribers ? "stream" : "subscriber");
            lines.computeIfAbsent(which.name() + ", " + what, name -> new ArrayList<>())
                    .add(new Chart.Point(
                            bySubscribers ? which.subscribers() : which.streams(), value.applyAsDouble(each)));
        }
        List<Double> ticks = rings.stream()
                .map(each -> (double)
                        (bySubscribers
                                ? each.which().subscribers()
                                : each.which().streams()))
                .distinct()
                .sorted()
                .toList();
        return new Chart.Panel(
                title,
                new Chart.Axis(bySubscribers ? "subscribing processes" : "streams", Chart.Scale.LOG, ticks),
                new Chart.Axis(unit, scale, List.of()),
                lines.entrySet().stream()
                        .map(entry -> new Chart.Line(entry.getKey(), entry.getValue(), true))
                        .toList());
    }
}
