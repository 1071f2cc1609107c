// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cuframes.ffm.CUmemAccessDesc;
import io.cuframes.ffm.LibCuda;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A range of device addresses with an allocation of {@code cuMemCreate} mapped into it. The mapping keeps the memory, whoever releases its handle. */
final class VmmMapping implements AutoCloseable {
    private final long address;
    private final long length;

    /**
     * Maps an allocation from its beginning.
     *
     * @param handle the allocation's, in this process
     * @param length bytes, a multiple of the granularity
     * @param device that is to reach it
     * @param access a {@code CU_MEM_ACCESS_FLAGS} constant of {@link LibCuda}
     */
    VmmMapping(long handle, long length, CudaDevice device, int access) {
        this.length = length;
        MemorySegment out = Cuda.scratch();
        Cuda.checkDriver(
                LibCuda.cuMemAddressReserve(out, length, 0, 0, 0),
                "cuMemAddressReserve",
                " of " + length + " bytes of addresses");
        this.address = out.get(JAVA_LONG, 0);
        boolean mapped = false;
        try (Arena arena = Arena.ofConfined()) {
            Cuda.checkDriver(LibCuda.cuMemMap(address, length, 0, handle, 0), "cuMemMap", " of " + length + " bytes");
            mapped = true;
            MemorySegment desc = arena.allocate(CUmemAccessDesc.LAYOUT);
            desc.set(JAVA_INT, CUmemAccessDesc.LOCATION_TYPE_OFFSET, LibCuda.CU_MEM_LOCATION_TYPE_DEVICE);
            desc.set(JAVA_INT, CUmemAccessDesc.LOCATION_ID_OFFSET, device.ordinal());
            desc.set(JAVA_INT, CUmemAccessDesc.FLAGS_OFFSET, access);
            Cuda.checkDriver(
                    LibCuda.cuMemSetAccess(address, length, desc, 1), "cuMemSetAccess", " for device " + device);
        } catch (Throwable e) {
            if (mapped) {
                LibCuda.cuMemUnmap(address, length);
            }
            LibCuda.cuMemAddressFree(address, length);
            throw e;
        }
    }

    /** The first byte. */
    long address() {
        return address;
    }

    /** Unmaps, once the devices are through with what they were given to do, and gives the addresses back. Called once. */
    @Override
    public void close() {
        Cuda.checkDriver(LibCuda.cuMemUnmap(address, length), "cuMemUnmap");
        Cuda.checkDriver(LibCuda.cuMemAddressFree(address, length), "cuMemAddressFree");
    }
}
