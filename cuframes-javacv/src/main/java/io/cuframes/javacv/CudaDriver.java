// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import io.cuframes.ffm.LibCuda;
import io.cuframes.ffm.LibraryNotFoundException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Asks the CUDA driver why a device cannot be used; FFmpeg itself only says that it cannot. */
final class CudaDriver {
    private static final int SUCCESS = 0;

    private CudaDriver() {}

    /** Why there is no such device, in a line; null if there is one. */
    static String whyUnavailable(int ordinal) {
        try (Arena arena = Arena.ofConfined()) {
            LibCuda.load();
            int status = LibCuda.cuInit(0);
            if (status != SUCCESS) {
                return "cuInit failed with CUresult " + status + (status == 100 ? " (CUDA_ERROR_NO_DEVICE)" : "");
            }
            MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
            status = LibCuda.cuDeviceGetCount(count);
            if (status != SUCCESS) {
                return "cuDeviceGetCount failed with CUresult " + status;
            }
            int devices = count.get(ValueLayout.JAVA_INT, 0);
            return ordinal >= 0 && ordinal < devices
                    ? null
                    : "there is no CUDA device " + ordinal + ", this process sees " + devices;
        } catch (LibraryNotFoundException e) {
            return e.summary();
        }
    }
}
