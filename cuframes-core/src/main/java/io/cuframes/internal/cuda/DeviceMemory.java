// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.LibCuda;
import java.lang.foreign.MemorySegment;

/** Tells what an address is before CUDA is asked to work with it: a wrong one may cost the context, or the process. Thread-safe. */
public final class DeviceMemory {
    /** What an address may be. */
    private enum Kind {
        DEVICE(""),
        HOST("page-locked host memory"),
        MANAGED("managed memory"),
        UNKNOWN("unknown to CUDA: pageable host memory, or freed, or never allocated");

        private final String words;

        Kind(String words) {
            this.words = words;
        }
    }

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
        Kind kind = kind(address);
        if (kind != Kind.DEVICE && kind != Kind.MANAGED) {
            throw refusal(what, address, kind.words + ", not device memory");
        }
    }

    /**
     * Refuses what another process cannot be given: anything but plain memory of the device.
     *
     * @throws CuframesException code INVALID_ARGUMENT
     */
    static void requireSharable(CudaDevice device, long address, String what) {
        Kind kind = kind(address);
        if (kind != Kind.DEVICE) {
            throw refusal(
                    what,
                    address,
                    kind.words + ", which CUDA cannot share between processes: allocate it with cudaMalloc");
        }
        int ordinal = attribute(LibCuda.CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, address);
        if (ordinal != device.ordinal()) {
            throw refusal(
                    what,
                    address,
                    "memory of device " + Cuda.device(ordinal) + ", and the publisher is of device " + device
                            + ": allocate it there, or say device(" + ordinal + ")");
        }
    }

    private static Kind kind(long address) {
        MemorySegment out = Cuda.scratch();
        int status = LibCuda.cuPointerGetAttribute(out, LibCuda.CU_POINTER_ATTRIBUTE_MEMORY_TYPE, address);
        if (status == LibCuda.CUDA_ERROR_INVALID_VALUE) {
            return Kind.UNKNOWN;
        }
        Cuda.checkDriver(status, "cuPointerGetAttribute");
        int type = out.get(JAVA_INT, 0);
        if (attribute(LibCuda.CU_POINTER_ATTRIBUTE_IS_MANAGED, address) != 0) {
            return Kind.MANAGED;
        }
        return type == LibCuda.CU_MEMORYTYPE_HOST ? Kind.HOST : Kind.DEVICE;
    }

    /** An attribute of one to four bytes. */
    private static int attribute(int attribute, long address) {
        MemorySegment out = Cuda.scratch();
        out.set(JAVA_INT, 0, 0);
        Cuda.checkDriver(LibCuda.cuPointerGetAttribute(out, attribute, address), "cuPointerGetAttribute");
        return out.get(JAVA_INT, 0);
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
                "cuMemGetAddressRange",
                " of 0x" + Long.toHexString(address));
        return new Allocation(scratch.get(JAVA_LONG, 0), scratch.get(JAVA_LONG, Long.BYTES));
    }
}
