// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import io.cuframes.LatencyStats;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What a subscriber has counted, over all its epochs. The taking thread counts, without a lock or an allocation; any thread reads. What belongs
 * to one frame is counted in one step, so that a reader of {@link #counts()} never sees half of it.
 */
public final class ReadTally {
    /**
     * All counts of one moment.
     *
     * @param received frames delivered
     * @param damaged frames delivered that the publisher marked as damaged
     * @param missed frames published and never delivered
     * @param gaps times that frames were missed between two that were delivered
     * @param timeouts waits that ended without a frame
     * @param lastSeq of the frame delivered last; 0 before the first
     * @param lastPtsNanos its presentation time
     * @param lastNanos when it was delivered, monotonic
     */
    public record Counts(
            long received,
            long damaged,
            long missed,
            long gaps,
            long timeouts,
            long lastSeq,
            long lastPtsNanos,
            long lastNanos) {}

    /** Odd while the taking thread is between two states. */
    private final AtomicLong version = new AtomicLong();

    private final AtomicLong received = new AtomicLong();
    private final AtomicLong damaged = new AtomicLong();
    private final AtomicLong missed = new AtomicLong();
    private final AtomicLong gaps = new AtomicLong();
    private final AtomicLong timeouts = new AtomicLong();
    private final AtomicLong lastSeq = new AtomicLong();
    private final AtomicLong lastPtsNanos = new AtomicLong();
    private final AtomicLong lastNanos = new AtomicLong();
    private final LatencyRecorder latency = new LatencyRecorder();

    /** Of any thread: exceptions are no steady state. */
    private final AtomicLong errors = new AtomicLong();

    /** Of the frame delivered last; for the taking thread. */
    private long lastLatencyNanos;

    /**
     * Counts a delivered frame.
     *
     * @param seq its number
     * @param ptsNanos its presentation time
     * @param isDamaged whether the publisher marked it as damaged
     * @param missedBefore frames between the one before and this one
     * @param publishNanos when the publisher called publish, by its own word
     * @param nowNanos monotonic time
     */
    void countReceived(
            long seq, long ptsNanos, boolean isDamaged, long missedBefore, long publishNanos, long nowNanos) {
        long next = version.getPlain() + 2;
        version.setOpaque(next - 1);
        VarHandle.releaseFence(); // the odd version before the counts; a reader has the fence that goes with it
        add(received, 1);
        if (isDamaged) {
            add(damaged, 1);
        }
        if (missedBefore > 0) {
            add(missed, missedBefore);
            add(gaps, 1);
        }
        lastSeq.setOpaque(seq);
        lastPtsNanos.setOpaque(ptsNanos);
        lastNanos.setOpaque(nowNanos);
        version.setRelease(next);
        lastLatencyNanos = latency.record(nowNanos - publishNanos);
    }

    /** Counts a wait that ended without a frame. */
    public void countTimeout() {
        add(timeouts, 1);
    }

    /** Counts an exception that a caller was given. From any thread. */
    public void countError() {
        errors.incrementAndGet();
    }

    private static void add(AtomicLong counter, long more) {
        counter.setOpaque(counter.getPlain() + more);
    }

    /** All counts of one moment. From any thread; waits for the taking thread only while that counts one frame. */
    public Counts counts() {
        while (true) {
            long before = version.getAcquire();
            Counts counts = new Counts(
                    received.getOpaque(),
                    damaged.getOpaque(),
                    missed.getOpaque(),
                    gaps.getOpaque(),
                    timeouts.getOpaque(),
                    lastSeq.getOpaque(),
                    lastPtsNanos.getOpaque(),
                    lastNanos.getOpaque());
            VarHandle.acquireFence(); // the counts before the version's second look
            if ((before & 1) == 0 && version.getOpaque() == before) {
                return counts;
            }
            Thread.onSpinWait();
        }
    }

    /** Publish call to delivery, of all frames so far. From any thread. */
    public LatencyStats latency() {
        return latency.stats();
    }

    /** The latency of the frame delivered last; for the taking thread. */
    public long lastLatencyNanos() {
        return lastLatencyNanos;
    }

    /** Frames delivered. */
    public long received() {
        return received.getOpaque();
    }

    /** Frames delivered that the publisher marked as damaged. */
    public long damaged() {
        return damaged.getOpaque();
    }

    /** Frames published and never delivered. */
    public long missed() {
        return missed.getOpaque();
    }

    /** Waits that ended without a frame. */
    public long timeouts() {
        return timeouts.getOpaque();
    }

    /** Exceptions that callers were given. */
    public long errors() {
        return errors.get();
    }
}
