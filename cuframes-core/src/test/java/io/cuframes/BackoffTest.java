// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The waits between attempts to connect. */
class BackoffTest {
    private static long millisBefore(Backoff backoff, int attempt) {
        return backoff.nanosBefore(attempt) / 1_000_000;
    }

    @Test
    void waitsGrowUpToTheLongest() {
        long[] waits = IntStream.rangeClosed(1, 9)
                .mapToLong(attempt -> millisBefore(Backoff.DEFAULT, attempt))
                .toArray();
        assertEquals("[20, 40, 80, 160, 320, 640, 1280, 2000, 2000]", Arrays.toString(waits));
        assertEquals(2000, millisBefore(Backoff.DEFAULT, Integer.MAX_VALUE));
    }

    @Test
    void aBrokenMultiplierCounts() {
        Backoff backoff = new Backoff(Duration.ofMillis(100), 1.5, Duration.ofSeconds(1), Backoff.UNLIMITED);
        assertEquals(100, millisBefore(backoff, 1));
        assertEquals(150, millisBefore(backoff, 2));
        assertEquals(225, millisBefore(backoff, 3));
    }

    @Test
    void everyWaitsTheSame() {
        Backoff backoff = Backoff.every(Duration.ofMillis(7));
        assertEquals(7, millisBefore(backoff, 1));
        assertEquals(7, millisBefore(backoff, 1000));
    }

    @Test
    void theFirstAttemptMayComeAtOnceAndTheOthersDoNotSpin() {
        Backoff backoff = Backoff.every(Duration.ZERO);
        assertEquals(0, backoff.nanosBefore(1));
        assertEquals(1, millisBefore(backoff, 2));
        assertEquals(0, new Backoff(Duration.ZERO, Double.POSITIVE_INFINITY, Duration.ofDays(1), 1).nanosBefore(1));
    }

    @Test
    void waitsBeyondTheClockAreTheLongestThereIs() {
        Backoff backoff = Backoff.every(ChronoUnit.FOREVER.getDuration());
        assertEquals(Long.MAX_VALUE, backoff.nanosBefore(1));
        assertEquals(Long.MAX_VALUE, backoff.nanosBefore(100));
    }

    @Test
    void nonsenseIsRefused() {
        Duration second = Duration.ofSeconds(1);
        assertInvalid(Duration.ofMillis(-1), 2, second, 1);
        assertInvalid(second, 0.9, second, 1);
        assertInvalid(second, Double.NaN, second, 1);
        assertInvalid(second, 2, Duration.ofMillis(999), 1);
        assertInvalid(second, 2, second, 0);
        assertThrows(CuframesException.class, () -> Backoff.DEFAULT.giveUpAfter(0));
        assertThrows(NullPointerException.class, () -> Backoff.every(null));
    }

    private static void assertInvalid(Duration initial, double multiplier, Duration longest, int attempts) {
        assertEquals(
                ErrorCode.INVALID_ARGUMENT,
                assertThrows(CuframesException.class, () -> new Backoff(initial, multiplier, longest, attempts))
                        .code());
    }
}
