// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.internal.cuda.CudaDevice;
import io.cuframes.internal.cuda.ExternalCudaRing;
import io.cuframes.internal.memory.ExternalHostRing;
import io.cuframes.internal.memory.RingMemory;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The application's own buffers that are to be the slots of a ring.
 *
 * @param layout of a frame in each of them
 * @param device where they are in device memory; null for host memory
 * @param host where they are in host memory; null for device memory
 */
record ExternalBuffers(FrameFormat layout, List<DevicePtr> device, List<MemorySegment> host) {
    Transport transport() {
        return device == null ? Transport.HOST : Transport.CUDA_IPC;
    }

    int count() {
        return device == null ? host.size() : device.size();
    }

    /** Checks them and makes them ready to be shared. */
    RingMemory register(String key, CudaDevice of) {
        // Pitches and plane offsets are multiples of it, so samples are aligned if the buffer is. Readers are promised
        // no more.
        int alignment = layout.pixelFormat().componentBytes();
        return device == null
                ? new ExternalHostRing(key, host, layout.frameBytes(), alignment)
                : new ExternalCudaRing(of, key, device, layout.frameBytes(), alignment);
    }
}
