// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.StandInTest;

/** {@link Transport#CUDA_IPC} without a GPU. */
@StandInTest
class CudaIpcContextLossStandInTest extends ContextLossConformance {
    CudaIpcContextLossStandInTest() {
        super(Transport.CUDA_IPC);
    }
}
