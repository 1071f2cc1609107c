// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** Waits double from half a second to ten. */
class BackoffTest {
    @Test
    void doublesUpToTheLongest() {
        Backoff backoff = new Backoff(Backoff.LONGEST);
        for (long millis : new long[] {500, 1000, 2000, 4000, 8000, 10_000, 10_000}) {
            assertEquals(millis, backoff.next().toMillis());
        }
        backoff.reset();
        assertEquals(500, backoff.next().toMillis());
    }
}
