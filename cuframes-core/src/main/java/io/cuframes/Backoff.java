// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * How long to wait between attempts to connect: {@code initial}, then {@code multiplier} times as long at each further attempt, {@code
 * longest} at most, and between two attempts a millisecond at least. Immutable.
 *
 * @param initial before the first attempt; not negative
 * @param multiplier at least 1
 * @param longest at least {@code initial}
 * @param maxAttempts after which to give up; {@link #UNLIMITED} for never
 */
public record Backoff(Duration initial, double multiplier, Duration longest, int maxAttempts) {
    /** Never give up. */
    public static final int UNLIMITED = Integer.MAX_VALUE;

    private static final long LEAST_NANOS = 1_000_000;

    /** 20 ms, doubled up to 2 s, without end: a publisher that is started again by a supervisor is found within moments. */
    public static final Backoff DEFAULT = new Backoff(Duration.ofMillis(20), 2, Duration.ofSeconds(2), UNLIMITED);

    /**
     * Checks the numbers.
     *
     * @throws CuframesException code INVALID_ARGUMENT if one is out of range
     */
    public Backoff {
        Objects.requireNonNull(initial, "initial");
        Objects.requireNonNull(longest, "longest");
        if (initial.isNegative() || !(multiplier >= 1) || longest.compareTo(initial) < 0 || maxAttempts < 1) {
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT,
                    "backoff from " + initial + " times " + multiplier + " up to " + longest + ", " + maxAttempts
                            + " attempts: the first must not be negative, the multiplier at least 1, the longest not less"
                            + " than the first, and there must be an attempt");
        }
    }

    /**
     * The same wait before each attempt, without end.
     *
     * @param wait not negative
     * @return the backoff
     */
    public static Backoff every(Duration wait) {
        return new Backoff(wait, 1, wait, UNLIMITED);
    }

    /**
     * The same waits, given up after a number of attempts.
     *
     * @param attempts at least 1
     * @return the backoff
     */
    public Backoff giveUpAfter(int attempts) {
        return new Backoff(initial, multiplier, longest, attempts);
    }

    /**
     * The wait before an attempt.
     *
     * @param attempt its number, from 1
     * @return nanoseconds
     */
    long nanosBefore(int attempt) {
        double nanos = nanos(initial) * Math.pow(multiplier, attempt - 1.0);
        long wait = Math.min((long) nanos, nanos(longest)); // a cast of what is too large gives the largest long
        return attempt == 1 ? wait : Math.max(wait, LEAST_NANOS);
    }

    /** The largest long for what is longer than 292 years. */
    private static long nanos(Duration duration) {
        return TimeUnit.NANOSECONDS.convert(duration);
    }
}
