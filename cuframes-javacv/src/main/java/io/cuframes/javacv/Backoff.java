// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.time.Duration;

/** How long to wait before the next attempt: the first wait, doubled each time up to the longest. Not thread-safe. */
final class Backoff {
    static final Duration FIRST = Duration.ofMillis(500);
    static final Duration LONGEST = Duration.ofSeconds(10);

    private final Duration longest;
    private Duration next = FIRST;

    Backoff(Duration longest) {
        this.longest = longest;
    }

    Duration next() {
        Duration wait = next;
        Duration doubled = wait.multipliedBy(2);
        next = doubled.compareTo(longest) < 0 ? doubled : longest;
        return wait;
    }

    void reset() {
        next = FIRST;
    }
}
