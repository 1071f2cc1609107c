// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.internal.memory.RingView;
import io.cuframes.internal.os.Closing;
import io.cuframes.internal.protocol.SlotPlace;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A ring in another process's device memory, opened through its CUDA IPC memory handles. */
public final class CudaIpcRingView implements RingView {
    private final CudaDevice device;
    private final SlotPlace[] places;
    private final long[] addresses;
    private int opened;

    /**
     * Opens the ring.
     *
     * @param device the GPU that holds it, as this process sees it
     * @param places where each slot lies, as its descriptor says it
     * @param name of the segment, for messages
     * @throws CuframesException code PROTOCOL if a slot does not lie within what its handle opens
     */
    public CudaIpcRingView(CudaDevice device, SlotPlace[] places, String name) {
        Cuda.loadRuntime();
        this.device = device;
        this.places = places;
        this.addresses = new long[places.length];
        long previous = Cuda.useDevice(device.ordinal());
        try {
            while (opened < places.length) {
                int slot = opened;
                long base = IpcHandles.open(handle(slot));
                opened++;
                requireWithin(slot, base, name);
                addresses[slot] = base + places[slot].offset();
            }
        } catch (Throwable e) {
            Closing.undo(e, this);
            throw e;
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }

    private byte[] handle(int slot) {
        return places[slot].handle().toArray(ValueLayout.JAVA_BYTE);
    }

    /** The lengths are the publisher's word, and CUDA knows better: beyond an allocation, the next kernel that reads is the end of this process's context. */
    private void requireWithin(int slot, long base, String name) {
        SlotPlace place = places[slot];
        DeviceMemory.Allocation opened = DeviceMemory.allocation(base);
        long available = opened.base() + opened.length() - base; // small allocations lie within a block
        if (place.offset() < 0
                || place.length() < 0
                || place.allocationLength() > available
                || place.offset() > available - place.length()) {
            throw new CuframesException(
                    ErrorCode.PROTOCOL,
                    "bad segment " + name + ": slot " + slot + " at offset " + place.offset() + " with "
                            + place.length() + " bytes lies in an allocation of " + place.allocationLength()
                            + " bytes, it says, and what its handle opens has " + available + " bytes");
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
                IpcHandles.close(handle(--opened));
            }
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }
}
