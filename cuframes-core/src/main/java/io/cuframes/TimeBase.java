// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import java.math.BigInteger;

/**
 * How long a tick of a source's timestamps is: {@code numerator / denominator} seconds, as FFmpeg's {@code AVRational} time base. Frames carry
 * nanoseconds; the time base says what they were computed from. Immutable.
 *
 * @param numerator more than 0, or 0 where unknown
 * @param denominator more than 0, or 0 where unknown
 */
public record TimeBase(int numerator, int denominator) {
    private static final long SECOND = 1_000_000_000;

    /** The source did not say. */
    public static final TimeBase UNKNOWN = new TimeBase(0, 0);

    /** Nanoseconds: what {@code ptsNanos} counts in. */
    public static final TimeBase NANOSECONDS = new TimeBase(1, 1_000_000_000);

    /**
     * Checks that both are positive, or both 0.
     *
     * @throws CuframesException code INVALID_ARGUMENT if they are not
     */
    public TimeBase {
        if (numerator < 0 || denominator < 0 || (numerator == 0) != (denominator == 0)) {
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT,
                    "time base " + numerator + "/" + denominator
                            + ": numerator and denominator must both be more than 0, or both 0 where it is unknown");
        }
    }

    /**
     * Converts a timestamp to nanoseconds, to the nearest.
     *
     * @param ticks in this time base
     * @return nanoseconds
     * @throws ArithmeticException if the time base is unknown or the result exceeds 64 bits
     */
    public long toNanos(long ticks) {
        return rescale(ticks, (long) numerator * SECOND, denominator);
    }

    /**
     * Converts nanoseconds to a timestamp, to the nearest tick.
     *
     * @param nanos nanoseconds
     * @return ticks of this time base
     * @throws ArithmeticException if the time base is unknown or the result exceeds 64 bits
     */
    public long fromNanos(long nanos) {
        return rescale(nanos, denominator, (long) numerator * SECOND);
    }

    /** {@code value * multiplier / divisor}, rounded half away from zero, without overflow on the way. */
    private static long rescale(long value, long multiplier, long divisor) {
        if (divisor == 0) {
            throw new ArithmeticException("the time base is unknown");
        }
        BigInteger half = BigInteger.valueOf(divisor / 2);
        BigInteger product = BigInteger.valueOf(value).multiply(BigInteger.valueOf(multiplier));
        BigInteger rounded = product.signum() < 0 ? product.subtract(half) : product.add(half);
        return rounded.divide(BigInteger.valueOf(divisor)).longValueExact();
    }

    @Override
    public String toString() {
        return numerator + "/" + denominator;
    }
}
