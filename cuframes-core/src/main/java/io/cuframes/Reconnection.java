// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.internal.connect.Connection;
import io.cuframes.internal.connect.Connector;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** The search for the next publisher, from the loss of one on. For the thread that takes frames, but for the accessors. */
final class Reconnection {
    /** How often a wait looks whether it is still wanted. */
    private static final long LOOK_NANOS = 20_000_000;

    private final Backoff backoff;
    private final PublisherGoneException.Reason reason;
    private final String text;
    private final AtomicInteger attempts = new AtomicInteger();
    private long dueAt;

    Reconnection(Backoff backoff, PublisherGoneException.Reason reason, String text) {
        this.backoff = backoff;
        this.reason = reason;
        this.text = text;
        this.dueAt = System.nanoTime() + backoff.nanosBefore(1);
    }

    /** Sleeps until the next attempt is due; false if the deadline comes first, the thread is interrupted, or nobody wants it any more. */
    boolean awaitNext(long deadline, BooleanSupplier cancelled) {
        for (long now = System.nanoTime(); now - dueAt < 0; now = System.nanoTime()) {
            if (now - deadline >= 0 || Thread.currentThread().isInterrupted() || cancelled.getAsBoolean()) {
                return false;
            }
            LockSupport.parkNanos(Math.min(LOOK_NANOS, Math.min(dueAt - now, deadline - now)));
        }
        return !cancelled.getAsBoolean();
    }

    /**
     * Tries once.
     *
     * @return the connection, or null if another attempt may help
     * @throws PublisherGoneException if that was the last attempt
     * @throws CuframesException if another attempt would not help
     */
    Connection tryConnect(Connector connector, BooleanSupplier cancelled, Subscriber.Listener listener) {
        int attempt = attempts.incrementAndGet();
        try {
            return connector.connect(Duration.ZERO, cancelled);
        } catch (CuframesException e) {
            dueAt = System.nanoTime() + backoff.nanosBefore(attempt + 1);
            if (!isTransient(e.code())) {
                throw e;
            }
            if (attempt >= backoff.maxAttempts()) {
                throw new PublisherGoneException(
                        reason, text + "; given up after " + attempt + " attempts to connect: " + e.getMessage());
            }
            listener.attemptFailed(attempt, Duration.ofNanos(backoff.nanosBefore(attempt + 1)), e.getMessage());
            return null;
        }
    }

    /** Nobody is there, or nobody has room, or the one that was there is just going. */
    private static boolean isTransient(ErrorCode code) {
        return switch (code) {
            case NOT_FOUND, NO_SLOT, DISCONNECTED, TIMEOUT -> true;
            case ALREADY_EXISTS, PROTOCOL, CUDA, INVALID_ARGUMENT, ACCESS_DENIED, UNSUPPORTED, SYSTEM, INTERNAL ->
                false;
        };
    }

    int attempts() {
        return attempts.get();
    }
}
