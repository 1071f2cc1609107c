// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import io.cuframes.SubscriberLag;
import io.cuframes.SubscriberMode;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.Shared;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The publisher's view of one subscriber's control page: read-only, and nothing read here is trusted. Closed by whoever took it out of its {@link ReaderSet}. */
public final class ControlPage implements AutoCloseable {
    /**
     * Whose page it is, as the handshake told.
     *
     * @param number that the publisher gave it
     * @param name what it calls itself
     * @param pid its process id, 0 where the kernel knows none here
     * @param mode which frames it asks for
     */
    public record Owner(int number, String name, int pid, SubscriberMode mode) {}

    private final Arena arena;
    private final MemorySegment memory;
    private final Owner owner;

    /** It has said READY. Written by the server thread. */
    private volatile boolean ready;

    /** Guarded by this: statistics may be asked for while the server lets go of the page. */
    private boolean closed;

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

    /** Server: the subscriber reads from here on. */
    public void setReady() {
        ready = true;
    }

    /** Whether the subscriber says it reads what is in that slot. Acquire: its reads of an ended lease come before what the caller writes next. */
    boolean leases(int slot) {
        return Shared.getLongAcquire(memory, ControlDescriptor.leaseOffset(slot)) != 0;
    }

    /** Whether the subscriber sleeps on the head or is about to. */
    boolean waits() {
        return Shared.getIntOpaque(memory, ControlDescriptor.WAITING_OFFSET) != 0;
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
     * What the subscriber says of itself, within what is possible. From any thread but the writer's.
     *
     * @param published frames published, as of just before
     * @param slots slots of the ring
     * @return null if it does not read yet or is gone
     */
    public synchronized SubscriberLag lag(long published, int slots) {
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
                waits());
    }

    /** A count of the page; unsigned, so that what it holds may look negative here. */
    private long atMost(long most, long offset) {
        long count = Shared.getLongOpaque(memory, offset);
        return Long.compareUnsigned(count, most) > 0 ? most : count;
    }

    @Override
    public synchronized void close() {
        closed = true;
        arena.close();
    }
}
