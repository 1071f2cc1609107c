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
        final boolean exported;
        int users;

        Mapping(long address, boolean exported) {
            this.address = address;
            this.exported = exported;
        }
    }

    private IpcHandles() {}

    /**
     * Makes the handle of an allocation of this process.
     *
     * @param address what cudaMalloc returned
     * @return the handle's 64 bytes
     */
    static synchronized byte[] export(long address) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = arena.allocate(LibCudart.CUDA_IPC_HANDLE_SIZE);
            Cuda.check(LibCudart.cudaIpcGetMemHandle(handle, address), "cudaIpcGetMemHandle");
            byte[] bytes = handle.toArray(JAVA_BYTE);
            MAPPINGS.put(ByteBuffer.wrap(bytes), new Mapping(address, true));
            return bytes;
        }
    }

    /** Forgets a handle of this process, before its allocation is freed. */
    static synchronized void unexport(byte[] handle) {
        MAPPINGS.remove(ByteBuffer.wrap(handle));
    }

    /** Where the allocation of a handle is in this process, opened on the current device if need be. */
    static synchronized long open(byte[] handle) {
        Mapping mapping = MAPPINGS.get(ByteBuffer.wrap(handle));
        if (mapping == null) {
            mapping = new Mapping(openForeign(handle), false);
            MAPPINGS.put(ByteBuffer.wrap(handle.clone()), mapping);
        }
        mapping.users++;
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
            return; // this process's own allocation; its maker frees it
        }
        if (--mapping.users == 0) {
            MAPPINGS.remove(ByteBuffer.wrap(handle));
            Cuda.check(LibCudart.cudaIpcCloseMemHandle(mapping.address), "cudaIpcCloseMemHandle");
        }
    }
}
