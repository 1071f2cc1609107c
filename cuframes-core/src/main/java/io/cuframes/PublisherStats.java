// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.List;
import java.util.Objects;

/**
 * How a publisher does, and who reads it. Immutable.
 *
 * @param key the stream's name
 * @param epoch names this incarnation of the stream; random, not 0
 * @param transport where the pixels live
 * @param policy what happens when a slot is needed that a strict subscriber has not read
 * @param format the geometry of every frame
 * @param slots slots of the ring
 * @param uptimeNanos nanoseconds since the publisher was opened, until it was closed
 * @param published frames published, those included whose pixels a GPU has yet to finish
 * @param announced frames published that are complete, so that readers have them; at most {@code published}
 * @param damaged frames published that are marked as damaged ({@link WritableFrame#damaged})
 * @param dropped frames that found every slot leased
 * @param refused frames that were refused because a strict subscriber had not read the oldest one
 * @param stalled strict subscribers that are no longer waited for, ever
 * @param leasedSlots slots that some subscriber reads now
 * @param subscribers those that are connected and have begun to read, in the order in which they came
 */
public record PublisherStats(
        String key,
        long epoch,
        Transport transport,
        PublishPolicy policy,
        FrameFormat format,
        int slots,
        long uptimeNanos,
        long published,
        long announced,
        long damaged,
        long dropped,
        long refused,
        long stalled,
        int leasedSlots,
        List<SubscriberLag> subscribers) {
    /** Nothing is null; makes a defensive copy of the subscribers. */
    public PublisherStats {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(transport, "transport");
        Objects.requireNonNull(policy, "policy");
        Objects.requireNonNull(format, "format");
        subscribers = List.copyOf(subscribers);
    }

    /**
     * The same as a JSON object in one line, to be sent as a health report:
     * {@code mqtt.publish("cameras/cam1/health", publisher.stats().toJson().getBytes(UTF_8), 0, true)}.
     *
     * <p>Members keep their names in later versions: {@code key}, {@code epoch} (16 hexadecimal digits, since it exceeds what a JSON number holds in
     * most readers), {@code transport}, {@code policy}, {@code format} with {@code pixel_format}, {@code width_px} and {@code height_px}, {@code slots},
     * {@code uptime_ns}, {@code published_frames}, {@code announced_frames}, {@code damaged_frames}, {@code dropped_frames}, {@code refused_frames},
     * {@code stalled_subscribers}, {@code leased_slots}, and {@code subscribers}, an array of objects with {@code number}, {@code name}, {@code pid},
     * {@code mode}, {@code cursor_seq}, {@code lag_frames}, {@code held_leases}, {@code held_ns}, {@code received_frames}, {@code missed_frames}, {@code timeouts},
     * {@code waiting} and {@code stalled}.
     *
     * @return JSON without line breaks
     */
    public String toJson() {
        JsonObject json = new JsonObject();
        json.addProperty("key", key);
        json.addProperty("epoch", Cuframes.epochText(epoch));
        json.addProperty("transport", transport.name());
        json.addProperty("policy", policy.name());
        json.add("format", formatJson());
        json.addProperty("slots", slots);
        json.addProperty("uptime_ns", uptimeNanos);
        json.addProperty("published_frames", published);
        json.addProperty("announced_frames", announced);
        json.addProperty("damaged_frames", damaged);
        json.addProperty("dropped_frames", dropped);
        json.addProperty("refused_frames", refused);
        json.addProperty("stalled_subscribers", stalled);
        json.addProperty("leased_slots", leasedSlots);
        JsonArray readers = new JsonArray();
        subscribers.forEach(subscriber -> readers.add(subscriber.json()));
        json.add("subscribers", readers);
        return json.toString();
    }

    /** As {@link #toJson()}. */
    @Override
    public String toString() {
        return toJson();
    }

    private JsonObject formatJson() {
        JsonObject json = new JsonObject();
        json.addProperty("pixel_format", format.pixelFormat().name());
        json.addProperty("width_px", format.width());
        json.addProperty("height_px", format.height());
        return json;
    }
}
