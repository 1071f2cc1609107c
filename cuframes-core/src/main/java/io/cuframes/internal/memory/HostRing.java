// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.memory;

import io.cuframes.Transport;
import io.cuframes.ffm.Libc;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.HostMemory;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.protocol.DeviceUuid;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A ring in host memory: a memfd that only its maker can write. */
public final class HostRing implements RingMemory {
    private final Arena arena;
    private final Descriptor memfd;
    private final MemorySegment memory;

    /**
     * Makes the ring, zeroed, with all of its memory reserved.
     *
     * @param name for people who look at this process's descriptors
     * @param length bytes
     */
    public HostRing(String name, long length) {
        String what = "the ring of \"" + name + "\" in host memory";
        HostMemory.require(length, what);
        arena = Arena.ofShared();
        memfd = Posix.memfd("cuframes-ring-" + name);
        try {
            Posix.reserve(memfd, length, what);
            memory = Posix.map(memfd, length, true, arena, "the ring");
            // Sealed once it is mapped: this mapping stays writable, and no other can be made so.
            Posix.seal(memfd, Libc.F_SEAL_SHRINK | Libc.F_SEAL_GROW | Libc.F_SEAL_FUTURE_WRITE | Libc.F_SEAL_SEAL);
        } catch (RuntimeException e) {
            arena.close();
            memfd.close();
            throw e;
        }
    }

    @Override
    public Transport transport() {
        return Transport.HOST;
    }

    @Override
    public long length() {
        return memory.byteSize();
    }

    @Override
    public DeviceUuid device() {
        return DeviceUuid.NONE;
    }

    @Override
    public long address() {
        return memory.address();
    }

    @Override
    public MemorySegment host() {
        return memory;
    }

    @Override
    public Descriptor descriptor() {
        return memfd;
    }

    @Override
    public void describe(MemorySegment handle) {
        // The descriptor says it all.
    }

    @Override
    public void close() {
        arena.close();
        memfd.close();
    }
}
