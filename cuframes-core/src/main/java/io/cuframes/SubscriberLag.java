// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import com.google.gson.JsonObject;
import java.util.Objects;

/**
 * One subscriber as its publisher sees it. Immutable. What the subscriber says of itself is brought into the range that makes sense, and not
 * trusted beyond that.
 *
 * @param number that the publisher gave it, from 1, not used again within an epoch
 * @param name what it calls itself, printable ASCII; may be empty
 * @param pid its process id, as the kernel tells the publisher; 0 where it is in a pid namespace that the publisher does not see
 * @param mode which frames it asks for
 * @param cursor the {@code seq} of the frame it took last, or that it begins after; at most the publisher's
 * @param lag frames published after that; never negative
 * @param heldLeases slots that it reads now
 * @param received frames it was given, in this epoch
 * @param missed frames it was never given, in this epoch
 * @param timeouts times its {@link Subscriber#next} ended without a frame, in this epoch
 * @param waiting whether it sleeps until the next frame
 * @param stalled whether the publisher has given it up: it is strict, kept the publisher from a slot for the grace period, and is waited for no longer
 * @param heldNanos nanoseconds since the oldest of the frames that it reads now was published; 0 if it reads none
 */
public record SubscriberLag(
        int number,
        String name,
        int pid,
        SubscriberMode mode,
        long cursor,
        long lag,
        int heldLeases,
        long received,
        long missed,
        long timeouts,
        boolean waiting,
        boolean stalled,
        long heldNanos) {
    /** Nothing is null. */
    public SubscriberLag {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(mode, "mode");
    }

    JsonObject json() {
        JsonObject json = new JsonObject();
        json.addProperty("number", number);
        json.addProperty("name", name);
        json.addProperty("pid", pid);
        json.addProperty("mode", mode.name());
        json.addProperty("cursor_seq", cursor);
        json.addProperty("lag_frames", lag);
        json.addProperty("held_leases", heldLeases);
        json.addProperty("held_ns", heldNanos);
        json.addProperty("received_frames", received);
        json.addProperty("missed_frames", missed);
        json.addProperty("timeouts", timeouts);
        json.addProperty("waiting", waiting);
        json.addProperty("stalled", stalled);
        return json;
    }
}
