// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.GpuTest;

/** {@link Transport#CUDA_VMM}. */
@GpuTest
class CudaVmmDeviceCloseTest extends DeviceCloseConformance {
    CudaVmmDeviceCloseTest() {
        super(Transport.CUDA_VMM);
    }
}
