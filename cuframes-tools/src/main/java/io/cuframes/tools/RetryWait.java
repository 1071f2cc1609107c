// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import java.time.Duration;

/** How long to wait before the next attempt at what failed: as {@code VideoSource.Builder.reconnect} has it. Not thread-safe. */
final class RetryWait {
    private static final Duration FIRST = Duration.ofMillis(500);
    private static final Duration LONGEST = Duration.ofSeconds(10);

    private Duration next = FIRST;

    /** The wait before the next attempt; doubled from one to the next. */
    Duration next() {
        Duration wait = next;
        Duration doubled = wait.multipliedBy(2);
        next = doubled.compareTo(LONGEST) < 0 ? doubled : LONGEST;
        return wait;
    }
}
