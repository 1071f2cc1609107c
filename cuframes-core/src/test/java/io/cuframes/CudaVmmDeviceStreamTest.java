// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.GpuTest;

/** {@link Transport#CUDA_VMM}. */
@GpuTest
class CudaVmmDeviceStreamTest extends DeviceStreamConformance {
    CudaVmmDeviceStreamTest() {
        super(Transport.CUDA_VMM);
    }
}
