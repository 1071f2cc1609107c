// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.CudaPointerAttributes;
import io.cuframes.ffm.LibCuda;
import io.cuframes.ffm.LibCudart;
import java.lang.foreign.MemorySegment;

/** Tells what an address is before CUDA is asked to work with it: a wrong one may cost the context, or the process. Thread-safe. */
public final class DeviceMemory {
    private DeviceMemory() {}

    /**
     * An allocation.
     *
     * @param base its first byte
     * @param length bytes
     */
    record Allocation(long base, long length) {}

    /**
     * Refuses what is not memory of a device, or managed memory. About as expensive as queueing a copy; allocates nothing.
     *
     * @param address what the caller says is device memory
     * @param what for the message
     * @throws CuframesException code INVALID_ARGUMENT if it is not
     */
    public static void require(long address, String what) {
        int type = type(address);
        if (type != LibCudart.cudaMemoryTypeDevice && type != LibCudart.cudaMemoryTypeManaged) {
            throw refusal(what, address, kind(type) + ", not device memory");
        }
    }

    /**
     * Refuses what another process cannot be given: anything but plain memory of the device.
     *
     * @throws CuframesException code INVALID_ARGUMENT
     */
    static void requireSharable(CudaDevice device, long address, String what) {
        int type = type(address);
        int ordinal = Cuda.scratch().get(JAVA_INT, CudaPointerAttributes.DEVICE_OFFSET);
        if (type != LibCudart.cudaMemoryTypeDevice) {
            throw refusal(
                    what,
                    address,
                    kind(type) + ", which CUDA cannot share between processes: allocate it with cudaMalloc");
        }
        if (ordinal != device.ordinal()) {
            throw refusal(
                    what,
                    address,
                    "memory of device " + Cuda.device(ordinal) + ", and the publisher is of device " + device
                            + ": allocate it there, or say device(" + ordinal + ")");
        }
    }

    /** A cudaMemoryType; what else CUDA tells of the address is in its thread's scratch. */
    private static int type(long address) {
        MemorySegment attributes = Cuda.scratch();
        int status = LibCudart.cudaPointerGetAttributes(attributes, address);
        if (status == LibCudart.cudaErrorInvalidValue) { // some versions' answer for what they do not know
            LibCudart.cudaGetLastError();
            return LibCudart.cudaMemoryTypeUnregistered;
        }
        Cuda.check(status, "cudaPointerGetAttributes");
        return attributes.get(JAVA_INT, CudaPointerAttributes.TYPE_OFFSET);
    }

    private static String kind(int type) {
        return switch (type) {
            case LibCudart.cudaMemoryTypeHost -> "page-locked host memory";
            case LibCudart.cudaMemoryTypeManaged -> "managed memory";
            default -> "unknown to CUDA: pageable host memory, or freed, or never allocated";
        };
    }

    /** The exception for an address that is not what it must be. */
    static CuframesException refusal(String what, long address, String is) {
        return new CuframesException(
                ErrorCode.INVALID_ARGUMENT, what + ": 0x" + Long.toHexString(address) + " is " + is);
    }

    /** The allocation that holds a device address, on the current device. */
    static Allocation allocation(long address) {
        MemorySegment scratch = Cuda.scratch();
        Cuda.checkDriver(
                LibCuda.cuMemGetAddressRange_v2(scratch, scratch.asSlice(Long.BYTES), address),
                "cuMemGetAddressRange of 0x" + Long.toHexString(address));
        return new Allocation(scratch.get(JAVA_LONG, 0), scratch.get(JAVA_LONG, Long.BYTES));
    }
}
