// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import io.cuframes.WaitStrategy;
import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import io.cuframes.internal.os.Futex;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.HeadWord;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.Shared;
import java.lang.foreign.MemorySegment;

/**
 * Waits for the head to move (docs/protocol.md, section 9). Sleeping readers wait for {@code published}, which the publisher's CPU stores as it hands a
 * frame over and whose sleepers it wakes, and only then for the head: a GPU, which may write that, cannot wake anybody. One thread at a time;
 * allocates nothing.
 */
public final class HeadWaiter {
    /** How long the adaptive strategy spins before it parks, where it cannot tell when the next frame is due: about twice the 10 us that a parked reader takes to be woken. */
    private static final long ADAPTIVE_SPIN_NANOS = 20_000;

    /** Looks at the head for one at the clock, which takes longer: a power of two. With the pauses between them, less than a microsecond. */
    private static final int LOOKS_PER_CLOCK = 16;

    /** How long a reader looks for a frame that is on its way through the GPU before it naps between looks: the copy of a 4K frame and its announcement take less. */
    private static final long ARRIVAL_SPIN_NANOS = 100_000;

    /** Naps last an eighth of the time that the frame has been on its way: no frame is noticed later than that, and a GPU that hangs costs little. */
    private static final int NAP_SHIFT = 3;

    private static final long MIN_NAP_NANOS = 20_000;
    private static final long MAX_NAP_NANOS = 5_000_000;

    private final MemorySegment segment;
    private final MemorySegment control;
    private final int slots;
    private final WaitStrategy strategy;
    private final ArrivalForecast forecast = new ArrivalForecast();
    private final long headAddress;
    private final long publishedAddress;
    private final PublishClock publishClock;

    /**
     * For one subscriber.
     *
     * @param segment mapped read-only
     * @param control its control page, mapped for writing
     * @param slots of the ring
     * @param strategy how to wait
     */
    public HeadWaiter(MemorySegment segment, MemorySegment control, int slots, WaitStrategy strategy) {
        this.segment = segment;
        this.control = control;
        this.slots = slots;
        this.strategy = strategy;
        this.publishClock = new PublishClock(segment);
        this.headAddress = segment.address() + SegmentDescriptor.HEAD_OFFSET;
        this.publishedAddress = segment.address() + SegmentDescriptor.PUBLISHED_OFFSET;
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
            case ADAPTIVE -> adapt(seen, nanos);
        }
    }

    /** Spins for a frame that is due, and sleeps until then; where there is no telling, spins for a moment and sleeps. */
    private void adapt(long seen, long nanos) {
        observe(seen);
        long start = System.nanoTime();
        long awakeAt = forecast.awakeAt();
        if (awakeAt == ArrivalForecast.UNKNOWN || start - forecast.lateAt() >= 0) {
            if (!spin(seen, Math.min(nanos, ADAPTIVE_SPIN_NANOS), false) && nanos > ADAPTIVE_SPIN_NANOS) {
                park(seen, nanos - ADAPTIVE_SPIN_NANOS);
            }
            return;
        }
        long ahead = awakeAt - start;
        if (ahead >= nanos) {
            park(seen, nanos);
            return;
        }
        if (ahead > 0) {
            park(seen, ahead);
            long now = System.nanoTime();
            if (now - awakeAt < 0 || moved(seen)) {
                return; // earlier than forecast, or woken for something else
            }
            forecast.woke(awakeAt, now);
        }
        spin(seen, Math.min(nanos - Math.max(0, ahead), forecast.lateAt() - System.nanoTime()), false);
    }

    /** Shows the forecast the newest frame. Its slot may be overwritten meanwhile: then the forecast is worse, and nothing else. */
    private void observe(long seen) {
        int slot = HeadWord.slot(seen);
        long seq = HeadWord.seq(seen);
        if (seq > 0 && slot < slots) {
            forecast.observe(seq, publishClock.of(slot));
        }
    }

    /** Whether there is something for the caller to look at: a new head or the end. */
    private boolean moved(long seen) {
        return Shared.getLongAcquire(segment, SegmentDescriptor.HEAD_OFFSET) != seen
                || Shared.getIntAcquire(segment, SegmentDescriptor.STATE_OFFSET) == SegmentDescriptor.STATE_ENDED;
    }

    private long published() {
        return Shared.getLongAcquire(segment, SegmentDescriptor.PUBLISHED_OFFSET);
    }

    @SuppressWarnings("ThreadPriorityCheck") // giving the core away is what the YIELD strategy is
    private boolean spin(long seen, long nanos, boolean yield) {
        long start = System.nanoTime();
        for (int looks = 1; !moved(seen); looks++) {
            if ((yield || looks % LOOKS_PER_CLOCK == 0) && System.nanoTime() - start >= nanos) {
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
        long start = System.nanoTime();
        long known = published();
        if (known <= HeadWord.seq(seen)) { // no frame is on its way
            sleep(seen, known, nanos);
        }
        awaitArrival(seen, nanos - (System.nanoTime() - start));
    }

    private void sleep(long seen, long known, long nanos) {
        Shared.setIntOpaque(control, ControlDescriptor.WAITING_OFFSET, 1);
        Shared.fence(); // store waiting, then load published; the publisher stores published, then loads waiting
        Faults.reach(FaultPoint.WAITING_STORED);
        if (published() == known && !moved(seen)) {
            Futex.await(publishedAddress, (int) known, nanos);
        }
        Faults.reach(FaultPoint.WOKEN);
        Shared.setIntOpaque(control, ControlDescriptor.WAITING_OFFSET, 0);
    }

    /** Waits for the head while a frame is on its way to it: a GPU is at work on it, or a CPU is about to store it. */
    @SuppressWarnings("ThreadPriorityCheck") // whoever else wants the core may have it meanwhile
    private void awaitArrival(long seen, long nanos) {
        long start = System.nanoTime();
        while (!moved(seen)
                && published() > HeadWord.seq(seen)) { // not more than that any longer: the frame was withdrawn
            long spent = System.nanoTime() - start;
            if (spent >= nanos) {
                return;
            }
            if (spent < ARRIVAL_SPIN_NANOS) {
                Thread.yield();
            } else {
                long nap = Math.clamp(spent >> NAP_SHIFT, MIN_NAP_NANOS, MAX_NAP_NANOS);
                Futex.await(headAddress, (int) seen, Math.min(nap, nanos - spent));
            }
        }
    }

    /** Wakes a thread of this process that waits here, and, harmlessly, all other readers of the stream. */
    public void wake() {
        ReaderWaker.wakeAll(segment);
    }
}
