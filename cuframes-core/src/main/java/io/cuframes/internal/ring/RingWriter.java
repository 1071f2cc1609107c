// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import io.cuframes.internal.protocol.HeadWord;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.Shared;
import io.cuframes.internal.protocol.SlotDescriptor;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The writing side of the ring (docs/protocol.md, section 7): takes slots that nobody reads and names frames to readers. One thread at a
 * time; allocates nothing and takes no lock.
 */
public final class RingWriter {
    /** {@link #take()}: every slot is leased, withheld or in the caller's hands. */
    public static final int ALL_LEASED = -1;

    /** {@link #take()}: none is free now, but frames that the GPU has not announced yet will be once it has. */
    public static final int ALL_PENDING = -2;

    /** {@link #take()}: no slot is to be had until a reader that is waited for has taken a frame. */
    public static final int UNREAD = -3;

    private static final long UNGATED = 0;
    private static final long FREE = 0;
    private static final long TAKEN = -1;

    private final MemorySegment segment;
    private final ReaderSet readers;

    /** What each slot holds: FREE, TAKEN (withheld ones, too), or the seq of a published frame. */
    private final long[] holds;

    /** The slots that are FREE, as bits. */
    private long free;

    /** The slots that are withheld, as bits: given back, and not to be taken before work is done that is queued on a GPU and may write there. */
    private long withheld;

    /**
     * The slots with published frames by age, oldest first: which slot comes after each, and which before. A last entry stands for both ends, so that the
     * slot to take is found at once however many there are.
     */
    private final int[] newer;

    private final int[] older;

    /** The entry of both ends. */
    private final int end;

    /** Opaque, these counters: written by the writer thread alone, read by any. */
    private final AtomicLong published = new AtomicLong();

    private final AtomicLong dropped = new AtomicLong();
    private final AtomicLong refused = new AtomicLong();
    private final AtomicLong stalled = new AtomicLong();
    private final AtomicLong overdrawn = new AtomicLong();
    private final AtomicLong damaged = new AtomicLong();

    /** How long a reader that is waited for may keep a slot from the writer without a step; UNGATED where none is waited for. */
    private final long graceNanos;

    private long lastPts;
    private long ptsBeforeLast;
    private long damagedBeforeLast;

    /**
     * A writer that waits for no reader. Starts with every slot free.
     *
     * @param segment the segment, mapped for writing
     * @param slots slots of the ring
     * @param readers the admitted subscribers
     */
    public RingWriter(MemorySegment segment, int slots, ReaderSet readers) {
        this(segment, slots, readers, UNGATED);
    }

    /**
     * A writer that leaves alone what readers it waits for have yet to take. Starts with every slot free.
     *
     * @param segment the segment, mapped for writing
     * @param slots slots of the ring
     * @param readers the admitted subscribers
     * @param graceNanos how long a reader may keep a slot from the writer without taking a frame before it is waited for no longer; more than 0
     */
    public RingWriter(MemorySegment segment, int slots, ReaderSet readers, long graceNanos) {
        this.segment = segment;
        this.readers = readers;
        this.holds = new long[slots];
        this.graceNanos = graceNanos;
        this.free = -1L >>> (Long.SIZE - slots);
        this.end = slots;
        this.newer = new int[slots + 1];
        this.older = new int[slots + 1];
        newer[end] = end;
        older[end] = end;
    }

    /**
     * Takes a slot for writing: one that is free, else the one with the oldest frame that nobody leases and all have taken that are waited for.
     * Never waits.
     *
     * @return the slot, or {@link #ALL_LEASED}, {@link #ALL_PENDING} or {@link #UNREAD}
     */
    public int take() {
        if (free != 0) {
            // No scan: its seq word is 0 since before the last scan, so every lease taken on it since has failed.
            return taken(Long.numberOfTrailingZeros(free));
        }
        int slot;
        readers.beginScan();
        try {
            slot = takeOldest();
        } finally { // also of a page that is unmapped, or without stack: whoever removes a page waits for it
            readers.endScan();
        }
        if (slot >= 0) {
            return taken(slot);
        }
        if (slot == ALL_LEASED) {
            findOverdrawn();
        }
        return slot;
    }

    /** Within a scan: one for all that is looked at, since each costs a fence. */
    private int takeOldest() {
        long announced = announced();
        for (int slot = newer[end]; slot != end; slot = newer[slot]) {
            if (holds[slot] > announced) {
                return ALL_PENDING;
            }
            if (graceNanos != UNGATED && isUnread(holds[slot])) {
                return UNREAD; // and so are all that are newer
            }
            if (reclaim(slot)) {
                return slot;
            }
        }
        return ALL_LEASED;
    }

    /** Notes that a slot that was free, or held a frame, is the caller's. */
    private int taken(int slot) {
        if (holds[slot] == FREE) {
            free &= ~(1L << slot);
        } else {
            leaveOrder(slot);
        }
        holds[slot] = TAKEN;
        return slot;
    }

    private void leaveOrder(int slot) {
        newer[older[slot]] = newer[slot];
        older[newer[slot]] = older[slot];
    }

    private void joinOrderAsNewest(int slot) {
        int newest = older[end];
        newer[newest] = slot;
        older[slot] = newest;
        newer[slot] = end;
        older[end] = slot;
    }

    /**
     * Takes a particular slot for writing, unless somebody leases it or has yet to take its frame. Never waits.
     *
     * @param slot that the caller does not have already
     * @return the slot, or {@link #ALL_LEASED} (also where it is withheld), {@link #ALL_PENDING} or {@link #UNREAD} where it is that one's case
     */
    public int take(int slot) {
        if ((withheld & 1L << slot) != 0) {
            return ALL_LEASED;
        }
        if (holds[slot] == TAKEN) {
            throw new IllegalStateException("slot " + slot + " is acquired already: publish or close its frame first");
        }
        if (holds[slot] > announced()) {
            return ALL_PENDING;
        }
        if (holds[slot] != FREE) {
            boolean unread;
            boolean reclaimed;
            readers.beginScan();
            try {
                unread = graceNanos != UNGATED && isUnread(holds[slot]);
                reclaimed = !unread && reclaim(slot);
            } finally {
                readers.endScan();
            }
            if (unread) {
                return UNREAD;
            }
            if (!reclaimed) {
                findOverdrawn();
                return ALL_LEASED;
            }
        }
        return taken(slot);
    }

    /**
     * Whether a reader that is waited for has yet to take that frame. Comes before the look at the leases: whoever has taken it is then seen to
     * lease it. Gives up readers that have been in the way for too long. Within a scan.
     */
    private boolean isUnread(long seq) {
        boolean unread = false;
        for (ControlPage page : readers.pages()) {
            if (page.awaits(seq, published.getPlain())) {
                unread |= !giveUpIfStalled(page);
            }
        }
        return unread;
    }

    /** Whether a reader that is waited for leases some slot: where {@link #take()} finds all leased, that may change by waiting. */
    public boolean isLeaseAwaited() {
        return isLeaseAwaited(0, holds.length);
    }

    /** The same, of one slot: where {@link #take(int)} finds it leased. */
    public boolean isLeaseAwaited(int slot) {
        return isLeaseAwaited(slot, slot + 1);
    }

    private boolean isLeaseAwaited(int from, int end) {
        boolean awaited = false;
        readers.beginScan();
        try {
            for (ControlPage page : readers.pages()) {
                for (int slot = from; slot < end && page.isAwaited(); slot++) {
                    awaited |= page.leases(slot);
                }
            }
        } finally {
            readers.endScan();
        }
        return awaited;
    }

    /** Looks for readers that hold more than they may, now that a slot is wanted and none is to be had. Their leases count until the server cuts them off. */
    private void findOverdrawn() {
        readers.beginScan();
        try {
            for (ControlPage page : readers.pages()) {
                if (page.findOverdrawn(holds.length)) {
                    overdrawn.setOpaque(overdrawn.getPlain() + 1);
                }
            }
        } finally {
            readers.endScan();
        }
    }

    /** Notes that a reader is in the way; true if it has stood still there for too long, and is waited for no longer. */
    private boolean giveUpIfStalled(ControlPage page) {
        long nanos = page.blocks(Math.max(0, published.getPlain() - holds.length), System.nanoTime());
        if (nanos < graceNanos) {
            return false;
        }
        page.giveUp(nanos);
        count(stalled, SegmentDescriptor.STALLED_OFFSET);
        return true;
    }

    /** Invalidates the slot's frame unless somebody reads it. Within a scan. */
    private boolean reclaim(int slot) {
        boolean leased = isLeased(slot); // not the proof, but it leaves a frame alone that is being read
        if (!leased) {
            long seqOffset = SegmentDescriptor.slotOffset(slot) + SlotDescriptor.SEQ_OFFSET;
            Faults.reach(FaultPoint.LEASES_LOOKED_AT);
            Shared.setLongOpaque(segment, seqOffset, 0);
            Shared.fence(); // store seq, then load leases; the reader does it the other way round, so one of the two
            // sees the other
            Faults.reach(FaultPoint.SLOT_INVALIDATED);
            leased = isLeased(slot);
            if (leased) {
                Shared.setLongRelease(segment, seqOffset, holds[slot]);
                Faults.reach(FaultPoint.SLOT_RESTORED);
            } else {
                Faults.reach(FaultPoint.LEASES_SCANNED);
            }
        }
        return !leased;
    }

    private boolean isLeased(int slot) {
        for (ControlPage page : readers.pages()) {
            if (page.leases(slot)) {
                return true;
            }
        }
        return false;
    }

    /** Gives a taken slot back unpublished. */
    public void giveBack(int slot) {
        if (holds[slot] > FREE) {
            leaveOrder(slot); // it was withdrawn
        }
        holds[slot] = FREE; // its seq word stays 0
        free |= 1L << slot;
    }

    /** Gives a slot back that is not to be taken before {@link #restore}; it is taken, or free since it was just withdrawn. */
    public void withhold(int slot) {
        giveBack(slot);
        free &= ~(1L << slot);
        holds[slot] = TAKEN;
        withheld |= 1L << slot;
    }

    /** The slots that are withheld, as bits. */
    public long withheld() {
        return withheld;
    }

    /** Ends a {@link #withhold}: the slot is free. */
    public void restore(int slot) {
        withheld &= ~(1L << slot);
        giveBack(slot);
    }

    /**
     * Names the frame in a taken slot: everything but the head word. The caller announces the returned word, in stream order behind the
     * pixels, or by {@link #announce}.
     *
     * @param slot taken, its pixels written or queued, and its user data written
     * @param ptsNanos presentation time
     * @param nowNanos monotonic time
     * @param captureTimeNanos wall time; 0 unless the flags have CAPTURE_TIME
     * @param flags KEY_FRAME, CAPTURE_TIME and DAMAGED of {@link SlotDescriptor}; PTS_BACKWARD is found here
     * @param userDataLength bytes of user data
     * @return the head word that announces the frame
     */
    public long name(int slot, long ptsNanos, long nowNanos, long captureTimeNanos, int flags, int userDataLength) {
        long seq = published.getPlain() + 1;
        int allFlags = seq > 1 && ptsNanos < lastPts ? flags | SlotDescriptor.PTS_BACKWARD : flags;
        ptsBeforeLast = lastPts;
        lastPts = ptsNanos;
        damagedBeforeLast = damaged.getPlain();
        published.setOpaque(seq);
        long word = HeadWord.of(seq, slot);
        long at = SegmentDescriptor.slotOffset(slot);
        holds[slot] = seq;
        joinOrderAsNewest(slot);
        Shared.setLongOpaque(segment, at + SlotDescriptor.PTS_OFFSET, ptsNanos);
        Shared.setLongOpaque(segment, at + SlotDescriptor.PUBLISH_TIME_OFFSET, nowNanos);
        Shared.setLongOpaque(segment, at + SlotDescriptor.CAPTURE_TIME_OFFSET, captureTimeNanos);
        Shared.setIntOpaque(segment, at + SlotDescriptor.FLAGS_OFFSET, allFlags);
        Shared.setIntOpaque(segment, at + SlotDescriptor.USER_DATA_LENGTH_OFFSET, userDataLength);
        Faults.reach(FaultPoint.SLOT_DESCRIBED);
        Shared.setLongRelease(segment, at + SlotDescriptor.SEQ_OFFSET, seq);
        Faults.reach(FaultPoint.SLOT_NAMED);
        Shared.setLongRelease(segment, SegmentDescriptor.indexOffset(seq), word);
        Faults.reach(FaultPoint.FRAME_INDEXED);
        if ((flags & SlotDescriptor.DAMAGED) != 0) {
            count(damaged, SegmentDescriptor.DAMAGED_OFFSET);
        }
        Shared.setLongRelease(segment, SegmentDescriptor.PUBLISHED_OFFSET, seq);
        Faults.reach(FaultPoint.FRAME_COUNTED);
        return word;
    }

    /**
     * Takes back the frame that was named last and could not be announced: no reader has seen it, the slot is given back, and the next frame has
     * its number.
     *
     * @param word what {@link #name} returned
     */
    public void withdraw(long word) {
        int slot = HeadWord.slot(word);
        long before = HeadWord.seq(word) - 1;
        Shared.setLongRelease(segment, SegmentDescriptor.slotOffset(slot) + SlotDescriptor.SEQ_OFFSET, 0);
        Shared.setLongRelease(segment, SegmentDescriptor.PUBLISHED_OFFSET, before);
        published.setOpaque(before);
        lastPts = ptsBeforeLast;
        set(damaged, SegmentDescriptor.DAMAGED_OFFSET, damagedBeforeLast);
        giveBack(slot);
    }

    /** Announces a HOST frame: release, so that whoever sees the head sees the pixels. */
    public void announce(long word) {
        Shared.setLongRelease(segment, SegmentDescriptor.HEAD_OFFSET, word);
    }

    /** Whether some subscriber sleeps, or is about to, after a frame was published. */
    public boolean anyoneWaits() {
        readers.beginScan(); // its fence: store published, then load waiting; the reader does it the other way round
        try {
            for (ControlPage page : readers.pages()) {
                if (page.waits()) {
                    return true;
                }
            }
            return false;
        } finally {
            readers.endScan();
        }
    }

    /** Counts a frame that found every slot leased. */
    public void countDropped() {
        count(dropped, SegmentDescriptor.DROPPED_OFFSET);
    }

    /** Counts a frame that found no slot that all have read who are waited for. */
    public void countRefused() {
        count(refused, SegmentDescriptor.REFUSED_OFFSET);
    }

    private void count(AtomicLong counter, long offset) {
        set(counter, offset, counter.getPlain() + 1);
    }

    private void set(AtomicLong counter, long offset, long count) {
        counter.setOpaque(count);
        Shared.setLongRelease(segment, offset, count);
    }

    /** The seq of the newest frame that is complete and announced. Acquire: the GPU or this CPU wrote it. */
    public long announced() {
        return HeadWord.seq(Shared.getLongAcquire(segment, SegmentDescriptor.HEAD_OFFSET));
    }

    /** The seq of the last frame named. */
    public long published() {
        return published.getOpaque();
    }

    /** Frames that found every slot leased. */
    public long dropped() {
        return dropped.getOpaque();
    }

    /** Frames that found no slot that all had read who are waited for. */
    public long refused() {
        return refused.getOpaque();
    }

    /** Frames named that are marked as damaged. */
    public long damaged() {
        return damaged.getOpaque();
    }

    /** Readers that are waited for no longer. */
    public long stalled() {
        return stalled.getOpaque();
    }

    /** Readers that held more than they may when a slot was wanted. */
    public long overdrawn() {
        return overdrawn.getOpaque();
    }
}
