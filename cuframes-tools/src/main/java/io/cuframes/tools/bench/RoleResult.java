// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import com.google.gson.JsonObject;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;

/** What a process of a case has measured. For one thread. */
final class RoleResult {
    /** The durations that are recorded. */
    enum What {
        /** From before the frame is written to its being usable by the reader. */
        LATENCY,
        /** From the call of publish() to the return of next(). */
        NOTICE,
        /** The caller's time in publish(). */
        PUBLISH,
        /** The caller's time in acquire(). */
        ACQUIRE
    }

    private final long intervalNanos;
    private final long originNanos;
    private final Map<What, Recording> recordings = new EnumMap<>(What.class);

    /** Frames counted. */
    long frames;

    /** Frames that the writer found no slot for, because readers held them all. */
    long dropped;

    /** Frames whose pixels were not those of their number. */
    long wrong;

    /** CPU time of the process while frames were counted, ns. */
    long cpuNanos;

    /** What of it was spent waiting until the next frame was due, ns. */
    long spunNanos;

    RoleResult(RoleSpec spec) {
        this(spec.originNanos(), Recording.intervalFor((double) spec.total() / spec.rate()));
    }

    private RoleResult(long originNanos, long intervalNanos) {
        this.originNanos = originNanos;
        this.intervalNanos = intervalNanos;
    }

    Recording recording(What what) {
        return recordings.computeIfAbsent(what, key -> new Recording(originNanos, intervalNanos));
    }

    /** Null if nothing of the kind was recorded. */
    Recording recorded(What what) {
        return recordings.get(what);
    }

    /** Adds another thread's, or another process's. */
    void add(RoleResult other) {
        other.recordings.forEach((what, recording) -> recording(what).add(recording));
        frames += other.frames;
        dropped += other.dropped;
        wrong += other.wrong;
        cpuNanos += other.cpuNanos;
        spunNanos += other.spunNanos;
    }

    JsonObject toJson() {
        JsonObject json = new JsonObject();
        json.addProperty("origin", originNanos);
        json.addProperty("interval", intervalNanos);
        json.addProperty("frames", frames);
        json.addProperty("dropped", dropped);
        json.addProperty("wrong", wrong);
        json.addProperty("cpu", cpuNanos);
        json.addProperty("spun", spunNanos);
        JsonObject all = new JsonObject();
        recordings.forEach((what, recording) -> all.add(what.name(), recording.toJson()));
        json.add("recordings", all);
        return json;
    }

    static RoleResult fromJson(JsonObject json) {
        RoleResult result = new RoleResult(
                json.get("origin").getAsLong(), json.get("interval").getAsLong());
        result.frames = json.get("frames").getAsLong();
        result.dropped = json.get("dropped").getAsLong();
        result.wrong = json.get("wrong").getAsLong();
        result.cpuNanos = json.get("cpu").getAsLong();
        result.spunNanos = json.get("spun").getAsLong();
        JsonObject all = json.getAsJsonObject("recordings");
        for (String what : all.keySet()) {
            result.recordings.put(What.valueOf(what), Recording.fromJson(all.getAsJsonObject(what)));
        }
        return result;
    }

    /** CPU time of this process until now, in the kernel's ticks of 10 ms, ns. */
    static long cpuNow() {
        return ProcessHandle.current()
                .info()
                .totalCpuDuration()
                .orElse(Duration.ZERO)
                .toNanos();
    }
}
