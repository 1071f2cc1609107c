// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import io.cuframes.internal.memory.RingView;
import io.cuframes.internal.os.Closing;
import java.lang.foreign.MemorySegment;

/** A ring in another process's device memory, opened through its CUDA IPC memory handles. */
public final class CudaIpcRingView implements RingView {
    private final CudaDevice device;
    private final byte[][] handles;
    private final long[] addresses;
    private int opened;

    /**
     * Opens the ring.
     *
     * @param device the GPU that holds it, as this process sees it
     * @param handles the handle of each slot
     * @param offsets where each slot starts in its handle's allocation
     */
    public CudaIpcRingView(CudaDevice device, byte[][] handles, long[] offsets) {
        Cuda.loadRuntime();
        this.device = device;
        this.handles = handles;
        this.addresses = new long[handles.length];
        long previous = Cuda.useDevice(device.ordinal());
        try {
            while (opened < handles.length) {
                addresses[opened] = IpcHandles.open(handles[opened]) + offsets[opened];
                opened++;
            }
        } catch (Throwable e) {
            Closing.undo(e, this);
            throw e;
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }

    @Override
    public long address(int slot) {
        return addresses[slot];
    }

    @Override
    public MemorySegment host(int slot) {
        return null;
    }

    @Override
    public void close() {
        long previous = Cuda.useDevice(device.ordinal());
        try {
            while (opened > 0) {
                IpcHandles.close(handles[--opened]);
            }
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }
}
