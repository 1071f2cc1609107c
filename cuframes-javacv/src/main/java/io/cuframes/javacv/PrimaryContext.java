// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import io.cuframes.CudaException;
import io.cuframes.ffm.LibCuda;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntSupplier;

/** A share in a device's primary context, the one that cudart works in, whoever made it and with whatever flags. */
final class PrimaryContext implements AutoCloseable {
    private static final long LEGACY_DEFAULT_STREAM = 0;

    private final int device;
    private final long handle;
    private final AtomicBoolean released = new AtomicBoolean();

    /**
     * Retains the context, which is made if nobody has it.
     *
     * @throws CudaException if it cannot be made
     */
    PrimaryContext(int ordinal) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
            check(LibCuda.cuDeviceGet(out, ordinal), "cuDeviceGet");
            device = out.get(ValueLayout.JAVA_INT, 0);
            check(LibCuda.cuDevicePrimaryCtxRetain(out, device), "cuDevicePrimaryCtxRetain");
            handle = out.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /** Runs something with the context current on this thread, which is as it was before afterwards. */
    int whileCurrent(IntSupplier body) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment before = arena.allocate(ValueLayout.JAVA_LONG);
            check(LibCuda.cuCtxGetCurrent(before), "cuCtxGetCurrent");
            check(LibCuda.cuCtxSetCurrent(handle), "cuCtxSetCurrent");
            try {
                return body.getAsInt();
            } finally {
                check(LibCuda.cuCtxSetCurrent(before.get(ValueLayout.JAVA_LONG, 0)), "cuCtxSetCurrent");
            }
        }
    }

    /**
     * Looks whether the context is still good.
     *
     * @throws CudaException if it is lost
     */
    void requireAlive() {
        int status = whileCurrent(() -> LibCuda.cuStreamQuery(LEGACY_DEFAULT_STREAM));
        if (status != LibCuda.CUDA_ERROR_NOT_READY) {
            check(status, "cuStreamQuery");
        }
    }

    private static void check(int status, String call) {
        if (status != LibCuda.CUDA_SUCCESS) {
            throw error(call, status);
        }
    }

    private static CudaException error(String call, int status) {
        return new CudaException(
                call,
                status,
                call + " failed: " + status + " " + LibCuda.cuGetErrorName(status) + " ("
                        + LibCuda.cuGetErrorString(status) + ")");
    }

    /** Gives the share back; of a context that is lost, nothing is left to give. Closing twice closes once. */
    @Override
    public void close() {
        if (released.getAndSet(true)) {
            return;
        }
        int status = LibCuda.cuDevicePrimaryCtxRelease_v2(device);
        if (status != LibCuda.CUDA_SUCCESS
                && !error("cuDevicePrimaryCtxRelease", status).isContextLost()) {
            throw error("cuDevicePrimaryCtxRelease", status);
        }
    }
}
