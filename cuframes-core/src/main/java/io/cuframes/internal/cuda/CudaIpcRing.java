// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cuframes.Transport;
import io.cuframes.ffm.LibCudart;
import io.cuframes.internal.memory.RingMemory;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.protocol.DeviceUuid;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A ring in device memory, shared by a CUDA IPC memory handle: one allocation for all slots. */
public final class CudaIpcRing implements RingMemory {
    /** cudaMalloc packs smaller allocations together into blocks of this size, and a handle shares the whole block. */
    private static final long BLOCK = 2L << 20;

    /** What cudaMemset works on; other streams of this library do not wait for it. */
    private static final long DEFAULT_STREAM = 0;

    private final CudaDevice device;
    private final long length;
    private final long address;
    private final byte[] handle;

    /**
     * Allocates the ring, zeroed.
     *
     * @param device where
     * @param length bytes; rounded up to whole blocks, so that nothing else of this process is shared with it
     */
    public CudaIpcRing(CudaDevice device, long length) {
        this.device = device;
        this.length = (length + BLOCK - 1) & -BLOCK;
        int previous = Cuda.useDevice(device.ordinal());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointer = arena.allocate(JAVA_LONG);
            Cuda.check(
                    LibCudart.cudaMalloc(pointer, this.length),
                    "cudaMalloc",
                    " of " + this.length + " bytes on device " + device);
            this.address = pointer.get(JAVA_LONG, 0);
            try {
                Cuda.check(LibCudart.cudaMemset(address, 0, this.length), "cudaMemset");
                Cuda.synchronize(DEFAULT_STREAM); // or it could be late, and erase the first frame
                this.handle = IpcHandles.export(address);
            } catch (RuntimeException e) {
                LibCudart.cudaFree(address);
                throw e;
            }
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }

    @Override
    public Transport transport() {
        return Transport.CUDA_IPC;
    }

    @Override
    public long length() {
        return length;
    }

    @Override
    public DeviceUuid device() {
        return device.uuid();
    }

    @Override
    public long address() {
        return address;
    }

    @Override
    public MemorySegment host() {
        return null;
    }

    @Override
    public Descriptor descriptor() {
        return null;
    }

    @Override
    public void describe(MemorySegment field) {
        MemorySegment.copy(handle, 0, field, JAVA_BYTE, 0, handle.length);
    }

    @Override
    public void close() {
        IpcHandles.unexport(handle);
        int previous = Cuda.useDevice(device.ordinal());
        try {
            Cuda.check(LibCudart.cudaFree(address), "cudaFree");
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }
}
