// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples;

import io.cuframes.DevicePtr;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.JCudaDriver;

/**
 * A frame's memory as JCuda has it. An address of cuframes is of the device's primary context, the one of every CUDA runtime in the process: it is
 * made current here for calls of the driver API, and calls of {@code jcuda.runtime} find it by themselves.
 */
final class JCudaFrames {
    private JCudaFrames() {}

    /** JCuda has no public way from a number to a pointer; its constructors are for subclasses. */
    private static final class Address extends Pointer {
        Address(long address) {
            super(address);
        }
    }

    private static final class DeviceAddress extends CUdeviceptr {
        DeviceAddress(long address) {
            super(new CUdeviceptr(), address); // so many bytes after 0
        }
    }

    /** For jcuda.runtime. Valid as long as the frame is open. */
    static Pointer pointer(DevicePtr plane) {
        return new Address(plane.address());
    }

    /** For jcuda.driver. Valid as long as the frame is open. */
    static CUdeviceptr devicePointer(DevicePtr plane) {
        return new DeviceAddress(plane.address());
    }

    /** Makes the primary context current on this thread, and keeps it: release it with cuDevicePrimaryCtxRelease. */
    static CUcontext usePrimaryContext(int ordinal) {
        JCudaDriver.setExceptionsEnabled(true);
        JCudaDriver.cuInit(0);
        CUdevice device = new CUdevice();
        JCudaDriver.cuDeviceGet(device, ordinal);
        CUcontext context = new CUcontext();
        JCudaDriver.cuDevicePrimaryCtxRetain(context, device);
        JCudaDriver.cuCtxSetCurrent(context);
        return context;
    }
}
