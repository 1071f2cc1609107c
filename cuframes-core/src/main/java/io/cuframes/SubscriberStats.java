// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import com.google.gson.JsonObject;
import java.util.Objects;

/**
 * How a subscriber does: what it has counted since it was opened, over all epochs, and what it holds now. Immutable.
 *
 * @param key the stream's name
 * @param epoch the publisher's incarnation that was connected last; random, not 0
 * @param transport where its pixels live
 * @param mode which frames the subscriber asks for
 * @param connected whether there is a publisher, as far as {@link Subscriber#next} has seen
 * @param uptimeNanos nanoseconds since the subscriber was opened, until it was closed
 * @param received frames given
 * @param damaged frames given that the publisher marked as damaged ({@link Frame#isDamaged})
 * @param missed frames published and never given: skipped in newest mode, lost in strict mode
 * @param gaps times that frames were missed between two that were given
 * @param timeouts times that {@link Subscriber#next} gave null because its time was over
 * @param errors exceptions, those of CUDA among them, that {@link Subscriber#next}, {@link Frame#copyTo}, {@link Frame#close} and
 *     {@link Frame#closeOn} threw, or that a tensor's consumer caused as it gave it back; that a publisher is gone does not count
 * @param lastSeq number of the last frame given, within its epoch; 0 before the first
 * @param lastPtsNanos its presentation time, nanoseconds; 0 before the first
 * @param lag frames that the connected publisher has published and this subscriber has not been given yet; 0 without a publisher
 * @param heldLeases frames held: not closed, kept by something exported, or yet to be let go by a GPU
 * @param reconnects publishers found after the first
 * @param lastFrameAgeNanos nanoseconds since the last frame was given; -1 before the first
 * @param publisherStalledNanos nanoseconds for which the connected publisher has published nothing, once that is {@link
 *     Subscriber.Builder#stallAfter} or more; 0 otherwise
 * @param latency from the publish call to the frame's being given
 */
public record SubscriberStats(
        String key,
        long epoch,
        Transport transport,
        SubscriberMode mode,
        boolean connected,
        long uptimeNanos,
        long received,
        long damaged,
        long missed,
        long gaps,
        long timeouts,
        long errors,
        long lastSeq,
        long lastPtsNanos,
        long lag,
        int heldLeases,
        int reconnects,
        long lastFrameAgeNanos,
        long publisherStalledNanos,
        LatencyStats latency) {
    /** Nothing is null. */
    public SubscriberStats {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(transport, "transport");
        Objects.requireNonNull(mode, "mode");
        Objects.requireNonNull(latency, "latency");
    }

    /**
     * The same as a JSON object in one line, to be sent as a health report:
     * {@code mqtt.publish("cameras/cam1/health", subscriber.stats().toJson().getBytes(UTF_8), 0, true)}.
     *
     * <p>Members keep their names in later versions: {@code key}, {@code epoch} (16 hexadecimal digits, since it exceeds what a JSON number holds in
     * most readers), {@code transport}, {@code mode}, {@code connected}, {@code uptime_ns}, {@code received_frames}, {@code damaged_frames}, {@code missed_frames},
     * {@code gaps}, {@code timeouts}, {@code errors}, {@code last_seq}, {@code last_pts_ns}, {@code lag_frames}, {@code held_leases}, {@code reconnects},
     * {@code last_frame_age_ns}, {@code publisher_stalled_ns} and {@code latency_ns} with {@code count}, {@code min}, {@code mean}, {@code p50}, {@code p90}, {@code p99},
     * {@code p999} and {@code max}. Before the first frame {@code last_seq}, {@code last_pts_ns} and {@code last_frame_age_ns} are null.
     *
     * @return JSON without line breaks
     */
    public String toJson() {
        boolean any = lastSeq > 0;
        JsonObject json = new JsonObject();
        json.addProperty("key", key);
        json.addProperty("epoch", Cuframes.epochText(epoch));
        json.addProperty("transport", transport.name());
        json.addProperty("mode", mode.name());
        json.addProperty("connected", connected);
        json.addProperty("uptime_ns", uptimeNanos);
        json.addProperty("received_frames", received);
        json.addProperty("damaged_frames", damaged);
        json.addProperty("missed_frames", missed);
        json.addProperty("gaps", gaps);
        json.addProperty("timeouts", timeouts);
        json.addProperty("errors", errors);
        json.addProperty("last_seq", any ? lastSeq : null);
        json.addProperty("last_pts_ns", any ? lastPtsNanos : null);
        json.addProperty("lag_frames", lag);
        json.addProperty("held_leases", heldLeases);
        json.addProperty("reconnects", reconnects);
        json.addProperty("last_frame_age_ns", any ? lastFrameAgeNanos : null);
        json.addProperty("publisher_stalled_ns", publisherStalledNanos);
        json.add("latency_ns", latency.json());
        return json.toString();
    }

    /** As {@link #toJson()}. */
    @Override
    public String toString() {
        return toJson();
    }
}
