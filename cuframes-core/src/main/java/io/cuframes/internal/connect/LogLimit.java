// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import java.util.function.Supplier;

/**
 * Keeps what any process can bring about as often as it likes from filling the log: so many lines in so long, then a count of those left out. For
 * one thread.
 */
final class LogLimit {
    private static final int LINES = 20;
    private static final long PERIOD_NANOS = 10_000_000_000L;

    private final System.Logger log;
    private long begin = System.nanoTime();
    private int lines;
    private long leftOut;

    LogLimit(System.Logger log) {
        this.log = log;
    }

    void log(System.Logger.Level level, Supplier<String> text) {
        long now = System.nanoTime();
        if (now - begin > PERIOD_NANOS) {
            long before = leftOut;
            if (before > 0) {
                log.log(System.Logger.Level.INFO, () -> before + " lines about peers like those before were left out");
            }
            begin = now;
            lines = 0;
            leftOut = 0;
        }
        if (lines < LINES) {
            lines++;
            log.log(level, text);
        } else {
            leftOut++;
        }
    }
}
