// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.Ownership;
import io.cuframes.Transport;
import io.cuframes.ffm.CUmemAllocationProp;
import io.cuframes.ffm.LibCuda;
import io.cuframes.ffm.Libc;
import io.cuframes.internal.memory.RingMemory;
import io.cuframes.internal.os.Closing;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.protocol.RingLayout;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.SlotPlace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A ring in device memory, shared by a descriptor: one allocation for all slots, which subscribers can map for reading alone. */
public final class CudaVmmRing implements RingMemory {
    private final CudaDevice device;
    private final RingLayout layout;
    private final VmmMapping mapping;
    private final Descriptor descriptor;

    /**
     * Allocates the ring, zeroed. Its length is rounded up to the device's granularity, and leaves {@link
     * SegmentDescriptor#VMM_TAIL} bytes at its end to no slot.
     *
     * @param device where
     * @param slots how many
     * @param stride bytes from slot to slot
     */
    public CudaVmmRing(CudaDevice device, int slots, long stride) {
        this.device = device;
        long previous = Cuda.useDevice(device.ordinal());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment prop = exportable(device, arena);
            long granularity = granularity(prop);
            long wanted = slots * stride + SegmentDescriptor.VMM_TAIL;
            long length = (wanted + granularity - 1) / granularity * granularity;
            this.layout = new RingLayout(Transport.CUDA_VMM, Ownership.LIBRARY, slots, stride, length, device.uuid());
            MemorySegment out = arena.allocate(JAVA_LONG);
            Cuda.checkDriver(
                    LibCuda.cuMemCreate(out, length, prop, 0),
                    "cuMemCreate",
                    " of " + length + " bytes on device " + device);
            long handle = out.get(JAVA_LONG, 0);
            try {
                this.mapping = new VmmMapping(handle, length, device, LibCuda.CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
                try {
                    Cuda.zero(mapping.address(), length);
                    this.descriptor = export(handle, arena);
                } catch (Throwable e) {
                    Closing.undo(e, mapping);
                    throw e;
                }
            } finally {
                LibCuda.cuMemRelease(handle); // the mapping and the descriptor keep the memory
            }
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }

    private static MemorySegment exportable(CudaDevice device, Arena arena) {
        MemorySegment prop = arena.allocate(CUmemAllocationProp.LAYOUT);
        prop.set(JAVA_INT, CUmemAllocationProp.TYPE_OFFSET, LibCuda.CU_MEM_ALLOCATION_TYPE_PINNED);
        prop.set(
                JAVA_INT,
                CUmemAllocationProp.REQUESTED_HANDLE_TYPES_OFFSET,
                LibCuda.CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR);
        prop.set(JAVA_INT, CUmemAllocationProp.LOCATION_TYPE_OFFSET, LibCuda.CU_MEM_LOCATION_TYPE_DEVICE);
        prop.set(JAVA_INT, CUmemAllocationProp.LOCATION_ID_OFFSET, device.ordinal());
        return prop;
    }

    private static long granularity(MemorySegment prop) {
        MemorySegment out = Cuda.scratch();
        Cuda.checkDriver(
                LibCuda.cuMemGetAllocationGranularity(out, prop, LibCuda.CU_MEM_ALLOC_GRANULARITY_MINIMUM),
                "cuMemGetAllocationGranularity");
        return out.get(JAVA_LONG, 0);
    }

    private static Descriptor export(long handle, Arena arena) {
        MemorySegment out = arena.allocate(JAVA_INT);
        Cuda.checkDriver(
                LibCuda.cuMemExportToShareableHandle(out, handle, LibCuda.CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0),
                "cuMemExportToShareableHandle");
        Descriptor descriptor = new Descriptor(out.get(JAVA_INT, 0));
        // CUDA does not say whether it is set. A program that this process starts must not keep the memory.
        try {
            Posix.check(Libc.fcntl(descriptor.fd(), Libc.F_SETFD, Libc.FD_CLOEXEC), "marking the ring's descriptor");
        } catch (Throwable e) {
            Closing.undo(e, descriptor);
            throw e;
        }
        return descriptor;
    }

    /** Why a device's memory cannot be shared this way, in a line; null if it can. Found out by doing, as {@link #rehearse} does. */
    public static String whyUnavailable(CudaDevice device) {
        try {
            rehearse(device, device);
            return null;
        } catch (CuframesException e) {
            return e.getMessage();
        }
    }

    /**
     * Makes a small ring and opens it as a subscriber would open it, and lets go of both.
     *
     * @param owner the device that holds it
     * @param reader the device that is to read
     * @throws CuframesException code CUDA for what failed, or if the owner shares no memory by descriptors; UNSUPPORTED if the reader, being another
     *     device, cannot reach the memory, or if what is mapped for reading can be written
     */
    public static void rehearse(CudaDevice owner, CudaDevice reader) {
        if (Cuda.attribute(owner, LibCuda.CU_DEVICE_ATTRIBUTE_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR_SUPPORTED) == 0) {
            throw new CuframesException(ErrorCode.CUDA, "device " + owner + " does not share memory by descriptors");
        }
        try (CudaVmmRing ring = new CudaVmmRing(owner, SegmentDescriptor.MIN_SLOTS, SegmentDescriptor.PAGE)) {
            long[] offsets = new long[SegmentDescriptor.MIN_SLOTS];
            new CudaVmmRingView(reader, owner, ring.descriptor, ring.layout, offsets).close();
        }
    }

    @Override
    public RingLayout layout() {
        return layout;
    }

    @Override
    public long address(int slot) {
        return mapping.address() + slot * layout.slotStride();
    }

    @Override
    public SlotPlace place(int slot) {
        return new SlotPlace(slot * layout.slotStride(), layout.slotStride(), layout.length(), SlotPlace.NO_HANDLE);
    }

    @Override
    public MemorySegment host(int slot) {
        return null;
    }

    @Override
    public Descriptor descriptor() {
        return descriptor;
    }

    /** Subscribers that still have it mapped keep the memory. */
    @Override
    public void close() {
        descriptor.close();
        long previous = Cuda.useDevice(device.ordinal());
        try {
            mapping.close();
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }
}
