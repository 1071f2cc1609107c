// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import io.cuframes.CudaException;
import io.cuframes.CuframesException;
import io.cuframes.DevicePtr;
import io.cuframes.ErrorCode;
import io.cuframes.Ownership;
import io.cuframes.Transport;
import io.cuframes.ffm.LibCudart;
import io.cuframes.internal.cuda.DeviceMemory.Allocation;
import io.cuframes.internal.memory.RingMemory;
import io.cuframes.internal.os.Closing;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.protocol.RingLayout;
import io.cuframes.internal.protocol.SlotPlace;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A ring of buffers that the application has on a device: each is shared by the handle of the allocation it lies in, and none is freed here. */
public final class ExternalCudaRing implements RingMemory {
    private static final System.Logger LOG = System.getLogger(ExternalCudaRing.class.getName());

    private final CudaDevice device;
    private final RingLayout layout;
    private final List<DevicePtr> buffers;
    private final long slotBytes;

    /** Of each slot. */
    private final Allocation[] allocations;

    /** One for each allocation, however many slots it holds. */
    private final Map<Allocation, MemorySegment> handles = new LinkedHashMap<>();

    /**
     * Checks the buffers and makes their handles.
     *
     * @param device that they are to be on
     * @param key for messages
     * @param buffers one for each slot
     * @param slotBytes bytes of each
     * @param alignment what their addresses must be multiples of
     * @throws CuframesException code INVALID_ARGUMENT for a buffer that cannot be a slot, CUDA if this device cannot share memory
     */
    public ExternalCudaRing(CudaDevice device, String key, List<DevicePtr> buffers, long slotBytes, int alignment) {
        Cuda.loadRuntime();
        this.device = device;
        this.buffers = buffers;
        this.slotBytes = slotBytes;
        int slots = buffers.size();
        this.layout =
                new RingLayout(Transport.CUDA_IPC, Ownership.EXTERNAL, slots, 0, slots * slotBytes, device.uuid());
        this.allocations = new Allocation[slots];
        long previous = Cuda.useDevice(device.ordinal());
        try {
            for (int slot = 0; slot < slots; slot++) {
                allocations[slot] = allocationOf(slot, alignment);
            }
            for (int slot = 0; slot < slots; slot++) {
                export(slot);
            }
        } catch (Throwable e) {
            Closing.undo(e, this);
            throw e;
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
        warnOfMore(key);
    }

    /** The allocation that a slot's buffer lies in, all of it. */
    private Allocation allocationOf(int slot, int alignment) {
        String what = "slot " + slot;
        long address = address(slot);
        DeviceMemory.requireSharable(device, address, what);
        if (address % alignment != 0) {
            throw DeviceMemory.refusal(
                    what, address, "not a multiple of the " + alignment + " bytes of the format's components");
        }
        Allocation allocation = DeviceMemory.allocation(address);
        long left = allocation.base() + allocation.length() - address;
        if (left < slotBytes) {
            throw DeviceMemory.refusal(
                    what, address, left + " bytes before the end of its allocation, and a frame takes " + slotBytes);
        }
        for (int other = 0; other < slot; other++) {
            if (Math.abs(address(other) - address) < slotBytes) {
                throw DeviceMemory.refusal(
                        what,
                        address,
                        "within " + slotBytes + " bytes, those of a frame, of slot " + other + " at 0x"
                                + Long.toHexString(address(other)) + ": they overlap");
            }
        }
        return allocation;
    }

    private void export(int slot) {
        Allocation allocation = allocations[slot];
        if (handles.containsKey(allocation)) {
            return;
        }
        try {
            handles.put(allocation, IpcHandles.export(allocation.base()));
        } catch (CudaException e) {
            if (e.status() == LibCudart.cudaErrorNotSupported) {
                throw e; // the device, or the driver, whatever the memory
            }
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT,
                    "slot " + slot + ": 0x" + Long.toHexString(address(slot))
                            + " is device memory that CUDA does not share by a handle (" + e.getMessage()
                            + "), such as that of a pool (cudaMallocAsync), of cuMemCreate, or of another process: allocate it"
                            + " with cudaMalloc",
                    e);
        }
    }

    /** CUDA shares whole allocations, and with those that are no whole blocks what else is in their blocks. */
    private void warnOfMore(String key) {
        int more = 0;
        for (Allocation allocation : handles.keySet()) {
            long used = 0;
            for (Allocation each : allocations) {
                used += each.equals(allocation) ? slotBytes : 0;
            }
            if (allocation.length() % CudaIpcRing.BLOCK != 0 || allocation.length() - used >= CudaIpcRing.BLOCK) {
                more++;
            }
        }
        if (more > 0) {
            String count = more + " of " + handles.size();
            LOG.log(
                    System.Logger.Level.WARNING,
                    () -> count + " allocations with buffers of \"" + key
                            + "\" are not whole blocks of 2 MiB, or are larger than the"
                            + " buffers: CUDA lets subscribers see all of them, and of their blocks, whatever else of this process is"
                            + " there; where that matters, register buffers in allocations of their own, of whole blocks");
        }
    }

    @Override
    public RingLayout layout() {
        return layout;
    }

    @Override
    public long address(int slot) {
        return buffers.get(slot).address();
    }

    @Override
    public MemorySegment host(int slot) {
        return null;
    }

    @Override
    public SlotPlace place(int slot) {
        Allocation allocation = allocations[slot];
        return new SlotPlace(
                address(slot) - allocation.base(), slotBytes, allocation.length(), handles.get(allocation));
    }

    @Override
    public Descriptor descriptor() {
        return null;
    }

    /** Frees nothing: the buffers are the application's. */
    @Override
    public void close() {
        handles.values().forEach(IpcHandles::unexport);
        handles.clear();
    }
}
