// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits for what another thread or process brings about. */
public final class Await {
    /** Generous, since machines are busy: only a test that fails waits as long. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

    private static final long LOOK_NANOS = 1_000_000;

    private Await() {}

    /**
     * Waits until a condition holds; fails the test if that takes 60 s.
     *
     * @param condition looked at once a millisecond
     * @param what is wrong if it does not hold
     */
    public static void await(BooleanSupplier condition, String what) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - start < PATIENCE_NANOS, what);
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }
}
