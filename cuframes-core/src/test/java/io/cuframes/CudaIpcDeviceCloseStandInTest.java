// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.StandInTest;

/** {@link Transport#CUDA_IPC} without a GPU. */
@StandInTest
class CudaIpcDeviceCloseStandInTest extends DeviceCloseConformance {
    CudaIpcDeviceCloseStandInTest() {
        super(Transport.CUDA_IPC);
    }
}
