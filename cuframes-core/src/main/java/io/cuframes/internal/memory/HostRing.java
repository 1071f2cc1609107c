// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.memory;

import io.cuframes.Ownership;
import io.cuframes.Transport;
import io.cuframes.ffm.Libc;
import io.cuframes.internal.os.ArenaEnd;
import io.cuframes.internal.os.Closing;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.HostMemory;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.protocol.DeviceUuid;
import io.cuframes.internal.protocol.RingLayout;
import io.cuframes.internal.protocol.SlotPlace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A ring in host memory: a memfd that only its maker can write. */
public final class HostRing implements RingMemory {
    /** Set once the ring is mapped: that mapping stays writable, and no other can be made so. */
    static final int SEALS = Libc.F_SEAL_SHRINK | Libc.F_SEAL_GROW | Libc.F_SEAL_FUTURE_WRITE | Libc.F_SEAL_SEAL;

    private final String what;
    private final RingLayout layout;
    private final Arena arena;
    private final Descriptor memfd;
    private final MemorySegment memory;

    /**
     * Makes the ring, zeroed, with all of its memory reserved.
     *
     * @param name for people who look at this process's descriptors
     * @param slots how many
     * @param stride bytes from slot to slot
     */
    public HostRing(String name, int slots, long stride) {
        what = "the ring of \"" + name + "\" in host memory";
        long length = slots * stride;
        layout = new RingLayout(Transport.HOST, Ownership.LIBRARY, slots, stride, length, DeviceUuid.NONE);
        HostMemory.require(length, what);
        arena = Arena.ofShared();
        Descriptor made = null;
        try {
            made = Posix.memfd("cuframes-ring-" + name);
            Posix.reserve(made, length, what);
            memory = Posix.map(made, length, true, arena, "the ring");
            Posix.seal(made, SEALS);
        } catch (Throwable e) {
            Closing.undo(e, arena, made);
            throw e;
        }
        memfd = made;
    }

    @Override
    public RingLayout layout() {
        return layout;
    }

    @Override
    public long address(int slot) {
        return host(slot).address();
    }

    @Override
    public MemorySegment host(int slot) {
        return memory.asSlice(slot * layout.slotStride(), layout.slotStride());
    }

    @Override
    public SlotPlace place(int slot) {
        return new SlotPlace(slot * layout.slotStride(), layout.slotStride(), layout.length(), SlotPlace.NO_HANDLE);
    }

    @Override
    public Descriptor descriptor() {
        return memfd;
    }

    /** Where a native call of the application still reads or writes a slot, the memory is unmapped when that ends. */
    @Override
    public void close() {
        Closing.all(() -> ArenaEnd.close(arena, what), memfd);
    }
}
