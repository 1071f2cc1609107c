// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.internal.connect.PublisherServer;
import io.cuframes.internal.ring.Announcer;
import io.cuframes.internal.ring.RingWriter;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/**
 * Takes slots for a publisher's frames as its policy says: waits for its own GPU, and under STRICT_WAIT for strict readers, and counts what
 * finds none. For the thread that publishes, but for {@link #endWait}; allocates nothing.
 */
final class SlotTaker {
    /** How long the publisher waits for its own GPU before it calls it stuck. */
    private static final Duration GPU_PATIENCE = Duration.ofSeconds(2);

    /** How long a wait for readers spins: a reader that is just closing its frame takes less. */
    private static final long SPIN_NANOS = 20_000;

    /**
     * The most pauses of the CPU between two looks while it spins, doubled from one look to the next. Each look takes the cursor's line from the reader that
     * is waited for, which is slower for it, and one that comes a little later finds several slots to be had: under a microsecond.
     */
    private static final int MOST_PAUSES = 16;

    /** Until when it lets others run between looks: a reader that shares this core with the writer needs no more. */
    private static final long YIELD_NANOS = 200_000;

    /** A reader cannot wake the writer, so it naps between looks; each nap lasts an eighth of the time it has waited, and no slot is found later than that. */
    private static final int NAP_SHIFT = 3;

    private static final long SHORTEST_NAP_NANOS = 20_000;

    /** Far below the time of a frame. */
    private static final long LONGEST_NAP_NANOS = 1_000_000;

    /** How often a close looks whether the wait that it ends is over. */
    private static final long CLOSE_RETRY_NANOS = 50_000;

    /** The slot that suits the ring best. */
    static final int ANY_SLOT = -1;

    /** Besides the {@link RingWriter}'s own answers. */
    private static final int CLOSED = Integer.MIN_VALUE;

    private final String key;
    private final RingWriter writer;
    private final Announcer announcer;
    private final PublisherServer server;
    private final AtomicBoolean closed;
    private final UseGate gate;

    /** How long one frame may wait for readers; 0 where the policy is not to wait. */
    private final long waitNanos;

    /** Stalled and overdrawn readers that the server has been told of. */
    private long told;

    /** When the server was last told that frames find no slot. */
    private long holdersNoticed = System.nanoTime() - PublisherServer.HOLDERS_PERIOD_NANOS;

    /** The thread that waits here now. Volatile: it is stored before {@code closed} is looked at, and a close does it the other way round. */
    private volatile Thread waiter;

    /**
     * For one publisher.
     *
     * @param key the stream
     * @param parts made already
     * @param waitNanos how long one frame may wait for readers
     * @param closed whether the publisher is to close
     * @param gate of its uses of the GPU
     */
    SlotTaker(String key, PublisherParts parts, long waitNanos, AtomicBoolean closed, UseGate gate) {
        this.gate = gate;
        this.key = key;
        this.writer = parts.writer();
        this.announcer = parts.announcer();
        this.server = parts.server();
        this.waitNanos = waitNanos;
        this.closed = closed;
    }

    /**
     * Takes a slot.
     *
     * @param wanted its number, or {@link #ANY_SLOT}; only the latter counts what finds none
     * @return the slot; or less than 0 if there is none, which is counted, or if the publisher was closed meanwhile
     * @throws CuframesException code TIMEOUT if the GPU has not announced a frame for 2 s
     */
    int take(int wanted) {
        int slot = look(wanted);
        return isWorthWaiting(wanted, slot) ? await(wanted) : counted(wanted, slot);
    }

    private int counted(int wanted, int slot) {
        if (wanted != ANY_SLOT) {
            return slot;
        }
        if (slot == RingWriter.UNREAD) {
            writer.countRefused();
        } else if (slot == RingWriter.ALL_LEASED) {
            writer.countDropped();
            noticeHolders();
        }
        return slot;
    }

    /** Has the server say who holds the slots, now and then: not the first time that a frame finds none counts, but that it goes on. */
    private void noticeHolders() {
        long now = System.nanoTime();
        if (now - holdersNoticed >= PublisherServer.HOLDERS_PERIOD_NANOS) {
            holdersNoticed = now;
            server.noticeReaders();
        }
    }

    private int look(int wanted) {
        if (writer.withheld() != 0) {
            lookAtWithheld();
        }
        int slot = wanted == ANY_SLOT ? writer.take() : writer.take(wanted);
        long found = writer.stalled() + writer.overdrawn();
        if (found != told) {
            told = found;
            server.noticeReaders();
        }
        return slot;
    }

    private void lookAtWithheld() {
        if (gate.enter()) {
            try {
                announcer.lookAtWithheld();
            } finally {
                gate.leave();
            }
        }
    }

    private boolean isWorthWaiting(int wanted, int slot) {
        return switch (slot) {
            case RingWriter.ALL_PENDING -> true;
            case RingWriter.UNREAD -> waitNanos > 0;
            case RingWriter.ALL_LEASED -> waitNanos > 0 && isLeaseAwaited(wanted);
            default -> false;
        };
    }

    private boolean isLeaseAwaited(int wanted) {
        return wanted == ANY_SLOT ? writer.isLeaseAwaited() : writer.isLeaseAwaited(wanted);
    }

    private int await(int wanted) {
        waiter = Thread.currentThread();
        try {
            int slot = closed.get() ? CLOSED : awaitReaders(wanted);
            return closed.get() ? CLOSED : counted(wanted, slot);
        } finally {
            waiter = null;
        }
    }

    private int awaitReaders(int wanted) {
        long start = System.nanoTime();
        int pauses = 1;
        int slot = lookOnceAnnounced(wanted);
        while (isWorthWaiting(wanted, slot) && !closed.get()) {
            long waited = System.nanoTime() - start;
            if (waited >= waitNanos || Thread.currentThread().isInterrupted()) {
                break;
            }
            pause(waited, pauses);
            pauses = Math.min(2 * pauses, MOST_PAUSES);
            slot = lookOnceAnnounced(wanted);
        }
        return slot;
    }

    /** Lets time pass between two looks: the more, the longer the wait has taken. */
    @SuppressWarnings("ThreadPriorityCheck") // who is waited for may need this core
    private void pause(long waited, int pauses) {
        if (waited < SPIN_NANOS) {
            for (int i = 0; i < pauses; i++) {
                Thread.onSpinWait();
            }
        } else if (waited < YIELD_NANOS) {
            Thread.yield();
        } else {
            long nap = Math.clamp(waited >> NAP_SHIFT, SHORTEST_NAP_NANOS, LONGEST_NAP_NANOS);
            LockSupport.parkNanos(this, Math.min(nap, waitNanos - waited));
        }
    }

    /** Looks for a slot; where the GPU is a whole ring behind, once it is not. */
    private int lookOnceAnnounced(int wanted) {
        int slot = look(wanted);
        long began = System.nanoTime();
        long deadline = began + GPU_PATIENCE.toNanos();
        long contextLook = began;
        while (slot == RingWriter.ALL_PENDING && !closed.get()) {
            long now = System.nanoTime();
            if (now - contextLook >= Announcer.LOOK_NANOS) {
                announcer.requireContext("its GPU to announce a frame");
                contextLook = now;
            }
            if (now - deadline > 0) {
                throw new CuframesException(
                        ErrorCode.TIMEOUT,
                        "the GPU has announced frame " + writer.announced() + " of \"" + key + "\" and not yet frame "
                                + writer.published() + " after 2 s: " + announcer.diagnose());
            }
            Thread.onSpinWait();
            slot = look(wanted);
        }
        return slot;
    }

    /** Ends a wait in another thread; when this returns, that thread uses nothing of the publisher any more. */
    void endWait() {
        for (Thread thread = waiter; thread != null; thread = waiter) {
            LockSupport.unpark(thread);
            LockSupport.parkNanos(CLOSE_RETRY_NANOS);
        }
    }
}
