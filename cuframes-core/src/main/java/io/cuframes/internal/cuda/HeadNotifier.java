// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import io.cuframes.internal.os.Futex;
import io.cuframes.internal.os.ThreadEnd;
import io.cuframes.internal.ring.RingWriter;
import java.util.concurrent.locks.LockSupport;

/**
 * Wakes readers that sleep on a head which the GPU writes, since the GPU cannot. One platform thread; it sleeps while no frame is on its way
 * through the GPU.
 */
final class HeadNotifier implements AutoCloseable {
    /** How long the thread spins for a frame before it naps between looks: the copy of a 4K frame and its announcement take less. */
    private static final long SPIN_NANOS = 100_000;

    /** A nap; with the timer's slack, about 100 us. */
    private static final long NAP_NANOS = 50_000;

    private final RingWriter writer;
    private final long futexAddress;
    private final Thread thread;
    private volatile long expected;
    private volatile boolean idle;
    private volatile boolean closed;

    HeadNotifier(RingWriter writer, long futexAddress, String key) {
        this.writer = writer;
        this.futexAddress = futexAddress;
        this.thread = Thread.ofPlatform()
                .daemon()
                .name("cuframes-" + key + "-notifier")
                .start(this::run);
    }

    /** Tells that a frame was queued. */
    void expect(long seq) {
        expected = seq;
        if (idle) {
            LockSupport.unpark(thread);
        }
    }

    private void run() {
        long woken = 0;
        while (!closed) {
            if (woken >= expected) {
                sleepUntilExpecting(woken);
            } else {
                woken = wakeReadersAfter(woken);
            }
        }
    }

    private void sleepUntilExpecting(long woken) {
        idle = true; // volatile store, then load: expect() does it the other way round
        if (woken >= expected && !closed) {
            LockSupport.park(this);
        }
        idle = false;
    }

    private long wakeReadersAfter(long woken) {
        long since = System.nanoTime();
        long announced = writer.announced();
        while (announced == woken && !closed) {
            if (System.nanoTime() - since < SPIN_NANOS) {
                Thread.onSpinWait();
            } else {
                LockSupport.parkNanos(this, NAP_NANOS);
            }
            announced = writer.announced();
        }
        Futex.wakeAll(futexAddress);
        Faults.reach(FaultPoint.SLEEPERS_WOKEN);
        return announced;
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
        ThreadEnd.await(thread); // within a nap
    }
}
