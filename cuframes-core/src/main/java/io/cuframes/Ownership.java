// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import org.jspecify.annotations.Nullable;

/** Who made the buffers that are the slots of a ring. Immutable. */
public enum Ownership {
    /** The publisher allocates the ring and frees it. */
    LIBRARY(1),
    /** The application registered its own buffers, and frees them after the publisher is closed. */
    EXTERNAL(2);

    private final int code;

    Ownership(int code) {
        this.code = code;
    }

    /**
     * The ownership's number in the protocol.
     *
     * @return its code
     */
    public int code() {
        return code;
    }

    /**
     * Finds an ownership by its number.
     *
     * @param code as in the protocol
     * @return the ownership, or null if this version knows none by that number
     */
    public static @Nullable Ownership ofCode(int code) {
        return switch (code) {
            case 1 -> LIBRARY;
            case 2 -> EXTERNAL;
            default -> null;
        };
    }
}
