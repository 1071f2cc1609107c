// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Keeps what any process can bring about as often as it likes from filling the log: so many lines in so long, then a count of those left out. For
 * one thread, which calls {@link #report} now and then: otherwise the last of a storm would be counted and never told.
 */
final class LogLimit {
    private static final int LINES = 20;
    private static final long PERIOD_NANOS = 10_000_000_000L;

    private final System.Logger log;
    private final String what;
    private final int most;
    private final LongSupplier clock;
    private long begin;
    private int lines;
    private long leftOut;

    /**
     * Of 20 lines in 10 s.
     *
     * @param log where they go
     * @param what they are about, for the count of those left out
     */
    LogLimit(System.Logger log, String what) {
        this(log, what, LINES, System::nanoTime);
    }

    /**
     * Of another number of lines in 10 s.
     *
     * @param clock monotonic, nanoseconds
     */
    LogLimit(System.Logger log, String what, int most, LongSupplier clock) {
        this.log = log;
        this.what = what;
        this.most = most;
        this.clock = clock;
        this.begin = clock.getAsLong();
    }

    /** Logs a line, or counts it as left out. */
    void log(System.Logger.Level level, Supplier<String> text) {
        report();
        if (lines < most) {
            lines++;
            log.log(level, text);
        } else {
            leftOut++;
        }
    }

    /** Begins a new period if the last is over, and says what was left out in it. */
    void report() {
        if (clock.getAsLong() - begin >= PERIOD_NANOS) {
            begin = clock.getAsLong();
            finish();
        }
    }

    /** Says what was left out so far. */
    void finish() {
        long before = leftOut;
        lines = 0;
        leftOut = 0;
        if (before > 0) {
            log.log(
                    System.Logger.Level.INFO,
                    () -> before + " lines about " + what + " like those before were left out");
        }
    }

    /** How long until {@link #report} has something to say, nanoseconds; the largest long if nothing was left out. */
    long nanosToReport() {
        return leftOut == 0 ? Long.MAX_VALUE : Math.max(0, PERIOD_NANOS - (clock.getAsLong() - begin));
    }
}
