// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The demo's table: a row for each process. */
final class DemoTable {
    private static final String HEADING = String.format(
            Locale.ROOT, "%-14s %7s %8s %6s %6s %10s %10s", "", "fps", "frames", "gaps", "torn", "p50 us", "p99 us");

    private final Demo.Plan plan;
    private final Child source;
    private final List<Child> readers;

    DemoTable(Demo.Plan plan, Child source, List<Child> readers) {
        this.plan = plan;
        this.source = source;
        this.readers = readers;
    }

    /** The table where it can be rewritten in place, else one line. */
    String[] live() {
        return Console.standardError().isTerminal() ? lines() : new String[] {summary()};
    }

    String[] lines() {
        List<String> lines = new ArrayList<>();
        lines.add(HEADING);
        lines.add(sourceRow());
        readers.forEach(reader -> lines.add(readerRow(reader)));
        return lines.toArray(String[]::new);
    }

    private String sourceRow() {
        JsonObject latest = source.latest();
        if (latest == null) {
            return String.format(Locale.ROOT, "%-14s %s", source.name(), "starting");
        }
        String row = String.format(Locale.ROOT, "%-14s %7s %8s", source.name(), rate(), number(latest, "frames"));
        String decoder =
                latest.has("decoder") ? ", decoded by " + latest.get("decoder").getAsString() : "";
        return row + "   dropped " + number(latest, "dropped") + ", through "
                + latest.get("transport").getAsString() + decoder;
    }

    /** The latest rate, not that of the whole run: that begins with what the source had buffered while it looked at the stream. */
    private String rate() {
        JsonObject progress = source.progress();
        return progress == null ? "-" : number(progress, "fps");
    }

    private static String readerRow(Child reader) {
        JsonObject latest = reader.latest();
        if (latest == null) {
            return String.format(Locale.ROOT, "%-14s %s", reader.name(), "starting");
        }
        if (!latest.has("frames") || latest.get("frames").getAsLong() == 0) {
            return String.format(Locale.ROOT, "%-14s %s", reader.name(), "warming up");
        }
        JsonObject latency = latest.getAsJsonObject("latency_us");
        return String.format(
                Locale.ROOT,
                "%-14s %7s %8s %6s %6s %10s %10s",
                reader.name(),
                number(latest, "fps"),
                number(latest, "frames"),
                number(latest, "gaps"),
                number(latest, "torn"),
                number(latency, "p50"),
                number(latency, "p99"));
    }

    private static String number(JsonObject object, String name) {
        JsonElement value = object.get(name);
        return value == null || value.isJsonNull() ? "-" : value.getAsString();
    }

    private String summary() {
        List<String> frames = new ArrayList<>();
        long gaps = 0;
        long torn = 0;
        for (Child reader : readers) {
            JsonObject latest = reader.latest();
            boolean counts = latest != null && latest.has("frames");
            frames.add(counts ? number(latest, "frames") : "starting");
            gaps += counts ? latest.get("gaps").getAsLong() : 0;
            torn += counts ? latest.get("torn").getAsLong() : 0;
        }
        JsonObject latest = source.latest();
        return "demo: source " + (latest == null ? "starting" : "at " + number(latest, "fps") + " fps") + "; frames "
                + String.join(", ", frames) + " of " + plan.frames() + "; gaps " + gaps + ", torn " + torn;
    }
}
