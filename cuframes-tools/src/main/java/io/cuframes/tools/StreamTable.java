// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.internal.connect.Observation;
import io.cuframes.internal.connect.Sighting;
import io.cuframes.internal.connect.StreamSearch;
import io.cuframes.internal.protocol.DeviceUuid;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The streams that were found at two looks, as a table for people and as JSON. */
final class StreamTable {
    /** From which age of the newest frame on a stream is called stalled, unless the interval is longer. */
    private static final Duration STALLED_AFTER = Duration.ofSeconds(2);

    private static final List<String> HEADINGS =
            List.of("KEY", "STATE", "SIZE", "FORMAT", "TRANSPORT", "DEVICE", "FPS", "SLOTS", "SUBSCRIBERS");

    private static final String GAP = "  ";

    private final StreamSearch.Result before;
    private final StreamSearch.Result now;
    private final long stalledNanos;
    private final boolean measured;

    /**
     * Of two looks.
     *
     * @param before the first; the second once more where there was one only
     * @param now the second
     * @param interval between the two; zero where there was one
     */
    StreamTable(StreamSearch.Result before, StreamSearch.Result now, Duration interval) {
        this.before = before;
        this.now = now;
        this.measured = !interval.isZero();
        this.stalledNanos = Math.max(STALLED_AFTER.toNanos(), interval.toNanos());
    }

    /** Whether nothing was found, and nowhere could be looked. */
    boolean isBlind() {
        return now.streams().isEmpty()
                && now.places().stream().noneMatch(place -> place.remedy().isEmpty());
    }

    private String state(Sighting sighting) {
        if (sighting.standing() != Sighting.Standing.SEEN) {
            return switch (sighting.standing()) {
                case OTHER_VERSION -> "version";
                default -> Words.of(sighting.standing());
            };
        }
        Observation stream = sighting.observation();
        if (stream.ended()) {
            return "ended";
        }
        if (stream.idle()) {
            return "idle";
        }
        return stillFor(sighting) > stalledNanos ? "stalled" : "live";
    }

    /** How long there has been no new frame, nanoseconds: since the stream began where there was none. */
    private long stillFor(Sighting sighting) {
        Observation stream = sighting.observation();
        if (stream.ageNanos() >= 0) {
            return stream.ageNanos();
        }
        if (stream.counts().published() > 0) {
            return 0; // the newest was being replaced as we looked
        }
        return Math.max(0, System.currentTimeMillis() * 1_000_000 - stream.createdNanos());
    }

    /** Frames per second; NaN where that is not known. */
    private double rate(Sighting sighting) {
        if (sighting.standing() != Sighting.Standing.SEEN) {
            return Double.NaN;
        }
        if (!measured) {
            return sighting.observation().ringRate();
        }
        return before.streams().stream()
                .filter(each -> each.standing() == Sighting.Standing.SEEN
                        && each.socket().equals(sighting.socket()))
                .mapToDouble(each -> sighting.observation().rateSince(each.observation()))
                .findFirst()
                .orElse(Double.NaN);
    }

    /** The table, a line below each stream for each of its subscribers or for what is wrong with it, and what was not looked into. */
    String text() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(HEADINGS);
        now.streams().forEach(each -> rows.add(row(each)));
        int[] widths = new int[HEADINGS.size()];
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        List<String> lines = new ArrayList<>();
        if (now.streams().isEmpty()) {
            lines.add("no streams in "
                    + now.places().stream()
                            .map(place -> place.directory().toString())
                            .collect(Collectors.joining(", ")));
        } else {
            lines.add(line(rows.get(0), widths));
        }
        for (int i = 0; i < now.streams().size(); i++) {
            lines.add(line(rows.get(i + 1), widths));
            lines.addAll(below(now.streams().get(i)));
        }
        for (StreamSearch.Look place : now.places()) {
            if (!place.remedy().isEmpty()) {
                lines.add(place.directory() + " " + place.trouble());
                lines.add(GAP + "-> " + place.remedy());
            }
        }
        return String.join("\n", lines);
    }

    private static String line(List<String> row, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < row.size(); i++) {
            line.append(row.get(i))
                    .append(" ".repeat(widths[i] - row.get(i).length()))
                    .append(GAP);
        }
        return line.toString().stripTrailing();
    }

    private List<String> row(Sighting sighting) {
        String key = sighting.key().name();
        if (sighting.standing() != Sighting.Standing.SEEN) {
            return List.of(key, state(sighting), "-", "-", "-", "-", "-", "-", "-");
        }
        Observation stream = sighting.observation();
        Observation.Shape shape = stream.shape();
        double rate = rate(sighting);
        return List.of(
                key,
                state(sighting),
                shape.width() + "x" + shape.height(),
                shape.pixelFormat(),
                Words.of(shape.transport()),
                shape.device().equals(DeviceUuid.NONE)
                        ? "-"
                        : shape.device().toString().substring(0, "GPU-".length() + 8), // as nvidia-smi takes it
                Double.isNaN(rate) ? "-" : String.format(Locale.ROOT, "%.1f", rate),
                stream.slotsInUse() + "/" + shape.slots(),
                stream.readers().size() + "/" + stream.maxSubscribers());
    }

    private List<String> below(Sighting sighting) {
        List<String> lines = new ArrayList<>();
        if (sighting.standing() != Sighting.Standing.SEEN) {
            String where = sighting.socket() == null ? "" : sighting.socket() + " ";
            lines.add(GAP + where + sighting.found());
            lines.add(GAP + "-> " + sighting.remedy());
            return lines;
        }
        Observation stream = sighting.observation();
        if (state(sighting).equals("stalled")) {
            lines.add(GAP
                    + (stream.counts().published() == 0 ? "no frame since it began, " : "no new frame for ")
                    + stillFor(sighting) / 1_000_000_000 + " s"
                    + (stream.counts().published() == 0 ? " ago" : ""));
        }
        if (stream.counts().damaged() > 0) {
            lines.add(GAP + stream.counts().damaged() + " of " + stream.counts().published()
                    + " frames published are damaged: their pixels may be wrong");
        }
        for (Observation.Reader reader : stream.readers()) {
            lines.add(GAP + reader.number() + " " + (reader.name().isEmpty() ? "(no name)" : reader.name())
                    + ", process " + (reader.pid() == 0 ? "of another namespace" : Integer.toString(reader.pid()))
                    + ", " + Words.of(reader.mode()) + ": "
                    + (reader.ready()
                            ? "lag " + stream.lag(reader) + ", held " + held(reader)
                                    + ", received " + reader.received() + ", missed " + reader.missed()
                                    + elsewhere(stream, reader)
                                    + (reader.stalled() ? ", STALLED: waited for no longer" : "")
                            : "connected, not reading yet"));
        }
        return lines;
    }

    /** On which GPU it reads, where that is not the ring's. */
    private static String elsewhere(Observation stream, Observation.Reader reader) {
        boolean own = reader.device().equals(stream.shape().device())
                || reader.device().equals(DeviceUuid.NONE);
        return own ? "" : ", reads on " + reader.device();
    }

    /** How many frames, and how long ago the oldest of them was published. */
    private static String held(Observation.Reader reader) {
        int frames = Long.bitCount(reader.leasedSlots());
        return frames == 0 ? "0" : String.format(Locale.ROOT, "%d (%.1f s)", frames, reader.heldNanos() / 1e9);
    }

    /** Everything, with names that stay. */
    JsonLine json() {
        JsonLine json = JsonLine.begin().beginArray("streams");
        now.streams().forEach(each -> json.element(json(each).toString()));
        json.endArray().beginArray("places");
        for (StreamSearch.Look place : now.places()) {
            json.element(JsonLine.begin()
                    .put("directory", place.directory().toString())
                    .put("trouble", place.trouble())
                    .put("remedy", place.remedy())
                    .end()
                    .toString());
        }
        return json.endArray().end();
    }

    private JsonLine json(Sighting sighting) {
        JsonLine json = JsonLine.begin()
                .put("key", sighting.key().name())
                .put("state", state(sighting))
                .put(
                        "socket",
                        sighting.socket() == null ? "" : sighting.socket().toString())
                .put("found", sighting.found())
                .put("remedy", sighting.remedy());
        if (sighting.listener() != null) {
            json.put("pid", sighting.listener().pid())
                    .put("uid", sighting.listener().uid());
        }
        return sighting.standing() == Sighting.Standing.SEEN
                ? addStream(json, sighting).end()
                : json.end();
    }

    private JsonLine addStream(JsonLine json, Sighting sighting) {
        Observation stream = sighting.observation();
        Observation.Shape shape = stream.shape();
        json.put("epoch", io.cuframes.Cuframes.epochText(stream.epoch()))
                .put("width", shape.width())
                .put("height", shape.height())
                .put("format", shape.pixelFormat())
                .put("transport", shape.transport().name())
                .put(
                        "device",
                        shape.device().equals(DeviceUuid.NONE)
                                ? ""
                                : shape.device().toString())
                .put("policy", shape.policy().name())
                .put("ownership", shape.ownership().name())
                .put("frame_bytes", shape.frameBytes())
                .put("ring_bytes", shape.ringBytes())
                .putTenths("fps", rate(sighting))
                .putTenths("newest_age_ms", stream.ageNanos() < 0 ? Double.NaN : stream.ageNanos() / 1e6)
                .put("published_frames", stream.counts().published())
                .put("damaged_frames", stream.counts().damaged())
                .put("dropped_frames", stream.counts().dropped())
                .put("refused_frames", stream.counts().refused())
                .put("stalled_subscribers", stream.counts().stalled())
                .put("slots", shape.slots())
                .put("slots_in_use", stream.slotsInUse())
                .put("max_subscribers", stream.maxSubscribers())
                .put("max_leases", stream.maxLeases())
                .beginArray("subscribers");
        stream.readers().forEach(reader -> json.element(json(stream, reader).toString()));
        return json.endArray();
    }

    private static JsonLine json(Observation stream, Observation.Reader reader) {
        return JsonLine.begin()
                .put("number", reader.number())
                .put("name", reader.name())
                .put("pid", reader.pid())
                .put("mode", reader.mode().name())
                .put("reading", reader.ready())
                .put("lag_frames", stream.lag(reader))
                .put("held_leases", Long.bitCount(reader.leasedSlots()))
                .put("held_ms", reader.heldNanos() / 1_000_000)
                .put("received_frames", reader.received())
                .put("missed_frames", reader.missed())
                .put("timeouts", reader.timeouts())
                .put("waiting", reader.waiting())
                .put("stalled", reader.stalled())
                .put(
                        "device",
                        reader.device().equals(DeviceUuid.NONE)
                                ? null
                                : reader.device().toString())
                .end();
    }
}
