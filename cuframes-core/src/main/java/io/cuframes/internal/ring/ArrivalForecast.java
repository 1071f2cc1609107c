// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

/**
 * When the next frame of a steady stream is due, so that a reader may be awake by then: waking a core that has gone idle takes longer than all else
 * that lies between a publisher and a reader. Learns the stream's period and how exactly it is kept, and how late this thread is when it asks to be woken
 * at a time. Says nothing of a stream whose frames come too irregularly for that to pay. For one thread; allocates nothing.
 */
final class ArrivalForecast {
    /** There is no telling. */
    static final long UNKNOWN = Long.MIN_VALUE;

    /** Frames before the first forecast. */
    private static final int LEARNING = 8;

    /** A new value counts an eighth, the mean of those before seven. */
    private static final int SHIFT = 3;

    /** A reader is awake early by at most this part of the period, and by at most so long: that bounds what it spins in vain. */
    private static final int LARGEST_PART = 4;

    private static final long LARGEST_LEAD_NANOS = 300_000;

    /** Streams with less than a frame in so long are no streams. */
    private static final long LONGEST_PERIOD_NANOS = 1_000_000_000;

    private long lastSeq;
    private long lastNanos;
    private int learned;
    private long period;
    private long deviation;

    /** A guess until it has been measured: what a timer's slack on Linux is for threads without a priority. */
    private long lateness = 50_000;

    private long latenessDeviation;

    /**
     * Takes note of a frame; of the same one again, nothing happens.
     *
     * @param seq its number
     * @param publishNanos when it was published, by the publisher's word: it may be anything
     */
    void observe(long seq, long publishNanos) {
        if (seq == lastSeq) {
            return;
        }
        long frames = seq - lastSeq;
        long interval = frames > 0 ? (publishNanos - lastNanos) / frames : 0;
        boolean first = lastSeq == 0;
        lastSeq = seq;
        lastNanos = publishNanos;
        if (first) {
            return;
        }
        if (interval <= 0 || interval > LONGEST_PERIOD_NANOS) {
            learned = 0;
            return;
        }
        if (learned == 0) {
            period = interval;
            deviation = 0;
        }
        deviation += (Math.abs(interval - period) - deviation) >> SHIFT;
        period += (interval - period) >> SHIFT;
        learned = Math.min(learned + 1, LEARNING);
    }

    /**
     * When to be awake for the frame after the one observed last.
     *
     * @return monotonic nanoseconds, or {@link #UNKNOWN}
     */
    long awakeAt() {
        long lead = lead();
        return lead == 0 ? UNKNOWN : lastNanos + period - lead;
    }

    /**
     * Until when the frame after the one observed last is not late.
     *
     * @return monotonic nanoseconds, or {@link #UNKNOWN}
     */
    long lateAt() {
        long lead = lead();
        return lead == 0 ? UNKNOWN : lastNanos + period + lead;
    }

    private long lead() {
        if (learned < LEARNING) {
            return 0;
        }
        long lead = lateness + 2 * latenessDeviation + 2 * deviation;
        return lead > Math.min(period / LARGEST_PART, LARGEST_LEAD_NANOS) ? 0 : lead;
    }

    /**
     * Learns from a sleep that ended by its time.
     *
     * @param asked when it was to end
     * @param woken when the thread ran again
     */
    void woke(long asked, long woken) {
        long late = Math.clamp(woken - asked, 0, LARGEST_LEAD_NANOS);
        latenessDeviation += (Math.abs(late - lateness) - latenessDeviation) >> SHIFT;
        lateness += (late - lateness) >> SHIFT;
    }
}
