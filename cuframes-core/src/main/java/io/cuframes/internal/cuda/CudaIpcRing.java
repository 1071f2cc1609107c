// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cuframes.Ownership;
import io.cuframes.Transport;
import io.cuframes.ffm.LibCudart;
import io.cuframes.internal.memory.RingMemory;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.protocol.RingLayout;
import io.cuframes.internal.protocol.SlotPlace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A ring in device memory, shared by a CUDA IPC memory handle: one allocation for all slots. */
public final class CudaIpcRing implements RingMemory {
    /** cudaMalloc packs smaller allocations together into blocks of this size, and a handle shares the whole block. */
    static final long BLOCK = 2L << 20;

    private final CudaDevice device;
    private final RingLayout layout;
    private final long address;
    private final MemorySegment handle;

    /**
     * Allocates the ring, zeroed. Its length is rounded up to whole blocks, so that nothing else of this process is shared with it.
     *
     * @param device where
     * @param slots how many
     * @param stride bytes from slot to slot
     */
    public CudaIpcRing(CudaDevice device, int slots, long stride) {
        Cuda.loadRuntime();
        this.device = device;
        long length = (slots * stride + BLOCK - 1) & -BLOCK;
        this.layout = new RingLayout(Transport.CUDA_IPC, Ownership.LIBRARY, slots, stride, length, device.uuid());
        long previous = Cuda.useDevice(device.ordinal());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointer = arena.allocate(JAVA_LONG);
            Cuda.check(
                    LibCudart.cudaMalloc(pointer, length),
                    "cudaMalloc",
                    " of " + length + " bytes on device " + device);
            this.address = pointer.get(JAVA_LONG, 0);
            try {
                Cuda.zero(address, length);
                this.handle = IpcHandles.export(address);
            } catch (Throwable e) {
                LibCudart.cudaFree(address);
                throw e;
            }
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }

    @Override
    public RingLayout layout() {
        return layout;
    }

    @Override
    public long address(int slot) {
        return address + slot * layout.slotStride();
    }

    @Override
    public SlotPlace place(int slot) {
        return new SlotPlace(slot * layout.slotStride(), layout.slotStride(), layout.length(), handle);
    }

    @Override
    public MemorySegment host(int slot) {
        return null;
    }

    @Override
    public Descriptor descriptor() {
        return null;
    }

    @Override
    public void close() {
        IpcHandles.unexport(handle);
        long previous = Cuda.useDevice(device.ordinal());
        try {
            Cuda.check(LibCudart.cudaFree(address), "cudaFree");
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }
}
