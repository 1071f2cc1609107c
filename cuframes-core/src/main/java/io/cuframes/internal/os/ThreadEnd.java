// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.os;

/** Waiting for a thread of this library that has been told to end. */
public final class ThreadEnd {
    private ThreadEnd() {}

    /**
     * Waits until the thread has ended, interrupted or not: it uses memory that is freed next. An interrupt is kept for the caller's caller.
     *
     * @param thread ends by itself in bounded time
     */
    public static void await(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
