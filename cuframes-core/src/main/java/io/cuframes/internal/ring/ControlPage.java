// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import io.cuframes.SubscriberLag;
import io.cuframes.SubscriberMode;
import io.cuframes.internal.os.ArenaEnd;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.DeviceUuid;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.Shared;
import io.cuframes.internal.protocol.SlotDescriptor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The publisher's view of one subscriber's control page, and what the publisher keeps of that reader besides: whether it is waited for, and
 * since when it keeps the writer from a slot. The mapping is read-only, and nothing read from it is trusted. Closed by whoever took it out of its
 * {@link ReaderSet}.
 */
public final class ControlPage implements AutoCloseable {
    private static final long NEVER = -1;

    /**
     * Looks at the leases that it takes to prove too many. They are not looked at in one moment, so a reader that ends one lease and begins another
     * may seem to have both; for it to have seemed so at each of so many looks, at uneven distances, is out of the question.
     */
    private static final int PROOF_LOOKS = 32;

    /** Suspicions without a proof that are one: of a reader that clears its leases for moments. One look without a suspicion takes back two. */
    private static final int MOST_SUSPICIONS = 50;

    /**
     * Whose page it is, as the handshake told.
     *
     * @param number that the publisher gave it
     * @param name what it calls itself
     * @param pid its process id, 0 where the kernel knows none here
     * @param mode which frames it asks for
     * @param maxLeases slots that it may lease at a time
     */
    public record Owner(int number, String name, int pid, SubscriberMode mode, int maxLeases) {}

    private final Arena arena;
    private final MemorySegment memory;
    private final Owner owner;

    /** It has said READY. Written by the server thread. */
    private volatile boolean ready;

    /** Guarded by this: statistics may be asked for while the server lets go of the page. */
    private boolean closed;

    /** Whether the writer is to wait for this reader; written by the server thread alone. */
    private final AtomicBoolean awaited = new AtomicBoolean();

    /** Whether the writer has given this reader up; written by the writer thread alone, once, after what it says of it. */
    private final AtomicBoolean stalled = new AtomicBoolean();

    /** Whether it held more than it may; written by the writer thread alone, once. */
    private final AtomicBoolean overdrawn = new AtomicBoolean();

    /** Looks at which it seemed to hold too many, less those at which it did not. Writer thread alone. */
    private int suspicions;

    /** How far this reader had come when it was found to keep a slot from the writer, the last time that it was further than before. Writer thread alone. */
    private long blockedAt = NEVER;

    /** The cursor when the writer last looked for itself; never more than was published. Writer thread alone. */
    private long taken;

    private long blockedSinceNanos;
    private long stalledAt;
    private long stalledForNanos;

    /**
     * Takes over a mapping.
     *
     * @param arena owns the mapping; closed with this page
     * @param memory the page, {@link ControlDescriptor#LENGTH} bytes
     * @param owner whose it is
     */
    public ControlPage(Arena arena, MemorySegment memory, Owner owner) {
        this.arena = arena;
        this.memory = memory;
        this.owner = owner;
    }

    /** Whose page it is. */
    public Owner owner() {
        return owner;
    }

    /** Server: the subscriber reads from here on, and a strict one is waited for. */
    public void setReady() {
        ready = true;
        awaited.setRelease(owner.mode() == SubscriberMode.STRICT_ORDER);
    }

    /** Whether the subscriber says it reads what is in that slot. Acquire: its reads of an ended lease come before what the caller writes next. */
    boolean leases(int slot) {
        return Shared.getLongAcquire(memory, ControlDescriptor.leaseOffset(slot)) != 0;
    }

    /**
     * Writer: looks whether this reader leases more slots than it may. Within a scan; no slot is published meanwhile, so a lease that an honest
     * reader has ended is not one again.
     *
     * @param slots slots of the ring
     * @return whether it has been found out just now
     */
    boolean findOverdrawn(int slots) {
        if (overdrawn.getPlain()) {
            return false;
        }
        long held = leasedAmong(-1L, slots);
        if (!isTooMany(held)) {
            suspicions = Math.max(0, suspicions - 2);
            return false;
        }
        suspicions++;
        for (int look = 0; look < PROOF_LOOKS && isTooMany(held); look++) {
            for (int pause = look % 7; pause > 0; pause--) {
                Thread.onSpinWait();
            }
            held = leasedAmong(held, slots);
        }
        if (!isTooMany(held) && suspicions < MOST_SUSPICIONS) {
            return false;
        }
        overdrawn.setRelease(true);
        return true;
    }

    private boolean isTooMany(long leased) {
        return Long.bitCount(leased) > owner.maxLeases();
    }

    private long leasedAmong(long candidates, int slots) {
        long leased = 0;
        for (int slot = 0; slot < slots; slot++) {
            if ((candidates >>> slot & 1) != 0 && leases(slot)) {
                leased |= 1L << slot;
            }
        }
        return leased;
    }

    /** Whether the writer has found this reader to hold more than it may. */
    public boolean isOverdrawn() {
        return overdrawn.getAcquire();
    }

    /** Whether the subscriber sleeps on the head or is about to. */
    boolean waits() {
        return Shared.getIntOpaque(memory, ControlDescriptor.WAITING_OFFSET) != 0;
    }

    /** The frame that the subscriber says it took last; any number. Acquire: where it is true, the lease on that frame and earlier ones is seen. */
    public long cursor() {
        return Shared.getLongAcquire(memory, ControlDescriptor.CURSOR_OFFSET);
    }

    /** Server: the subscriber is cut off, and not to be waited for any more. */
    public void setCutOff() {
        awaited.setRelease(false);
    }

    /** Writer: whether this reader is waited for. */
    boolean isAwaited() {
        return awaited.getAcquire() && !stalled.getPlain();
    }

    /**
     * Writer: whether this reader is waited for and has not taken that frame yet. A reader that said before that it has come further is not asked
     * again, so that its line stays with it: with the cursor came the leases on all frames up to there.
     *
     * @param published the last frame published; who says more has said nothing
     */
    boolean awaits(long seq, long published) {
        if (!isAwaited() || taken >= seq) {
            return false;
        }
        long at = cursor();
        if (Long.compareUnsigned(at, published) <= 0) {
            taken = at;
        }
        return Long.compareUnsigned(at, seq) < 0;
    }

    /**
     * Writer: notes that this reader keeps a slot from it. Only the way forward counts, so that one whose cursor goes to and fro stands still.
     *
     * @param floor no reader that is waited for can be this far behind: a cursor below it counts as here
     * @param nowNanos monotonic time
     * @return for how long it has stood still in the way, nanoseconds
     */
    long blocks(long floor, long nowNanos) {
        long at = Math.max(floor, cursor());
        if (at > blockedAt) {
            blockedAt = at;
            blockedSinceNanos = nowNanos;
        }
        return nowNanos - blockedSinceNanos;
    }

    /** Writer: waits for this reader no longer. Its leases count as before. */
    void giveUp(long afterNanos) {
        stalledAt = cursor();
        stalledForNanos = afterNanos;
        stalled.setRelease(true);
    }

    /** Whether the writer has given this reader up. */
    public boolean hasStalled() {
        return stalled.getAcquire();
    }

    /** Where this reader's cursor was when it was given up. */
    public long stalledAt() {
        return stalledAt;
    }

    /** For how long it had then kept the writer from a slot and not moved, nanoseconds. */
    public long stalledForNanos() {
        return stalledForNanos;
    }

    /** The slots that the subscriber says it reads, as bits; none once the page is closed. From any thread but the writer's. */
    public synchronized long leasedSlots(int slots) {
        long leased = 0;
        for (int slot = 0; slot < slots && !closed; slot++) {
            if (leases(slot)) {
                leased |= 1L << slot;
            }
        }
        return leased;
    }

    /**
     * How long ago the oldest frame was published that the subscriber reads: it has kept that slot for no longer, and mostly for about as long. From any
     * thread but the writer's.
     *
     * @param slots slots of the ring
     * @param segment the ring's
     * @return nanoseconds; 0 if it reads none
     */
    public synchronized long heldNanos(int slots, MemorySegment segment) {
        long held = 0;
        long now = System.nanoTime();
        for (int slot = 0; slot < slots && !closed; slot++) {
            long seq = Shared.getLongAcquire(memory, ControlDescriptor.leaseOffset(slot));
            long at = SegmentDescriptor.slotOffset(slot);
            // A lease on another frame than the slot has is about to be withdrawn. Under one on this frame, the
            // slot's metadata do not change.
            if (seq != 0 && seq == Shared.getLongAcquire(segment, at + SlotDescriptor.SEQ_OFFSET)) {
                held = Math.max(held, now - Shared.getLongOpaque(segment, at + SlotDescriptor.PUBLISH_TIME_OFFSET));
            }
        }
        return held;
    }

    /**
     * What the subscriber says of itself, within what is possible. From any thread but the writer's.
     *
     * @param published frames published, as of just before
     * @param slots slots of the ring
     * @param segment the ring's
     * @return null if it does not read yet or is gone
     */
    public synchronized SubscriberLag lag(long published, int slots, MemorySegment segment) {
        if (!ready || closed) {
            return null;
        }
        long cursor = atMost(published, ControlDescriptor.CURSOR_OFFSET);
        return new SubscriberLag(
                owner.number(),
                owner.name(),
                owner.pid(),
                owner.mode(),
                cursor,
                published - cursor,
                Long.bitCount(leasedSlots(slots)),
                atMost(published, ControlDescriptor.RECEIVED_OFFSET),
                atMost(published, ControlDescriptor.MISSED_OFFSET),
                atMost(Long.MAX_VALUE, ControlDescriptor.TIMEOUTS_OFFSET),
                waits(),
                hasStalled(),
                heldNanos(slots, segment));
    }

    /**
     * The GPU that the subscriber says it reads on. From any thread. Plain loads: it was stored before READY was sent, and is shown to people alone.
     *
     * @return {@link DeviceUuid#NONE} if it reads in host memory, does not read yet or is gone
     */
    public synchronized DeviceUuid device() {
        return ready && !closed
                ? DeviceUuid.read(memory.asSlice(ControlDescriptor.DEVICE_UUID_OFFSET, DeviceUuid.LENGTH))
                : DeviceUuid.NONE;
    }

    /** A count of the page; unsigned, so that what it holds may look negative here. */
    private long atMost(long most, long offset) {
        long count = Shared.getLongOpaque(memory, offset);
        return Long.compareUnsigned(count, most) > 0 ? most : count;
    }

    @Override
    public synchronized void close() {
        closed = true;
        ArenaEnd.close(arena, "a control page");
    }
}
