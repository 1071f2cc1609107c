// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.GpuTest;

/** The order on a GPU. */
@GpuTest
class DeviceOrderTest extends DeviceOrderConformance {
    DeviceOrderTest() {
        super(Transport.CUDA_IPC);
    }
}
