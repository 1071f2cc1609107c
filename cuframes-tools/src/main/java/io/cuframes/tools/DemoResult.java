// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * What the demo found.
 *
 * @param plan what was to be shown
 * @param key the stream
 * @param source the process that decoded
 * @param readers the processes that read
 * @param trouble what went wrong, or null
 * @param stopped whether the user ended it
 */
record DemoResult(Demo.Plan plan, String key, Child source, List<Child> readers, String trouble, boolean stopped) {
    /** The table and the verdict. */
    String text() {
        return String.join("\n", new DemoTable(plan, source, readers).lines()) + "\n" + verdict();
    }

    private String verdict() {
        String counts = count(readers.size(), "subscriber") + " read " + sum("frames") + " frames of one decode, "
                + sum("torn") + " torn, " + sum("gaps") + " gaps";
        String latency = String.format(Locale.ROOT, ", p50 %.1f us, p99 %.1f us", worst("p50"), worst("p99"));
        if (status() == ExitStatus.FINE) {
            return (stopped ? "STOPPED: " : "OK: ") + counts + (sum("frames") == 0 ? "" : latency);
        }
        return "FAILED: " + Objects.requireNonNullElse(trouble, counts + ", " + sum("misordered") + " misordered");
    }

    private static String count(int number, String what) {
        return number + " " + what + (number == 1 ? "" : "s");
    }

    /** The exit code. */
    int status() {
        if (sum("torn") + sum("misordered") + sum("gaps") > 0) {
            return ExitStatus.NOT_VERIFIED;
        }
        if (stopped) {
            return ExitStatus.FINE;
        }
        if (trouble != null) {
            boolean readersAlone = readers.stream().anyMatch(reader -> reader.exitCode() == ExitStatus.ENDED_EARLY);
            return readersAlone && source.exitCode() == ExitStatus.FINE ? ExitStatus.ENDED_EARLY : ExitStatus.BROKEN;
        }
        return sum("frames") == plan.frames() * readers.size() ? ExitStatus.FINE : ExitStatus.ENDED_EARLY;
    }

    /** What the processes wrote on standard error, if the demo failed. */
    List<String> failures() {
        List<String> lines = new ArrayList<>();
        if (status() != ExitStatus.FINE) {
            List<Child> all = new ArrayList<>(readers);
            all.add(0, source);
            for (Child child : all) {
                child.errors().forEach(line -> lines.add(child.name() + " | " + line));
            }
        }
        return lines;
    }

    JsonLine json() {
        JsonObject published = source.result();
        JsonLine line = JsonLine.begin().put("key", key);
        if (published != null) {
            line.put("transport", published.get("transport").getAsString())
                    .put("decoder", published.get("decoder").getAsString())
                    .put("format", published.get("format").getAsString());
        }
        line.put("width", plan.width())
                .put("height", plan.height())
                .put("ok", status() == ExitStatus.FINE)
                .put("verdict", verdict())
                .put("decodes", 1)
                .put("frames", sum("frames"))
                .put("gaps", sum("gaps"))
                .put("torn", sum("torn"))
                .put("timeouts", sum("timeouts"))
                .putTenths("fps", slowestRate())
                .beginObject("latency_us")
                .putTenths("p50", worst("p50"))
                .putTenths("p99", worst("p99"))
                .putTenths("max", worst("max"))
                .end()
                .beginArray("subscribers");
        for (Child reader : readers) {
            if (reader.result() != null) {
                line.element(reader.result().toString());
            }
        }
        return line.endArray().end();
    }

    private long sum(String member) {
        return readers.stream()
                .map(Child::latest)
                .filter(latest -> latest != null && latest.has(member))
                .mapToLong(latest -> latest.get(member).getAsLong())
                .sum();
    }

    /** Frames in a second of the slowest reader; NaN if none has any. */
    private double slowestRate() {
        return readers.stream()
                .map(Child::result)
                .filter(Objects::nonNull)
                .mapToDouble(result -> number(result, "fps"))
                .min()
                .orElse(Double.NaN);
    }

    /** The greatest latency of that kind among the readers; NaN if none has any. */
    private double worst(String percentile) {
        return readers.stream()
                .map(Child::latest)
                .filter(latest -> latest != null && latest.has("latency_us"))
                .mapToDouble(latest -> number(latest.getAsJsonObject("latency_us"), percentile))
                .filter(value -> !Double.isNaN(value))
                .max()
                .orElse(Double.NaN);
    }

    private static double number(JsonObject object, String name) {
        JsonElement value = object.get(name);
        return value == null || value.isJsonNull() ? Double.NaN : value.getAsDouble();
    }
}
