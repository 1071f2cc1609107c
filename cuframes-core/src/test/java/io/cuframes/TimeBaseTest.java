// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Timestamps of a source, there and back. */
class TimeBaseTest {
    private static final TimeBase RTP = new TimeBase(1, 90_000);

    @ParameterizedTest
    @CsvSource({
        "1, 90000, 1, 11111",
        "1, 90000, -1, -11111",
        "1, 90000, 90000, 1000000000",
        "1, 90000, 5, 55556", // 55555.6
        "1, 90000, -5, -55556",
        "1001, 30000, 1, 33366667", // 33366666.7
        "1, 3, 2, 666666667",
        "2, 1, 4, 8000000000",
        "1, 1000000000, -9223372036854775808, -9223372036854775808",
        "2147483647, 2147483647, 1, 1000000000",
        "1, 90000, 0, 0"
    })
    void ticksBecomeTheNearestNanoseconds(int numerator, int denominator, long ticks, long nanos) {
        assertEquals(nanos, new TimeBase(numerator, denominator).toNanos(ticks));
    }

    @Test
    void halvesAreRoundedAwayFromZero() {
        TimeBase halves = new TimeBase(1, 2_000_000_000);
        assertEquals(1, halves.toNanos(1));
        assertEquals(-1, halves.toNanos(-1));
        assertEquals(2, halves.toNanos(3));
        assertEquals(-2, halves.toNanos(-3));
        TimeBase pairs = new TimeBase(2, 1_000_000_000);
        assertEquals(1, pairs.fromNanos(1));
        assertEquals(-1, pairs.fromNanos(-1));
        assertEquals(2, pairs.fromNanos(3));
        assertEquals(-2, pairs.fromNanos(-3));
    }

    @Test
    void nanosecondsBecomeTheNearestTick() {
        assertEquals(0, RTP.fromNanos(5555));
        assertEquals(1, RTP.fromNanos(5556));
        assertEquals(0, RTP.fromNanos(-5555));
        assertEquals(-1, RTP.fromNanos(-5556));
        assertEquals(Long.MIN_VALUE, TimeBase.NANOSECONDS.fromNanos(Long.MIN_VALUE));
        assertEquals(830_103_483_316_930L, RTP.fromNanos(Long.MAX_VALUE), "whatever the product on the way");
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, -1, 2, 3003, -3003, 8_589_934_591L, -8_589_934_592L, 100_000_000_003L})
    void ticksLongerThanANanosecondComeBackAsTheyWere(long ticks) {
        for (TimeBase base : new TimeBase[] {
            RTP, new TimeBase(1, 1000), new TimeBase(1001, 30_000), new TimeBase(1, 25), TimeBase.NANOSECONDS
        }) {
            assertEquals(ticks, base.fromNanos(base.toNanos(ticks)), base.toString());
        }
    }

    @Test
    void whatExceeds64BitsIsAnErrorAndNoOtherNumber() {
        TimeBase seconds = new TimeBase(1, 1);
        assertEquals(9_223_372_036_000_000_000L, seconds.toNanos(9_223_372_036L));
        assertThrows(ArithmeticException.class, () -> seconds.toNanos(9_223_372_037L));
        assertThrows(ArithmeticException.class, () -> seconds.toNanos(-9_223_372_037L));
        assertThrows(ArithmeticException.class, () -> seconds.toNanos(Long.MAX_VALUE));
        TimeBase fine = new TimeBase(1, 2_000_000_000);
        assertThrows(ArithmeticException.class, () -> fine.fromNanos(Long.MAX_VALUE));
        assertThrows(ArithmeticException.class, () -> fine.fromNanos(Long.MIN_VALUE));
    }

    @Test
    void anUnknownTimeBaseConvertsNothing() {
        assertThrows(ArithmeticException.class, () -> TimeBase.UNKNOWN.toNanos(0));
        ArithmeticException refused = assertThrows(ArithmeticException.class, () -> TimeBase.UNKNOWN.fromNanos(1));
        assertTrue(refused.getMessage().contains("unknown"), refused.getMessage());
        assertEquals("0/0", TimeBase.UNKNOWN.toString());
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "1, 0", "-1, 90000", "1, -90000", "-1, -1"})
    void aTimeBaseThatIsNoneIsRefused(int numerator, int denominator) {
        CuframesException refused = assertThrows(CuframesException.class, () -> new TimeBase(numerator, denominator));
        assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code());
        assertTrue(refused.getMessage().contains(numerator + "/" + denominator), refused.getMessage());
    }
}
