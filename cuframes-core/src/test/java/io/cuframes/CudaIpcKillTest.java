// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.GpuTest;

/** {@link Transport#CUDA_IPC}. */
@GpuTest
class CudaIpcKillTest extends GpuKillConformance {
    CudaIpcKillTest() {
        super(Transport.CUDA_IPC);
    }
}
