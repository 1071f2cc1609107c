// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import java.util.concurrent.atomic.AtomicLong;

/** What a subscriber has counted, over all its epochs. Opaque: written by the taking thread alone, read by any. */
public final class ReadTally {
    private final AtomicLong received = new AtomicLong();
    private final AtomicLong missed = new AtomicLong();
    private final AtomicLong gaps = new AtomicLong();
    private final AtomicLong timeouts = new AtomicLong();

    void countReceived(long missedBefore) {
        add(received, 1);
        if (missedBefore > 0) {
            add(missed, missedBefore);
            add(gaps, 1);
        }
    }

    /** Counts a wait that ended without a frame. */
    public void countTimeout() {
        add(timeouts, 1);
    }

    private static void add(AtomicLong counter, long more) {
        counter.setOpaque(counter.getPlain() + more);
    }

    /** Frames delivered. */
    public long received() {
        return received.getOpaque();
    }

    /** Frames published and never delivered. */
    public long missed() {
        return missed.getOpaque();
    }

    /** Times that frames were missed between two that were delivered. */
    public long gaps() {
        return gaps.getOpaque();
    }

    /** Waits that ended without a frame. */
    public long timeouts() {
        return timeouts.getOpaque();
    }
}
