// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.LibCudart;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The CUDA IPC memory handles this process has made or opened. CUDA lets a process open a handle once, and not at all where it was made:
 * all users of a handle in this process share one address. Thread-safe.
 *
 * <p>The lock is held for no call of CUDA: one that blocks, as closing does while the GPU works, keeps nobody from another handle. A handle that is
 * being opened or closed is waited for, since CUDA has it once.
 */
final class IpcHandles {
    /** How long a handle is waited for that another thread opens or closes. */
    private static final long PATIENCE_NANOS = 2_000_000_000;

    /** Guarded by the class, as are the mappings' fields. */
    private static final Map<ByteBuffer, Mapping> MAPPINGS = new HashMap<>();

    private static final class Mapping {
        /** 0 until it is open. */
        long address;

        /** Of this process's own allocation; its maker frees it. */
        final boolean exported;

        /** Who made the handle, or who opened it. */
        int users;

        /** A thread is in CUDA's call that opens or closes it. */
        boolean busy;

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
    static MemorySegment export(long address) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = arena.allocate(LibCudart.CUDA_IPC_HANDLE_SIZE);
            Cuda.check(LibCudart.cudaIpcGetMemHandle(handle, address), "cudaIpcGetMemHandle");
            byte[] bytes = handle.toArray(JAVA_BYTE);
            synchronized (IpcHandles.class) {
                MAPPINGS.computeIfAbsent(ByteBuffer.wrap(bytes), key -> new Mapping(address, true)).users++;
            }
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

    /**
     * Where the allocation of a handle is in this process, opened on the current device if need be.
     *
     * @throws CuframesException code TIMEOUT if another thread has been opening or closing this handle for 2 s
     */
    static long open(byte[] handle) {
        ByteBuffer key = ByteBuffer.wrap(handle.clone());
        Mapping mapping = use(key);
        if (mapping.address != 0) {
            return mapping.address;
        }
        long address = 0;
        try {
            address = openForeign(handle);
            return address;
        } finally {
            synchronized (IpcHandles.class) {
                mapping.busy = false;
                mapping.address = address;
                if (address == 0) {
                    MAPPINGS.remove(key);
                }
                IpcHandles.class.notifyAll();
            }
        }
    }

    /** One user more of a handle. Where that is the first, the mapping has no address: it is the caller's to open. */
    private static synchronized Mapping use(ByteBuffer key) {
        awaitSettled(key);
        Mapping mapping = MAPPINGS.get(key);
        if (mapping == null) {
            mapping = new Mapping(0, false);
            mapping.busy = true;
            MAPPINGS.put(key, mapping);
        }
        if (!mapping.exported) {
            mapping.users++;
        }
        return mapping;
    }

    /** Waits while a thread opens or closes the handle. Within the lock, which it leaves meanwhile; an interrupt is kept for later. */
    private static void awaitSettled(ByteBuffer key) {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        boolean interrupted = false;
        try {
            for (Mapping mapping = MAPPINGS.get(key); mapping != null && mapping.busy; mapping = MAPPINGS.get(key)) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    throw new CuframesException(
                            ErrorCode.TIMEOUT,
                            "a ring in another process's memory cannot be opened: this process has been "
                                    + (mapping.address == 0 ? "opening" : "closing")
                                    + " it for another user for 2 s, which CUDA does not end while the GPU is busy: try again");
                }
                try {
                    TimeUnit.NANOSECONDS.timedWait(IpcHandles.class, left);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
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

    /** Ends one use of an opened handle, on the device it was opened on. The last one blocks while CUDA does. */
    static void close(byte[] handle) {
        ByteBuffer key = ByteBuffer.wrap(handle);
        Mapping mapping;
        synchronized (IpcHandles.class) {
            mapping = MAPPINGS.get(key);
            if (mapping == null || mapping.exported || --mapping.users > 0) {
                return;
            }
            mapping.busy = true;
        }
        try {
            Cuda.check(LibCudart.cudaIpcCloseMemHandle(mapping.address), "cudaIpcCloseMemHandle");
        } finally {
            synchronized (IpcHandles.class) {
                MAPPINGS.remove(key);
                IpcHandles.class.notifyAll();
            }
        }
    }
}
