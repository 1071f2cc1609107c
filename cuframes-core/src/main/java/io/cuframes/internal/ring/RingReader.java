// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.SubscriberMode;
import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.HeadWord;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.Shared;
import io.cuframes.internal.protocol.SlotDescriptor;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The reading side of the ring (docs/protocol.md, section 8): finds frames and leases them. One thread at a time takes; any thread
 * releases. Allocates nothing and takes no lock.
 */
public final class RingReader {
    /** {@link #take()}: there is no frame for this reader yet. */
    public static final long NOTHING = 0;

    /** The cursor of a reader that takes no more frames. */
    private static final long BEYOND_ALL = Long.MAX_VALUE;

    private final MemorySegment segment;
    private final MemorySegment control;
    private final int slots;
    private final boolean strict;
    private final ReadTally tally;
    private final PublishClock publishClock;

    /** When the frame at the cursor was delivered, or this reader began, by this process's own clock. Of the taking thread; stored before the cursor. */
    private final AtomicLong cursorNanos = new AtomicLong(System.nanoTime());

    private long cursor;
    private long missedBefore;

    /** Of this epoch, for the control page; the tally counts over all of them. */
    private long received;

    private long missed;
    private long timeouts;

    /**
     * Starts at the newest frame there is.
     *
     * @param segment the segment, mapped read-only
     * @param control this subscriber's control page, mapped for writing
     * @param slots slots of the ring
     * @param mode which frames to take
     * @param tally counts on
     */
    public RingReader(MemorySegment segment, MemorySegment control, int slots, SubscriberMode mode, ReadTally tally) {
        this.segment = segment;
        this.control = control;
        this.slots = slots;
        this.tally = tally;
        this.publishClock = new PublishClock(segment);
        this.strict = mode == SubscriberMode.STRICT_ORDER;
        this.cursor = Math.max(0, HeadWord.seq(head()) - 1);
        Shared.setIntOpaque(control, ControlDescriptor.MODE_OFFSET, mode.code());
        Shared.setLongOpaque(control, ControlDescriptor.CURSOR_OFFSET, cursor);
    }

    /**
     * Goes on behind a frame that was taken over an earlier connection to the same epoch, instead of at the newest: none is given twice, and
     * what passed between counts as missed. Before the first take.
     *
     * @param seq of that frame
     */
    public void resumeAfter(long seq) {
        if (seq <= HeadWord.seq(head())) { // otherwise the publisher lies about its epoch
            cursor = seq;
            Shared.setLongOpaque(control, ControlDescriptor.CURSOR_OFFSET, cursor);
        }
    }

    /** The head word. Acquire: the frame it names is complete, and so is every one before it. */
    public long head() {
        return Shared.getLongAcquire(segment, SegmentDescriptor.HEAD_OFFSET);
    }

    /** Whether the publisher has ended the stream. Acquire: no frame is announced after it. */
    public boolean ended() {
        return Shared.getIntAcquire(segment, SegmentDescriptor.STATE_OFFSET) == SegmentDescriptor.STATE_ENDED;
    }

    /** Whether there seems to be a frame to take. */
    public boolean hasNext() {
        return HeadWord.seq(head()) > cursor;
    }

    /**
     * Takes the next frame for this reader, if there is one, and leases its slot. Gives up after some tries where the publisher laps it at each.
     *
     * @return its head word, or {@link #NOTHING}
     */
    public long take() {
        return strict ? takeInOrder() : takeNewest();
    }

    /**
     * A writer that laps a reader at each of its tries has announced a ring of frames meanwhile: only one that does not write the frames can be so
     * fast for long, and it must not hold the caller beyond its timeout. Enough for one that stands still, whatever its ring holds.
     */
    private int mostTries() {
        return 2 * slots + 1;
    }

    private long takeNewest() {
        long word = head();
        for (int tries = 0; HeadWord.seq(word) > cursor && tries < mostTries(); tries++) {
            if (lease(word)) {
                return deliver(word);
            }
            long again = head();
            if (again == word) {
                return NOTHING; // the writer is overwriting even the newest frame: all others are leased
            }
            word = again;
        }
        return NOTHING;
    }

    private long takeInOrder() {
        long want = cursor + 1;
        long newest = HeadWord.seq(head());
        for (int tries = 0; want <= newest && tries < mostTries(); tries++) {
            long word = Shared.getLongAcquire(segment, SegmentDescriptor.indexOffset(want));
            if (HeadWord.seq(word) == want && lease(word)) {
                return deliver(word);
            }
            want = Math.max(want + 1, newest - slots + 1); // lapped
            newest = HeadWord.seq(head());
        }
        return NOTHING;
    }

    /** Leases the frame of that word, unless it is gone. */
    private boolean lease(long word) {
        int slot = slot(word);
        long seq = HeadWord.seq(word);
        Faults.reach(FaultPoint.FRAME_FOUND);
        Shared.setLongOpaque(control, ControlDescriptor.leaseOffset(slot), seq);
        Shared.fence(); // store lease, then load seq; the writer does it the other way round, so one of the two sees
        // the other
        Faults.reach(FaultPoint.LEASE_STORED);
        if (Shared.getLongAcquire(segment, SegmentDescriptor.slotOffset(slot) + SlotDescriptor.SEQ_OFFSET) == seq) {
            Faults.reach(FaultPoint.LEASE_CHECKED);
            return true;
        }
        release(slot);
        Faults.reach(FaultPoint.LEASE_WITHDRAWN);
        return false;
    }

    private int slot(long word) {
        int slot = HeadWord.slot(word);
        if (slot >= slots) {
            throw new CuframesException(
                    ErrorCode.PROTOCOL,
                    "the publisher announced frame " + HeadWord.seq(word) + " in slot " + slot + " of a ring of "
                            + slots + " slots: its segment is damaged");
        }
        return slot;
    }

    private long deliver(long word) {
        long seq = HeadWord.seq(word);
        missedBefore = seq - cursor - 1;
        cursor = seq;
        received++;
        Shared.setLongOpaque(control, ControlDescriptor.RECEIVED_OFFSET, received);
        if (missedBefore > 0) {
            missed += missedBefore;
            Shared.setLongOpaque(control, ControlDescriptor.MISSED_OFFSET, missed);
        }
        Faults.reach(FaultPoint.FRAME_TALLIED);
        long now = System.nanoTime();
        cursorNanos.setOpaque(now); // the release below orders it
        // Release: a publisher that waits for this reader sees the lease no later than that the frame has been taken.
        Shared.setLongRelease(control, ControlDescriptor.CURSOR_OFFSET, cursor);
        Faults.reach(FaultPoint.CURSOR_STORED);
        int slot = HeadWord.slot(word);
        boolean damaged = (flags(slot) & SlotDescriptor.DAMAGED) != 0;
        tally.countReceived(seq, ptsNanos(slot), damaged, missedBefore, publishTimeNanos(slot), now);
        return word;
    }

    /**
     * Tells a publisher that waits for strict readers not to wait for this one: a cursor beyond every frame. Its leases count until the connection ends.
     * For the thread that takes, or for one that knows that nobody takes any more.
     */
    public void leave() {
        Shared.setLongRelease(control, ControlDescriptor.CURSOR_OFFSET, BEYOND_ALL);
    }

    /** Ends the lease on a slot. Release: all reads of the frame come before it. */
    public void release(int slot) {
        Shared.setLongRelease(control, ControlDescriptor.leaseOffset(slot), 0);
    }

    /** Whether this reader's lease on a slot is set; a GPU may be about to clear it. */
    public boolean leases(int slot) {
        return Shared.getLongAcquire(control, ControlDescriptor.leaseOffset(slot)) != 0;
    }

    /** Presentation time of the leased frame in that slot. Opaque is enough here and below: the lease keeps it constant. */
    public long ptsNanos(int slot) {
        return Shared.getLongOpaque(segment, SegmentDescriptor.slotOffset(slot) + SlotDescriptor.PTS_OFFSET);
    }

    /** Publish time of the leased frame in that slot, by this process's clock. */
    public long publishTimeNanos(int slot) {
        return publishClock.of(slot);
    }

    /** Capture time of the leased frame in that slot; means something if the flags say so. */
    public long captureTimeNanos(int slot) {
        return Shared.getLongOpaque(segment, SegmentDescriptor.slotOffset(slot) + SlotDescriptor.CAPTURE_TIME_OFFSET);
    }

    /** Flags of the leased frame in that slot: bits of {@link SlotDescriptor}, and others of later versions. */
    public int flags(int slot) {
        return Shared.getIntOpaque(segment, SegmentDescriptor.slotOffset(slot) + SlotDescriptor.FLAGS_OFFSET);
    }

    /** How many bytes of user data the leased frame in that slot has: 0 to {@link SlotDescriptor#MAX_USER_DATA}, whatever the publisher says. */
    public int userDataLength(int slot) {
        int length = Shared.getIntOpaque(
                segment, SegmentDescriptor.slotOffset(slot) + SlotDescriptor.USER_DATA_LENGTH_OFFSET);
        return Integer.compareUnsigned(length, SlotDescriptor.MAX_USER_DATA) > 0
                ? SlotDescriptor.MAX_USER_DATA
                : length;
    }

    /** The user data of a slot, all of its room; read-only. */
    public MemorySegment userData(int slot) {
        return segment.asSlice(
                SegmentDescriptor.slotOffset(slot) + SlotDescriptor.USER_DATA_OFFSET, SlotDescriptor.MAX_USER_DATA);
    }

    /** Why the stream ended, as a reason of BYE; 0 if it has not. Read after {@link #ended()}. */
    public int endReason() {
        return Shared.getIntOpaque(segment, SegmentDescriptor.END_REASON_OFFSET);
    }

    /** Counts a wait that ended without a frame. */
    public void countTimeout() {
        timeouts++;
        tally.countTimeout();
        Shared.setLongOpaque(control, ControlDescriptor.TIMEOUTS_OFFSET, timeouts);
    }

    /** Frames between the one delivered before, or the beginning, and the one delivered last. */
    public long missedBefore() {
        return missedBefore;
    }

    /** The seq of the frame delivered last, or where this reader began. */
    public long cursor() {
        return cursor;
    }

    /**
     * For how long no frame has been there to take, by this process's own clock: since the last one was delivered, or since this reader began. What
     * the publisher says of its clock does not matter. From any thread.
     *
     * @param now {@link System#nanoTime()}
     * @return 0 while a frame is there
     */
    public long silentNanos(long now) {
        long taken = Shared.getLongAcquire(control, ControlDescriptor.CURSOR_OFFSET);
        long since = cursorNanos.getOpaque(); // of that cursor's frame, or a later one's
        return HeadWord.seq(head()) > taken ? 0 : Math.max(0, now - since);
    }

    /** Frames published and not delivered yet; never negative, whatever the publisher says. From any thread. */
    public long lag() {
        long taken = Shared.getLongAcquire(control, ControlDescriptor.CURSOR_OFFSET);
        long published = Shared.getLongOpaque(segment, SegmentDescriptor.PUBLISHED_OFFSET);
        return Math.max(0, published - taken);
    }
}
