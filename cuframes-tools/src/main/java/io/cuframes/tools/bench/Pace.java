// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import java.util.concurrent.locks.LockSupport;

/** Keeps frames apart: sleeps while there is time, and spins for the rest, so that the next one begins when it should. For one thread. */
final class Pace {
    /** Below this a thread that sleeps comes too late; it is what timers of Linux and a wake-up may be off together. */
    private static final long SPUN_NANOS = 150_000;

    private final long gapNanos;
    private final boolean spins;
    private long next;
    private long spun;

    /**
     * Frames at a rate.
     *
     * @param rate a second
     * @param alone whether this is the process's one thread that paces: it spins where a gap is short, as a sleep would not be over in time
     */
    Pace(int rate, boolean alone) {
        gapNanos = 1_000_000_000L / rate;
        spins = alone && gapNanos <= 1_000_000;
        next = System.nanoTime();
    }

    /** Waits until the next frame is due. One that is late is not made up for: the next is a full gap away. */
    void await() {
        next += gapNanos;
        long left = next - System.nanoTime();
        if (left < 0) {
            next -= left;
            return;
        }
        while (!spins && left > SPUN_NANOS) {
            LockSupport.parkNanos(left - SPUN_NANOS);
            left = next - System.nanoTime();
        }
        spun += Math.max(0, left);
        while (left > 0) {
            Thread.onSpinWait();
            left = next - System.nanoTime();
        }
    }

    /** CPU time that this thread has spent waiting so far, ns: none of the cost of what is measured. */
    long spunNanos() {
        return spun;
    }
}
