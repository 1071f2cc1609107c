// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cuframes.ffm.LibCudart;
import io.cuframes.internal.cuda.Cuda;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A CUDA stream of the application's, on the device that was current when it was made. */
public final class DeviceStream implements AutoCloseable {
    private final long handle;

    public DeviceStream() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            Cuda.check(
                    LibCudart.cudaStreamCreateWithFlags(out, LibCudart.cudaStreamNonBlocking),
                    "cudaStreamCreateWithFlags");
            handle = out.get(JAVA_LONG, 0);
        }
    }

    public long handle() {
        return handle;
    }

    /** Waits for all that is queued on it. */
    public void await() {
        Cuda.synchronize(handle);
    }

    @Override
    public void close() {
        assertEquals(LibCudart.cudaSuccess, LibCudart.cudaStreamDestroy(handle));
    }
}
