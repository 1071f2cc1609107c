// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import java.util.List;

/** Processes in a time namespace of their own, whose monotonic clock is ahead of everybody else's. */
public final class ShiftedClock {
    /** Eleven days, as if the host had run for that much longer. */
    public static final long SECONDS = 1_000_000;

    private ShiftedClock() {}

    /** What starts such a process, for {@link Child#startBy}. */
    public static List<String> program() {
        Needs.root("shift the clock of a time namespace");
        Needs.program("unshare", "util-linux");
        return List.of("unshare", "--time", "--monotonic", Long.toString(SECONDS));
    }
}
