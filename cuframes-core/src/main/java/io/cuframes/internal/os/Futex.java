// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.os;

import io.cuframes.ffm.Libc;

/** Sleeping on a word of shared memory, across processes. */
public final class Futex {
    private Futex() {}

    /**
     * Sleeps while the word is as expected, until woken or the time is over. May return early for no reason. The memory may be mapped
     * read-only.
     *
     * @param address of the 32-bit word
     * @param expected its value as the caller saw it
     * @param timeoutNanos at most this long
     */
    public static void await(long address, int expected, long timeoutNanos) {
        // EAGAIN (the word moved), ETIMEDOUT and EINTR all mean: look again, which every caller does.
        Libc.futexWait(address, expected, timeoutNanos);
    }

    /** Wakes everyone who sleeps on the word. */
    public static void wakeAll(long address) {
        Libc.futexWake(address, Integer.MAX_VALUE);
    }
}
