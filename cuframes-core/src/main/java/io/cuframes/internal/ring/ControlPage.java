// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.Shared;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The publisher's view of one subscriber's control page: read-only, and nothing read here is trusted. Closed by whoever took it out of its {@link ReaderSet}. */
public final class ControlPage implements AutoCloseable {
    private final Arena arena;
    private final MemorySegment memory;

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

    /** Whether the subscriber sleeps on the head or is about to. */
    boolean waits() {
        return Shared.getIntOpaque(memory, ControlDescriptor.WAITING_OFFSET) != 0;
    }

    @Override
    public void close() {
        arena.close();
    }
}
