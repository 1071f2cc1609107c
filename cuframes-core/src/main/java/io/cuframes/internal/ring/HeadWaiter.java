// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import io.cuframes.WaitStrategy;
import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import io.cuframes.internal.os.Futex;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.Shared;
import java.lang.foreign.MemorySegment;

/** Waits for the head to move (docs/protocol.md, section 9). One thread at a time; allocates nothing. */
public final class HeadWaiter {
    /** How long the adaptive strategy spins before it parks: about twice the 10 us that a parked reader takes to be woken. */
    private static final long ADAPTIVE_SPIN_NANOS = 20_000;

    private final MemorySegment segment;
    private final MemorySegment control;
    private final WaitStrategy strategy;
    private final long futexAddress;

    /**
     * For one subscriber.
     *
     * @param segment mapped read-only
     * @param control its control page, mapped for writing
     * @param strategy how to wait
     */
    public HeadWaiter(MemorySegment segment, MemorySegment control, WaitStrategy strategy) {
        this.segment = segment;
        this.control = control;
        this.strategy = strategy;
        this.futexAddress = segment.address() + SegmentDescriptor.HEAD_OFFSET;
    }

    /**
     * Waits until the head is another, the stream has ended, somebody calls {@link #wake}, or the time is over; may return early for no reason.
     *
     * @param seen the head word the caller has dealt with
     * @param nanos at most this long
     */
    public void await(long seen, long nanos) {
        switch (strategy) {
            case SPIN -> spin(seen, nanos, false);
            case YIELD -> spin(seen, nanos, true);
            case PARK -> park(seen, nanos);
            case ADAPTIVE -> {
                if (!spin(seen, Math.min(nanos, ADAPTIVE_SPIN_NANOS), false) && nanos > ADAPTIVE_SPIN_NANOS) {
                    park(seen, nanos - ADAPTIVE_SPIN_NANOS);
                }
            }
        }
    }

    /** Whether there is something for the caller to look at: a new head or the end. */
    private boolean moved(long seen) {
        return Shared.getLongAcquire(segment, SegmentDescriptor.HEAD_OFFSET) != seen
                || Shared.getIntAcquire(segment, SegmentDescriptor.STATE_OFFSET) == SegmentDescriptor.STATE_ENDED;
    }

    @SuppressWarnings("ThreadPriorityCheck") // giving the core away is what the YIELD strategy is
    private boolean spin(long seen, long nanos, boolean yield) {
        long start = System.nanoTime();
        while (!moved(seen)) {
            if (System.nanoTime() - start >= nanos) {
                return false;
            }
            if (yield) {
                Thread.yield();
            } else {
                Thread.onSpinWait();
            }
        }
        return true;
    }

    private void park(long seen, long nanos) {
        Shared.setIntOpaque(control, ControlDescriptor.WAITING_OFFSET, 1);
        Shared.fence(); // store waiting, then load head; the publisher stores head, then loads waiting
        Faults.reach(FaultPoint.WAITING_STORED);
        if (!moved(seen)) {
            Futex.await(futexAddress, (int) seen, nanos);
        }
        Faults.reach(FaultPoint.WOKEN);
        Shared.setIntOpaque(control, ControlDescriptor.WAITING_OFFSET, 0);
    }

    /** Wakes a thread of this process that waits here, and, harmlessly, all other readers of the stream. */
    public void wake() {
        Futex.wakeAll(futexAddress);
    }
}
