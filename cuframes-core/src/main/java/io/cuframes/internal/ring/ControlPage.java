// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.Shared;
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

    private final Arena arena;
    private final MemorySegment memory;

    /** Whether the writer is to wait for this reader; written by the server thread alone. */
    private final AtomicBoolean awaited = new AtomicBoolean();

    /** Whether the writer has given this reader up; written by the writer thread alone, once, after what it says of it. */
    private final AtomicBoolean stalled = new AtomicBoolean();

    /** How far this reader had come when it was found to keep a slot from the writer, the last time that it was further than before. Writer thread alone. */
    private long blockedAt = NEVER;

    private long blockedSinceNanos;
    private long stalledAt;
    private long stalledForNanos;

    /**
     * Takes over a mapping.
     *
     * @param arena owns the mapping; closed with this page
     * @param memory the page, {@link ControlDescriptor#LENGTH} bytes
     */
    public ControlPage(Arena arena, MemorySegment memory) {
        this.arena = arena;
        this.memory = memory;
    }

    /** Whether the subscriber says it reads what is in that slot. Acquire: its reads of an ended lease come before what the caller writes next. */
    boolean leases(int slot) {
        return Shared.getLongAcquire(memory, ControlDescriptor.leaseOffset(slot)) != 0;
    }

    /** How many of the first so many slots the subscriber says it reads. */
    public int held(int slots) {
        int held = 0;
        for (int slot = 0; slot < slots; slot++) {
            if (leases(slot)) {
                held++;
            }
        }
        return held;
    }

    /** Whether the subscriber sleeps on the head or is about to. */
    boolean waits() {
        return Shared.getIntOpaque(memory, ControlDescriptor.WAITING_OFFSET) != 0;
    }

    /** The frame that the subscriber says it took last; any number. Acquire: where it is true, the lease on that frame and earlier ones is seen. */
    public long cursor() {
        return Shared.getLongAcquire(memory, ControlDescriptor.CURSOR_OFFSET);
    }

    /** The frames that the subscriber says it has taken; any number. */
    public long received() {
        return Shared.getLongOpaque(memory, ControlDescriptor.RECEIVED_OFFSET);
    }

    /** The frames that the subscriber says it was too late for; any number. */
    public long missed() {
        return Shared.getLongOpaque(memory, ControlDescriptor.MISSED_OFFSET);
    }

    /** Server: the writer is to wait for this reader, or need not any longer. */
    public void setAwaited(boolean whether) {
        awaited.setRelease(whether);
    }

    /** Writer: whether this reader is waited for. */
    boolean isAwaited() {
        return awaited.getAcquire() && !stalled.getPlain();
    }

    /** Writer: whether this reader is waited for and has not taken that frame yet. */
    boolean awaits(long seq) {
        return isAwaited() && Long.compareUnsigned(cursor(), seq) < 0;
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

    @Override
    public void close() {
        arena.close();
    }
}
