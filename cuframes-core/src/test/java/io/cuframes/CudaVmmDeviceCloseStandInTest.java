// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.StandInTest;

/** {@link Transport#CUDA_VMM} without a GPU. */
@StandInTest
class CudaVmmDeviceCloseStandInTest extends DeviceCloseConformance {
    CudaVmmDeviceCloseStandInTest() {
        super(Transport.CUDA_VMM);
    }
}
