// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.os;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Releases what a {@code close()} cannot release yet: memory that a GPU still writes to, or a mapping that a system call still reads. A page with
 * work pending is kept, and leaked if the work never ends, rather than unmapped under it.
 *
 * <p>Each lane has a thread of its own, begun with the first remains and ended when none are left, so that one GPU that hangs delays the remains of
 * no other. Where no thread can be made, the remains wait for the next that are submitted. Thread-safe.
 */
public final class Reaper {
    private static final System.Logger LOG = System.getLogger(Reaper.class.getName());

    /** Pauses between two attempts; doubled from the first to the last. */
    private static final long FIRST_PAUSE_NANOS = 200_000;

    private static final long LONGEST_PAUSE_NANOS = 50_000_000;

    private static final ConcurrentHashMap<String, Reaper> LANES = new ConcurrentHashMap<>();

    /** What is left to be released. */
    @FunctionalInterface
    public interface Remains {
        /**
         * Releases it if that is possible now. Runs on the reaper's thread, and may block there, as calls of CUDA do. What it throws is logged, and
         * ends the attempts.
         *
         * @return false to be called again later
         */
        boolean release();
    }

    /** Remains that were submitted. */
    public static final class Pending {
        private final String what;
        private final Remains remains;
        private final CountDownLatch released = new CountDownLatch(1);

        private Pending(String what, Remains remains) {
            this.what = what;
            this.remains = remains;
        }

        /**
         * Waits until it is released. An interrupt does not end the wait: the status is preserved.
         *
         * @param nanos at most this long
         * @return whether it is released
         */
        public boolean await(long nanos) {
            long deadline = System.nanoTime() + nanos;
            boolean interrupted = false;
            try {
                while (true) {
                    try {
                        return released.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                    } catch (InterruptedException e) {
                        interrupted = true;
                    }
                }
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        /** Whether it is released. */
        public boolean isReleased() {
            return released.getCount() == 0;
        }
    }

    private final String lane;

    /** In the order they came. Guarded by this, as is the thread. */
    private final Deque<Pending> queue = new ArrayDeque<>();

    private Thread thread;

    private Reaper(String lane) {
        this.lane = lane;
    }

    /**
     * The reaper of a lane.
     *
     * @param lane what its remains may hang on together, such as "gpu-0"
     */
    public static Reaper of(String lane) {
        return LANES.computeIfAbsent(lane, Reaper::new);
    }

    /**
     * Hands over what is to be released. Never throws for want of a thread.
     *
     * @param what for messages
     * @param remains asked until it is released
     */
    public Pending submit(String what, Remains remains) {
        Pending pending = new Pending(what, remains);
        synchronized (this) {
            queue.add(pending);
            if (thread == null) {
                begin();
            }
            notifyAll();
        }
        return pending;
    }

    private void begin() {
        Thread begun = new Thread(null, this::run, "cuframes-reaper-" + lane, 0, false);
        begun.setDaemon(true);
        begun.setContextClassLoader(null); // it outlives whoever closed something
        try {
            begun.start();
            thread = begun;
        } catch (OutOfMemoryError e) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "no thread to release what is left of closed streams; kept for later",
                    e);
        }
    }

    private void run() {
        long pause = FIRST_PAUSE_NANOS;
        int seen = 0;
        while (true) {
            List<Pending> batch;
            synchronized (this) {
                if (queue.isEmpty()) {
                    thread = null;
                    return;
                }
                batch = new ArrayList<>(queue);
            }
            pause = batch.size() > seen ? FIRST_PAUSE_NANOS : pause; // new ones may be released soon
            boolean progress = false;
            for (Pending pending : batch) {
                progress |= attempt(pending);
            }
            synchronized (this) {
                seen = queue.size();
                if (!progress && seen > 0) {
                    sleep(pause);
                    pause = Math.min(2 * pause, LONGEST_PAUSE_NANOS);
                }
            }
        }
    }

    private boolean attempt(Pending pending) {
        boolean done = true;
        try {
            done = pending.remains.release();
        } catch (RuntimeException | Error e) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "releasing " + pending.what + " failed; it stays until the process ends",
                    e);
        }
        if (done) {
            synchronized (this) {
                queue.remove(pending);
            }
            pending.released.countDown();
        }
        return done;
    }

    /** Until something is submitted, or the time is over. */
    private void sleep(long nanos) {
        try {
            TimeUnit.NANOSECONDS.timedWait(this, nanos);
        } catch (InterruptedException e) {
            LOG.log(System.Logger.Level.DEBUG, "the reaper's thread was interrupted, which it takes for a wake-up", e);
        }
    }
}
