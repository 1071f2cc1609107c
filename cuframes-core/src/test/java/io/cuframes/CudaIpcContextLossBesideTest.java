// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.GpuTest;

/** {@link Transport#CUDA_IPC}. */
@GpuTest
class CudaIpcContextLossBesideTest extends ContextLossBesideConformance {
    CudaIpcContextLossBesideTest() {
        super(Transport.CUDA_IPC);
    }
}
