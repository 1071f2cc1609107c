// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** What comes after the loss of a publisher: the search for the next, or nothing. For the thread that takes frames, but for the accessors. */
final class Reconnection {
    /** How often a wait looks whether it is still wanted. */
    private static final long LOOK_NANOS = 20_000_000;

    private final Backoff backoff;
    private final PublisherGoneException.Reason reason;
    private final String text;
    private final AtomicInteger attempts = new AtomicInteger();
    private long dueAt = System.nanoTime();

    /** What to say for good, once there is no further attempt; null until then. */
    private String end;

    /**
     * Begins with the wait before the first attempt.
     *
     * @param backoff null if there is to be no attempt
     * @param reason how the publisher went
     * @param text the same in words
     */
    Reconnection(Backoff backoff, PublisherGoneException.Reason reason, String text) {
        this.backoff = backoff;
        this.reason = reason;
        this.text = text;
        if (backoff == null) {
            end = text;
        } else {
            dueAt += backoff.nanosBefore(1);
        }
    }

    /**
     * Sleeps until the next attempt is due.
     *
     * @return false if the deadline comes first, or nobody wants the attempt any more
     * @throws PublisherGoneException if there is to be no further attempt
     */
    boolean awaitNext(long deadline, BooleanSupplier cancelled) {
        if (end != null) {
            throw new PublisherGoneException(reason, end);
        }
        for (long now = System.nanoTime(); now - dueAt < 0; now = System.nanoTime()) {
            if (now - deadline >= 0 || cancelled.getAsBoolean()) {
                return false;
            }
            LockSupport.parkNanos(Math.min(LOOK_NANOS, Math.min(dueAt - now, deadline - now)));
        }
        return !cancelled.getAsBoolean();
    }

    /**
     * Makes one attempt.
     *
     * @param connecting connects and begins to read
     * @return what it returned, or null if another attempt may help
     * @throws PublisherGoneException if that was the last attempt
     * @throws CuframesException if another attempt would not help; one is due all the same, if the caller wants it
     */
    Session attempt(Supplier<Session> connecting, BooleanSupplier cancelled, Subscriber.Listener listener) {
        int attempt = attempts.incrementAndGet();
        long wait = backoff.nanosBefore(attempt + 1);
        try {
            return connecting.get();
        } catch (CuframesException e) {
            if (cancelled.getAsBoolean()) {
                return null;
            }
            if (!e.isPassing()) {
                throw e;
            }
            if (attempt >= backoff.maxAttempts()) {
                end = text + "; given up after " + attempt + (attempt == 1 ? " attempt" : " attempts") + " to connect: "
                        + e.getMessage();
                throw new PublisherGoneException(reason, end);
            }
            listener.attemptFailed(attempt, Duration.ofNanos(wait), e.getMessage());
            return null;
        } finally {
            dueAt = System.nanoTime() + wait;
        }
    }

    int attempts() {
        return attempts.get();
    }

    PublisherGoneException.Reason reason() {
        return reason;
    }
}
