// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.os;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** How long to wait at most, of what a caller gives: any {@link Duration} will do. */
public final class Timeout {
    private Timeout() {}

    /**
     * In nanoseconds, brought into the range that a deadline can have: {@code nanoTime() + nanos} may overflow, and its difference to a later
     * {@code nanoTime()} is right all the same. A negative one would not be: the least long behind now is ahead of now.
     *
     * @param timeout of any length and sign
     * @return 0 to {@link Long#MAX_VALUE}: a negative timeout is 0, one of more than 292 years is that long
     */
    public static long nanos(Duration timeout) {
        return Math.max(0, TimeUnit.NANOSECONDS.convert(timeout));
    }
}
