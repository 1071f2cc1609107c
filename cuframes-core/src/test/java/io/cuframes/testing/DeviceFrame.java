// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cuframes.DevicePtr;
import io.cuframes.FrameFormat;
import io.cuframes.PlaneLayout;
import io.cuframes.WritableFrame;
import io.cuframes.ffm.LibCudart;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** One frame's bytes in device memory of this process, in the layout of its format: what a decoder's surface is to a publisher. */
public final class DeviceFrame implements AutoCloseable {
    private final FrameFormat format;
    private final long address;

    /** Allocates it on the current device; its bytes are whatever is there. */
    public DeviceFrame(FrameFormat format) {
        this.format = format;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointer = arena.allocate(JAVA_LONG);
            check(LibCudart.cudaMalloc(pointer, format.frameBytes()));
            this.address = pointer.get(JAVA_LONG, 0);
        }
    }

    /** Where it starts. */
    public long address() {
        return address;
    }

    /** Copies a frame's bytes here from host memory, now. */
    public DeviceFrame load(MemorySegment pixels) {
        check(LibCudart.cudaMemcpy(address, pixels.address(), format.frameBytes(), LibCudart.cudaMemcpyHostToDevice));
        return this;
    }

    /** Copies it to host memory, now. */
    public MemorySegment store(MemorySegment target) {
        check(LibCudart.cudaMemcpy(target.address(), address, format.frameBytes(), LibCudart.cudaMemcpyDeviceToHost));
        return target;
    }

    /** Queues the copy of every plane into a frame to be published. */
    public void queueInto(WritableFrame frame, long stream) {
        for (int i = 0; i < format.planes().size(); i++) {
            PlaneLayout plane = format.planes().get(i);
            frame.copyPlane(i, new DevicePtr(address + plane.offset()), plane.pitch(), stream);
        }
    }

    /** Queues the copy of a whole frame from elsewhere on the device. */
    public void queueFrom(DevicePtr source, long stream) {
        check(LibCudart.cudaMemcpyAsync(
                address, source.address(), format.frameBytes(), LibCudart.cudaMemcpyDeviceToDevice, stream));
    }

    @Override
    public void close() {
        check(LibCudart.cudaFree(address));
    }

    private static void check(int status) {
        assertEquals(LibCudart.cudaSuccess, status, () -> LibCudart.cudaGetErrorName(status));
    }
}
