// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** What a run has measured, and its ratios: both sides of each are of this run. Immutable. */
public final class BenchReport {
    /** What latencies are compared with, besides the floor. */
    private static final List<Mode> YARDSTICKS = List.of(Mode.STREAM_WAIT, Mode.HOST_COPY, Mode.HOST_COPY_PINNED);

    private final BenchPlan plan;
    private final Machine machine;
    private final List<CaseResult> results;
    private final Map<Mode, String> leftOut;
    private final Map<String, String> failed;
    private final long originNanos;
    private final long originMillis;
    private final boolean stopped;

    BenchReport(
            BenchPlan plan,
            Machine machine,
            List<CaseResult> results,
            Map<Mode, String> leftOut,
            Map<String, String> failed,
            long originNanos,
            long originMillis,
            boolean stopped) {
        this.plan = plan;
        this.machine = machine;
        this.results = results;
        this.leftOut = leftOut;
        this.failed = failed;
        this.originNanos = originNanos;
        this.originMillis = originMillis;
        this.stopped = stopped;
    }

    /**
     * Whether nothing was measured.
     *
     * @return true if no case was
     */
    public boolean isEmpty() {
        return results.isEmpty();
    }

    /**
     * Whether a case failed.
     *
     * @return true if one did
     */
    public boolean hasFailed() {
        return !failed.isEmpty();
    }

    /**
     * Frames whose pixels were not their own.
     *
     * @return 0 if all is well
     */
    public long wrong() {
        return results.stream().mapToLong(CaseResult::wrong).sum();
    }

    List<CaseResult> results() {
        return results;
    }

    BenchPlan plan() {
        return plan;
    }

    long originNanos() {
        return originNanos;
    }

    long originMillis() {
        return originMillis;
    }

    /** What was measured and where, in a line. */
    String subject() {
        return plan.width() + "x" + plan.height() + " NV12, " + plan.frames() + " frames at " + plan.rate()
                + " a second, " + (plan.rounds() == 1 ? "one round" : plan.rounds() + " rounds");
    }

    String machineText() {
        return machine.text();
    }

    private Optional<CaseResult> first(Mode mode) {
        return results.stream().filter(each -> each.which().mode() == mode).findFirst();
    }

    /** A case's median latency as a multiple of another mode's in this run; empty if that was not measured. */
    private Optional<Double> against(CaseResult each, Mode mode) {
        return first(mode)
                .map(other -> Figures.median(each.latency().p50())
                        / Figures.median(other.latency().p50()));
    }

    /**
     * For people.
     *
     * @return some lines
     */
    public String text() {
        List<String> lines = new ArrayList<>();
        lines.add(subject() + "; microseconds, medians of rounds");
        lines.add(machine.text());
        lines.add("");
        lines.add(String.format(
                Locale.ROOT,
                "%-22s %5s %4s %9s %9s %9s %9s %9s %8s %8s %8s %8s %7s %8s",
                "written to usable",
                "strm",
                "subs",
                "p50",
                "p90",
                "p99",
                "p99.9",
                "max",
                "publish",
                "pub p99",
                "cpu w/f",
                "cpu r/f",
                "missed",
                "x floor"));
        for (CaseResult each : results) {
            lines.add(row(each));
        }
        lines.add("");
        if (results.isEmpty()) {
            lines.clear();
            lines.add("nothing was measured");
        } else {
            lines.add(
                    "publish: p50 of the caller's time in publish(). cpu w/f, cpu r/f: CPU time of the writing process, and of a"
                            + " reading one, for each frame.");
        }
        ratioLines(lines);
        leftOut.forEach((mode, reason) -> lines.add("left out: " + mode.word() + ": " + reason));
        failed.forEach((id, reason) ->
                lines.add("failed: " + id + ": " + reason.lines().findFirst().orElse("")));
        if (stopped) {
            lines.add("stopped before the end");
        }
        return String.join("\n", lines);
    }

    private String row(CaseResult each) {
        Figures latency = each.latency();
        Figures publish = each.publish();
        return String.format(
                Locale.ROOT,
                "%-22s %5d %4d %9.1f %9.1f %9.1f %9.1f %9.1f %8s %8s %8.1f %8.1f %7d %8s",
                each.which().name(),
                each.which().streams(),
                each.which().subscribers(),
                Figures.median(latency.p50()),
                Figures.median(latency.p90()),
                Figures.median(latency.p99()),
                Figures.median(latency.p999()),
                latency.max(),
                publish == null ? "-" : tenths(Figures.median(publish.p50())),
                publish == null ? "-" : tenths(Figures.median(publish.p99())),
                each.writerCpuMicros(),
                each.readerCpuMicros(),
                each.missed() + each.dropped(),
                against(each, each.which().mode().floor())
                        .map(ratio -> String.format(Locale.ROOT, "%.2f", ratio))
                        .orElse("-"));
    }

    private static String tenths(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }

    private void ratioLines(List<String> lines) {
        for (CaseResult each : rings()) {
            if (each.which().subscribers() != 1 || each.which().streams() != 1) {
                continue;
            }
            for (Mode mode : YARDSTICKS) {
                if (each.which().mode().needsGpu()) {
                    against(each, mode)
                            .ifPresent(ratio -> lines.add(String.format(
                                    Locale.ROOT,
                                    "%s has the frame %.1f times as soon as %s",
                                    each.which().name(),
                                    1 / ratio,
                                    mode.word())));
                }
            }
        }
        for (FanOut each : fanOuts()) {
            lines.add(each.text());
        }
    }

    private List<CaseResult> rings() {
        return results.stream().filter(each -> each.which().mode().isRing()).toList();
    }

    /** What more subscribers cost: the most of a run against the fewest, all else alike. */
    private record FanOut(CaseResult few, CaseResult many) {
        double publish() {
            return ratio(few.publish(), many.publish(), 50);
        }

        double publishTail() {
            return ratio(few.publish(), many.publish(), 99);
        }

        double readerTail() {
            return ratio(few.latency(), many.latency(), 99);
        }

        double cpu() {
            return many.writerCpuMicros() / Math.max(1e-3, few.writerCpuMicros());
        }

        private static double ratio(Figures below, Figures above, int percentile) {
            return percentile == 50
                    ? Figures.median(above.p50()) / Figures.median(below.p50())
                    : Figures.median(above.p99()) / Figures.median(below.p99());
        }

        String text() {
            return String.format(
                    Locale.ROOT,
                    "%s, streams: %d, subscribers: %d against %d: publish() p50 %.1fx, p99 %.1fx; the writing process's"
                            + " CPU %.1fx; readers' p99 %.1fx",
                    few.which().name(),
                    few.which().streams(),
                    many.which().subscribers(),
                    few.which().subscribers(),
                    publish(),
                    publishTail(),
                    cpu(),
                    readerTail());
        }

        JsonObject toJson() {
            JsonObject json = new JsonObject();
            json.addProperty("mode", few.which().mode().word());
            json.addProperty("wait", few.which().waitWord());
            json.addProperty("streams", few.which().streams());
            json.addProperty("subscribers", many.which().subscribers());
            json.addProperty("against", few.which().subscribers());
            json.addProperty("publish_p50", Figures.rounded(publish()));
            json.addProperty("publish_p99", Figures.rounded(publishTail()));
            json.addProperty("writer_cpu", Figures.rounded(cpu()));
            json.addProperty("reader_p99", Figures.rounded(readerTail()));
            return json;
        }
    }

    private List<FanOut> fanOuts() {
        List<FanOut> all = new ArrayList<>();
        int few = plan.subscribers().stream().mapToInt(Integer::intValue).min().orElse(1);
        int many = plan.subscribers().stream().mapToInt(Integer::intValue).max().orElse(1);
        for (CaseResult each : rings()) {
            if (few == many || each.which().subscribers() != few || each.publish() == null) {
                continue;
            }
            results.stream()
                    .filter(other -> other.which().name().equals(each.which().name())
                            && other.which().streams() == each.which().streams()
                            && other.which().subscribers() == many
                            && other.publish() != null)
                    .findFirst()
                    .ifPresent(other -> all.add(new FanOut(each, other)));
        }
        return all;
    }

    /**
     * For programs.
     *
     * @return one object, durations in microseconds
     */
    public JsonObject toJson() {
        JsonObject json = new JsonObject();
        json.add("machine", machine.toJson());
        json.add("settings", settings());
        JsonArray cases = new JsonArray();
        for (CaseResult each : results) {
            JsonObject one = each.toJson();
            against(each, each.which().mode().floor())
                    .ifPresent(ratio -> one.addProperty("p50_against_floor", Figures.rounded(ratio)));
            for (Mode mode : YARDSTICKS) {
                if (each.which().mode().needsGpu() && each.which().mode() != mode) {
                    against(each, mode)
                            .ifPresent(ratio -> one.addProperty(
                                    "times_as_soon_as_" + mode.word().replace('-', '_'), Figures.rounded(1 / ratio)));
                }
            }
            cases.add(one);
        }
        json.add("cases", cases);
        JsonArray spread = new JsonArray();
        fanOuts().forEach(each -> spread.add(each.toJson()));
        json.add("fan_out", spread);
        JsonObject out = new JsonObject();
        leftOut.forEach((mode, reason) -> out.addProperty(mode.word(), reason));
        json.add("left_out", out);
        JsonObject broken = new JsonObject();
        failed.forEach(broken::addProperty);
        json.add("failed", broken);
        json.addProperty("stopped", stopped);
        return json;
    }

    private JsonObject settings() {
        JsonObject json = new JsonObject();
        json.addProperty("frames", plan.frames());
        json.addProperty("warmup", plan.warmup());
        json.addProperty("rate", plan.rate());
        json.addProperty("width", plan.width());
        json.addProperty("height", plan.height());
        json.addProperty("slots", plan.slots());
        json.addProperty("rounds", plan.rounds());
        json.addProperty("pinned", plan.pin());
        return json;
    }

    /**
     * Writes result.json, the histograms and the plots into the plan's directory, which is made if it is not there.
     *
     * @return the names of the files
     * @throws IOException if a file cannot be written
     */
    public List<String> writeFiles() throws IOException {
        return new BenchFiles(this).write();
    }
}
