// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.DevicePtr;
import io.cuframes.Frame;
import io.cuframes.Publisher;
import io.cuframes.Subscriber;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import io.cuframes.testing.GpuTest;
import io.cuframes.testing.StreamFixture;
import java.time.Duration;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.JCudaDriver;
import jcuda.runtime.JCuda;
import jcuda.runtime.cudaMemcpyKind;
import jcuda.runtime.cudaMemoryType;
import jcuda.runtime.cudaPointerAttributes;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** JCuda has a CUDA runtime linked into it, and transport CUDA_IPC loads the machine's: both are in this process, and agree. */
@GpuTest
@Timeout(120)
class TwoRuntimesTest {
    private static final int WIDTH = 512;
    private static final int HEIGHT = 64;

    /** JCuda's allocation, and where it is. */
    private static final class Memory extends Pointer {
        long address() {
            return getNativePointer();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CUDA_IPC", "CUDA_VMM"})
    void whatOneWritesTheOtherReads(Transport transport) {
        JCuda.setExceptionsEnabled(true);
        byte[] luma = new byte[WIDTH * HEIGHT];
        for (int i = 0; i < luma.length; i++) {
            luma[i] = (byte) (i * 31);
        }
        try (StreamFixture stream = new StreamFixture();
                Publisher publisher = Publisher.builder(stream.key())
                        .socketDirectory(stream.directory())
                        .transport(transport)
                        .size(WIDTH, HEIGHT)
                        .open();
                Subscriber subscriber = Subscriber.builder(stream.key())
                        .socketDirectory(stream.directory())
                        .open()) {
            int[] version = new int[1];
            JCuda.cudaRuntimeGetVersion(version);
            assertEquals(12, version[0] / 1000, "JCuda's own runtime, whatever the machine has");
            JCuda.cudaSetDevice(0);
            Memory source = new Memory();
            JCuda.cudaMalloc(source, luma.length);
            JCuda.cudaMemcpy(source, Pointer.to(luma), luma.length, cudaMemcpyKind.cudaMemcpyHostToDevice);
            assertSameContext();
            try (WritableFrame frame = publisher.acquire()) {
                frame.copyPlane(0, new DevicePtr(source.address()), WIDTH, 0);
                frame.copyPlane(1, new DevicePtr(source.address()), WIDTH, 0);
                frame.publish(0, 0);
            }
            try (Frame frame = subscriber.next(Duration.ofSeconds(20))) {
                DevicePtr plane = frame.plane(0).pointer();
                cudaPointerAttributes attributes = new cudaPointerAttributes();
                JCuda.cudaPointerGetAttributes(attributes, JCudaFrames.pointer(plane));
                assertEquals(cudaMemoryType.cudaMemoryTypeDevice, attributes.type);
                assertEquals(0, attributes.device);
                byte[] read = new byte[luma.length];
                assertEquals(WIDTH, frame.plane(0).pitch());
                JCuda.cudaMemcpy(
                        Pointer.to(read),
                        JCudaFrames.pointer(plane),
                        read.length,
                        cudaMemcpyKind.cudaMemcpyDeviceToHost);
                assertArrayEquals(luma, read);
                byte[] again = new byte[luma.length];
                JCudaDriver.cuMemcpyDtoH(Pointer.to(again), JCudaFrames.devicePointer(plane), again.length);
                assertArrayEquals(luma, again);
            }
            JCuda.cudaFree(source);
        }
    }

    /** JCuda's runtime has made its context current; cuframes works in the primary one. */
    private static void assertSameContext() {
        JCudaDriver.setExceptionsEnabled(true);
        CUcontext current = new CUcontext();
        JCudaDriver.cuCtxGetCurrent(current);
        CUcontext primary = JCudaFrames.usePrimaryContext(0);
        assertEquals(primary, current);
        assertTrue(!primary.equals(new CUcontext()), "there is one");
    }
}
