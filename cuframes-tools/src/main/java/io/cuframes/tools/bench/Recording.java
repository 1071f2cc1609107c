// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.zip.DataFormatException;
import org.HdrHistogram.Histogram;

/**
 * Durations, nanoseconds, as a histogram of each interval of the run. Recording allocates when an interval begins and at no other time. For one
 * thread; {@link #add(Recording)} once that thread is done.
 */
final class Recording {
    /** Ten minutes; what takes longer counts as this. */
    private static final long LONGEST = 600_000_000_000L;

    private static final int DIGITS = 3;
    private static final int INTERVALS = 600;

    private final long originNanos;
    private final long intervalNanos;
    private final Histogram[] intervals = new Histogram[INTERVALS];

    Recording(long originNanos, long intervalNanos) {
        this.originNanos = originNanos;
        this.intervalNanos = intervalNanos;
    }

    /** For a run that lasts so long: intervals of a second, or of more so that there are not too many. */
    static long intervalFor(double seconds) {
        return (long) (1e9 * Math.max(1, Math.ceil(seconds / 60)));
    }

    /**
     * Adds one.
     *
     * @param now {@link System#nanoTime()} of its end
     * @param nanos how long
     */
    void add(long now, long nanos) {
        int index = (int) Math.min(INTERVALS - 1, Math.max(0, (now - originNanos) / intervalNanos));
        Histogram histogram = intervals[index];
        if (histogram == null) {
            histogram = newHistogram();
            intervals[index] = histogram;
        }
        histogram.recordValue(Math.min(LONGEST, Math.max(1, nanos)));
    }

    static Histogram newHistogram() {
        return new Histogram(1, LONGEST, DIGITS);
    }

    /** Adds what another recording of the same run has. */
    void add(Recording other) {
        for (int i = 0; i < INTERVALS; i++) {
            if (other.intervals[i] == null) {
                continue;
            }
            if (intervals[i] == null) {
                intervals[i] = newHistogram();
            }
            intervals[i].add(other.intervals[i]);
        }
    }

    /** All intervals together. */
    Histogram total() {
        Histogram total = newHistogram();
        for (Histogram interval : intervals) {
            if (interval != null) {
                total.add(interval);
            }
        }
        return total;
    }

    /** What is done with an interval. */
    interface IntervalTaker {
        void take(long beginNanos, long lengthNanos, Histogram histogram);
    }

    /** Gives out the intervals that are not empty, in order, with {@link System#nanoTime()} of their beginning. */
    void forEachInterval(IntervalTaker taker) {
        for (int i = 0; i < INTERVALS; i++) {
            if (intervals[i] != null) {
                taker.take(originNanos + i * intervalNanos, intervalNanos, intervals[i]);
            }
        }
    }

    /** As it travels from process to process. */
    JsonObject toJson() {
        JsonArray all = new JsonArray();
        for (int i = 0; i < INTERVALS; i++) {
            if (intervals[i] != null) {
                ByteBuffer bytes = ByteBuffer.allocate(intervals[i].getNeededByteBufferCapacity());
                int length = intervals[i].encodeIntoCompressedByteBuffer(bytes);
                JsonObject each = new JsonObject();
                each.addProperty("index", i);
                each.addProperty(
                        "histogram",
                        Base64.getEncoder()
                                .encodeToString(ByteBuffer.allocate(length)
                                        .put(bytes.array(), 0, length)
                                        .array()));
                all.add(each);
            }
        }
        JsonObject json = new JsonObject();
        json.addProperty("origin", originNanos);
        json.addProperty("interval", intervalNanos);
        json.add("intervals", all);
        return json;
    }

    static Recording fromJson(JsonObject json) {
        Recording recording = new Recording(
                json.get("origin").getAsLong(), json.get("interval").getAsLong());
        json.getAsJsonArray("intervals").forEach(element -> {
            JsonObject each = element.getAsJsonObject();
            byte[] bytes = Base64.getDecoder().decode(each.get("histogram").getAsString());
            try {
                recording.intervals[each.get("index").getAsInt()] =
                        Histogram.decodeFromCompressedByteBuffer(ByteBuffer.wrap(bytes), LONGEST);
            } catch (DataFormatException e) {
                throw new IllegalArgumentException("a histogram that cannot be read", e);
            }
        });
        return recording;
    }
}
