// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

/** Which frames a subscriber is given. Immutable. */
public enum SubscriberMode {
    /** The newest frame there is; those in between are skipped. */
    NEWEST_ONLY(1),
    /** Every frame, in order; a reader that falls behind by more than the ring is told how many it missed. */
    STRICT_ORDER(2);

    private final int code;

    SubscriberMode(int code) {
        this.code = code;
    }

    /**
     * The mode's number in the protocol.
     *
     * @return its code
     */
    public int code() {
        return code;
    }
}
