// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;

/** What the rounds of a case have measured. For one thread. */
final class CaseResult {
    private final BenchCase which;
    private final List<RoleResult> writers = new ArrayList<>();
    private final List<RoleResult> readers = new ArrayList<>();
    private final List<Double> writerCpu = new ArrayList<>();
    private final List<Double> readerCpu = new ArrayList<>();

    CaseResult(BenchCase which) {
        this.which = which;
    }

    BenchCase which() {
        return which;
    }

    /**
     * Adds a round.
     *
     * @param writer what the writing process measured
     * @param reader what the reading processes measured, together; the same as the writer where one process does both
     */
    void add(RoleResult writer, RoleResult reader) {
        writers.add(writer);
        readers.add(reader);
        if (writer.frames > 0) {
            writerCpu.add(Math.max(0, writer.cpuNanos - writer.spunNanos) / 1e3 / writer.frames);
            readerCpu.add(reader.cpuNanos / 1e3 / Math.max(1, reader.frames));
        }
    }

    boolean isEmpty() {
        return readers.isEmpty();
    }

    Figures latency() {
        return Figures.of(readers, RoleResult.What.LATENCY);
    }

    Figures notice() {
        return Figures.of(readers, RoleResult.What.NOTICE);
    }

    Figures publish() {
        return Figures.of(writers, RoleResult.What.PUBLISH);
    }

    Figures acquire() {
        return Figures.of(writers, RoleResult.What.ACQUIRE);
    }

    /** CPU time of the writing process for a frame, us; without the time it waits for the next. */
    double writerCpuMicros() {
        return Figures.median(writerCpu);
    }

    /** CPU time of a reading process for a frame, us. */
    double readerCpuMicros() {
        return Figures.median(readerCpu);
    }

    /** Frames that readers were not given, of all rounds. */
    long missed() {
        long expected = writers.stream().mapToLong(writer -> writer.frames).sum() * which.subscribers();
        return Math.max(
                0,
                expected - readers.stream().mapToLong(reader -> reader.frames).sum());
    }

    long dropped() {
        return writers.stream().mapToLong(writer -> writer.dropped).sum();
    }

    long wrong() {
        return readers.stream().mapToLong(reader -> reader.wrong).sum();
    }

    long frames() {
        return readers.stream().mapToLong(reader -> reader.frames).sum();
    }

    /** The readers' latencies, as recorded. */
    List<Recording> latencies() {
        return readers.stream()
                .map(reader -> reader.recorded(RoleResult.What.LATENCY))
                .toList();
    }

    JsonObject toJson() {
        JsonObject json = new JsonObject();
        json.addProperty("mode", which.mode().word());
        json.addProperty("wait", which.strategy() == null ? null : which.waitWord());
        json.addProperty("subscribers", which.subscribers());
        json.addProperty("streams", which.streams());
        json.addProperty("rounds", readers.size());
        json.addProperty("frames_read", frames());
        json.addProperty("missed", missed());
        json.addProperty("dropped", dropped());
        json.addProperty("wrong", wrong());
        put(json, "latency_us", latency());
        put(json, "publish_to_next_us", notice());
        put(json, "publish_us", publish());
        put(json, "acquire_us", acquire());
        json.addProperty("writer_cpu_us_per_frame", Figures.rounded(writerCpuMicros()));
        json.addProperty("reader_cpu_us_per_frame", Figures.rounded(readerCpuMicros()));
        return json;
    }

    private static void put(JsonObject json, String name, Figures figures) {
        if (figures != null) {
            json.add(name, figures.toJson());
        }
    }
}
