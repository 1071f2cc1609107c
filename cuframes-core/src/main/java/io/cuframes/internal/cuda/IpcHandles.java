// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cuframes.ffm.LibCudart;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/**
 * The CUDA IPC memory handles this process has made or opened. CUDA lets a process open a handle once, and not at all where it was made:
 * all users of a handle in this process share one address. Thread-safe.
 */
final class IpcHandles {
    private static final Map<ByteBuffer, Mapping> MAPPINGS = new HashMap<>();

    private static final class Mapping {
        final long address;

        /** Of this process's own allocation; its maker frees it. */
        final boolean exported;

        /** Who made the handle, or who opened it. */
        int users;

        Mapping(long address, boolean exported) {
            this.address = address;
            this.exported = exported;
        }
    }

    private IpcHandles() {}

    /**
     * Makes the handle of an allocation of this process; each time, until {@link #unexport} is called as often.
     *
     * @param address the base of an allocation of cudaMalloc
     * @return the handle's 64 bytes
     */
    static synchronized MemorySegment export(long address) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = arena.allocate(LibCudart.CUDA_IPC_HANDLE_SIZE);
            Cuda.check(LibCudart.cudaIpcGetMemHandle(handle, address), "cudaIpcGetMemHandle");
            byte[] bytes = handle.toArray(JAVA_BYTE);
            MAPPINGS.computeIfAbsent(ByteBuffer.wrap(bytes), key -> new Mapping(address, true)).users++;
            return MemorySegment.ofArray(bytes).asReadOnly();
        }
    }

    /** Undoes an {@link #export}; with the last one the handle is forgotten, before its allocation is freed. */
    static synchronized void unexport(MemorySegment handle) {
        ByteBuffer key = key(handle);
        Mapping mapping = MAPPINGS.get(key);
        if (--mapping.users == 0) {
            MAPPINGS.remove(key);
        }
    }

    private static ByteBuffer key(MemorySegment handle) {
        return ByteBuffer.wrap(handle.toArray(JAVA_BYTE));
    }

    /** Where the allocation of a handle is in this process, opened on the current device if need be. */
    static synchronized long open(byte[] handle) {
        Mapping mapping = MAPPINGS.get(ByteBuffer.wrap(handle));
        if (mapping == null) {
            mapping = new Mapping(openForeign(handle), false);
            MAPPINGS.put(ByteBuffer.wrap(handle.clone()), mapping);
        }
        if (!mapping.exported) {
            mapping.users++;
        }
        return mapping.address;
    }

    private static long openForeign(byte[] handle) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(JAVA_LONG);
            MemorySegment bytes = arena.allocateFrom(JAVA_BYTE, handle);
            Cuda.check(
                    LibCudart.cudaIpcOpenMemHandle(address, bytes, LibCudart.cudaIpcMemLazyEnablePeerAccess),
                    "cudaIpcOpenMemHandle");
            return address.get(JAVA_LONG, 0);
        }
    }

    /** Ends one use of an opened handle, on the device it was opened on. */
    static synchronized void close(byte[] handle) {
        Mapping mapping = MAPPINGS.get(ByteBuffer.wrap(handle));
        if (mapping == null || mapping.exported) {
            return;
        }
        if (--mapping.users == 0) {
            MAPPINGS.remove(ByteBuffer.wrap(handle));
            Cuda.check(LibCudart.cudaIpcCloseMemHandle(mapping.address), "cudaIpcCloseMemHandle");
        }
    }
}
