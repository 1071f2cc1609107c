// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

/** Says when it is time for the next progress line, and how fast a count has grown since the last. For one thread. */
final class Ticker {
    private final long intervalNanos;
    private long last;
    private long lastCount;
    private double perSecond;

    Ticker(long intervalNanos) {
        this.intervalNanos = intervalNanos;
        this.last = System.nanoTime();
    }

    /**
     * Whether a line is due; if so, the next one is an interval away.
     *
     * @param now {@link System#nanoTime()}
     * @param count what is being counted, to now
     */
    boolean due(long now, long count) {
        long passed = now - last;
        if (passed < intervalNanos) {
            return false;
        }
        perSecond = (count - lastCount) * 1e9 / passed;
        last = now;
        lastCount = count;
        return true;
    }

    /** Growth of the count over the interval that ended when a line was last due. */
    double perSecond() {
        return perSecond;
    }
}
