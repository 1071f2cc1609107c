// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import org.jspecify.annotations.Nullable;

/**
 * What a publisher does when the next frame needs a slot that a strict subscriber has not read yet. No policy waits for a subscriber that does not
 * move: see {@link Publisher.Builder#gracePeriod}. Subscribers of the newest frame never hold up a publisher. Immutable.
 */
public enum PublishPolicy {
    /** Take the oldest frame's slot: a subscriber that falls behind misses frames. Never waits. The default. */
    DROP_OLDEST(1),
    /** Refuse the new frame: what strict subscribers have yet to read stays. Never waits. */
    DROP_NEWEST(2),
    /** Wait for strict subscribers, with a timeout, and refuse the new frame when it is over. */
    STRICT_WAIT(3);

    private final int code;

    PublishPolicy(int code) {
        this.code = code;
    }

    /**
     * The policy's number in the protocol.
     *
     * @return its code
     */
    public int code() {
        return code;
    }

    /**
     * Finds a policy by its number.
     *
     * @param code as in the protocol
     * @return the policy, or null if this version knows none by that number
     */
    public static @Nullable PublishPolicy ofCode(int code) {
        return switch (code) {
            case 1 -> DROP_OLDEST;
            case 2 -> DROP_NEWEST;
            case 3 -> STRICT_WAIT;
            default -> null;
        };
    }
}
