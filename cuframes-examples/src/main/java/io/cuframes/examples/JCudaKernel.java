// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples;

import io.cuframes.Frame;
import io.cuframes.Plane;
import io.cuframes.Subscriber;
import java.time.Duration;
import jcuda.Pointer;
import jcuda.Sizeof;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/**
 * A CUDA kernel of one's own on a frame, in place: the histogram of the luma. The kernel ({@link LumaHistogram}) is PTX, which the driver compiles, so
 * neither a CUDA toolkit nor nvrtc is needed. Argument: the key of a stream on the first GPU.
 */
public final class JCudaKernel {
    private static final int THREADS = 128;

    private JCudaKernel() {}

    public static void main(String[] args) {
        JCudaFrames.usePrimaryContext(0);
        CUmodule module = new CUmodule();
        JCudaDriver.cuModuleLoadData(module, LumaHistogram.PTX);
        CUfunction kernel = new CUfunction();
        JCudaDriver.cuModuleGetFunction(kernel, module, LumaHistogram.NAME);
        CUdeviceptr bins = new CUdeviceptr();
        JCudaDriver.cuMemAlloc(bins, 256L * Sizeof.INT);
        JCudaDriver.cuMemsetD32(bins, 0, 256);
        int[] histogram = new int[256];
        try (Subscriber subscriber = Subscriber.builder(args[0]).open();
                Frame frame = subscriber.next(Duration.ofSeconds(5))) {
            if (frame == null) {
                throw new IllegalStateException("no frame within 5 s");
            }
            Plane luma = frame.plane(0); // complete: there is nothing to wait for
            Pointer parameters = Pointer.to(
                    Pointer.to(JCudaFrames.devicePointer(luma.pointer())),
                    Pointer.to(new int[] {luma.pitch()}),
                    Pointer.to(new int[] {luma.width()}),
                    Pointer.to(bins));
            int blocks = (luma.width() + THREADS - 1) / THREADS;
            CUstream stream = new CUstream(); // the legacy default stream
            JCudaDriver.cuLaunchKernel(kernel, blocks, luma.height(), 1, THREADS, 1, 1, 0, stream, parameters, null);
            frame.closeOn(0); // the GPU ends the lease behind the kernel
            JCudaDriver.cuMemcpyDtoH(Pointer.to(histogram), bins, 256L * Sizeof.INT);
        }
        JCudaDriver.cuMemFree(bins);
        JCudaDriver.cuModuleUnload(module);
        for (int value = 0; value < histogram.length; value++) {
            if (histogram[value] > 0) {
                System.out.println(value + ": " + histogram[value]);
            }
        }
    }
}
