// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Keeps memory that is reached by numbers (addresses of a GPU, streams, events) in place while somebody uses it. Memory segments need none: the
 * runtime keeps those. Costs two atomic additions a use; allocates nothing. Thread-safe.
 */
final class UseGate {
    private static final int SHUT = 1;
    private static final int ENTERED = 2;
    private static final long LOOK_NANOS = 50_000;

    /** SHUT, and ENTERED times the number of uses under way. */
    private final AtomicInteger state = new AtomicInteger();

    /** Begins a use, to be ended by {@link #leave}; false if the gate is shut. */
    boolean enter() {
        if ((state.getAndAdd(ENTERED) & SHUT) != 0) {
            leave();
            return false;
        }
        return true;
    }

    /** Ends a use. */
    void leave() {
        state.getAndAdd(-ENTERED);
    }

    /** From here on no use begins. */
    void shut() {
        state.getAndUpdate(now -> now | SHUT);
    }

    /** Whether no use is under way. Once that is so of a gate that is shut, it stays so. */
    boolean isEmpty() {
        return state.get() < ENTERED;
    }

    /** Waits until no use is under way, so long at most; whether that is so. */
    boolean awaitEmpty(long patienceNanos) {
        long start = System.nanoTime();
        while (!isEmpty()) {
            if (System.nanoTime() - start >= patienceNanos) {
                return false;
            }
            LockSupport.parkNanos(this, LOOK_NANOS);
        }
        return true;
    }
}
