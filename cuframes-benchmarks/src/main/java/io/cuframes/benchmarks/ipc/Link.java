// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks.ipc;

/**
 * One way, in both directions, as one of two processes has it. A message carries its number and when it was begun; of a large one all bytes are
 * written, and one of each 4 KiB is read. For one thread.
 */
abstract class Link implements AutoCloseable {
    /** The number of the message that ends a task. */
    static final long LAST = -1;

    static final int NUMBER = 0;
    static final int STARTED = 8;
    static final int BODY = 16;
    static final int PAGE = 4096;

    /** Number of the newest message. */
    private long number;

    /** When it was begun, as its sender said. */
    private long started;

    /** Messages that did not follow the one before, or whose bytes were not theirs. */
    private long wrong;

    /** Sends one, and spins until there is room for it. */
    abstract void send(long number, long startNanos);

    /** Takes what is there; gives how many messages that were. May spin for a while. */
    abstract int poll();

    @Override
    public abstract void close();

    /** What bytes of the body have. */
    static byte bodyOf(long number) {
        return (byte) (number % 251);
    }

    void take(long newNumber, long newStarted, boolean bodyIsRight, boolean lossless) {
        boolean follows = lossless ? newNumber == number + 1 : newNumber > number;
        if (!bodyIsRight || (newNumber != LAST && !follows)) {
            wrong++;
        }
        number = newNumber;
        started = newStarted;
    }

    long number() {
        return number;
    }

    long started() {
        return started;
    }

    long wrong() {
        return wrong;
    }
}
