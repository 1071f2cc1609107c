// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.dlpack;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The end of the JVM, as tensors see it that outlive it: in a process that goes on after {@code DestroyJavaVM}, a call into the JVM ends the process.
 * As long as consumers have tensors, a shutdown hook is registered; it runs an action that leaves the consumers nothing that calls into the JVM, and
 * then waits for the calls that had begun. While it is registered, it keeps this library's classes loaded, which the deleter does not. With the last
 * tensor it is removed, so that a class loader that nobody uses can go. Thread-safe.
 */
final class JvmEnd {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(2);

    /** A consumer that has read the address of the deleter calls it soon after; there is nothing to see in between. */
    private static final long SETTLED_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private static final long POLL_MILLIS = 1;

    private final Runnable action;

    /** Calls from consumers under way. */
    private final AtomicInteger calls = new AtomicInteger();

    /** Tensors that consumers have. Guarded by this, as are the two below. */
    private int tensors;

    private Thread hook;
    private boolean ended;

    /**
     * Waits for the end.
     *
     * @param action run once, at the end of the JVM, if consumers have tensors then
     */
    JvmEnd(Runnable action) {
        this.action = action;
    }

    /**
     * Counts a tensor that a consumer is about to get. The action must reach it already.
     *
     * @return false if the JVM is ending: the action has run, or does not run any more
     */
    synchronized boolean add() {
        if (!ended && tensors == 0) {
            hook = new Thread(null, this::end, "cuframes-dlpack-end", 0, false);
            hook.setContextClassLoader(null);
            try {
                Runtime.getRuntime().addShutdownHook(hook);
            } catch (IllegalStateException e) { // it is ending already
                ended = true;
            }
        }
        if (!ended) {
            tensors++;
        }
        return !ended;
    }

    /** Counts one less, which was counted. */
    synchronized void remove() {
        if (--tensors == 0 && !ended) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) { // the hook runs, or is about to
                ended = true;
            }
            hook = null;
        }
    }

    /** A call from a consumer begins. */
    void enter() {
        calls.incrementAndGet();
    }

    /** A call from a consumer ends. */
    void leave() {
        calls.decrementAndGet();
    }

    private void end() {
        synchronized (this) {
            ended = true;
        }
        action.run();
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        long quietSince = System.nanoTime();
        while (System.nanoTime() - deadline < 0 && System.nanoTime() - quietSince < SETTLED_NANOS) {
            if (calls.get() != 0) {
                quietSince = System.nanoTime();
            }
            try {
                Thread.sleep(POLL_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return; // whoever interrupts a shutdown hook wants no waiting
            }
        }
    }
}
