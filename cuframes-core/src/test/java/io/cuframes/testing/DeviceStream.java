// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cuframes.ffm.LibCudart;
import io.cuframes.internal.cuda.Cuda;

/** A CUDA stream of the application's, on the device that was current when it was made. */
public final class DeviceStream implements AutoCloseable {
    private final long handle = Cuda.createStream();

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
