// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import com.google.gson.GsonBuilder;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogWriter;

/** What a run leaves in its directory. */
final class BenchFiles {
    /** Histograms are of nanoseconds, what is printed of them in microseconds. */
    private static final double UNIT = 1e3;

    private static final int TICKS_PER_HALF = 5;

    private final BenchReport report;
    private final Path directory;
    private final List<String> written = new ArrayList<>();

    BenchFiles(BenchReport report) {
        this.report = report;
        this.directory = report.plan().out();
    }

    List<String> write() throws IOException {
        Files.createDirectories(directory);
        write("result.json", new GsonBuilder().setPrettyPrinting().create().toJson(report.toJson()) + "\n");
        for (CaseResult each : report.results()) {
            writePercentiles(each);
        }
        writeIntervals();
        write("latency.svg", BenchPlots.latencies(report));
        String costs = BenchPlots.costs(report);
        if (costs != null) {
            write("cost.svg", costs);
        }
        return written;
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(directory.resolve(name), text);
        written.add(name);
    }

    private PrintStream open(String name) throws IOException {
        written.add(name);
        return new PrintStream(Files.newOutputStream(directory.resolve(name)), false, StandardCharsets.UTF_8);
    }

    /** The usual text of HdrHistogram, all rounds together, microseconds. */
    private void writePercentiles(CaseResult each) throws IOException {
        try (PrintStream out = open(each.which().id() + ".hgrm")) {
            each.latency().all().outputPercentileDistribution(out, TICKS_PER_HALF, UNIT);
            require(out);
        }
    }

    /** An interval of a case's readers. */
    private record Interval(long begin, long length, Histogram histogram) {}

    /** HdrHistogram's log, the cases told apart by tags. */
    private void writeIntervals() throws IOException {
        List<Interval> intervals = new ArrayList<>();
        for (CaseResult each : report.results()) {
            for (Recording recording : each.latencies()) {
                recording.forEachInterval((begin, length, histogram) -> {
                    histogram.setTag(each.which().id());
                    intervals.add(new Interval(begin, length, histogram));
                });
            }
        }
        intervals.sort(Comparator.comparingLong(Interval::begin));
        try (PrintStream out = open("latency.hlog")) {
            HistogramLogWriter log = new HistogramLogWriter(out);
            log.outputComment("[nanoseconds from before a frame is written to its being usable by a reader]");
            log.outputLogFormatVersion();
            log.outputStartTime(report.originMillis());
            log.outputLegend();
            for (Interval each : intervals) {
                double begin = (each.begin() - report.originNanos()) / 1e9;
                log.outputIntervalHistogram(begin, begin + each.length() / 1e9, each.histogram(), UNIT);
            }
            require(out);
        }
    }

    private void require(PrintStream out) throws IOException {
        if (out.checkError()) {
            throw new IOException("cannot write into " + directory + ": is the disk full?");
        }
    }
}
