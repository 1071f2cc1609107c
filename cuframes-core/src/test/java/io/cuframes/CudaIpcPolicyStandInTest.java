// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.StandInTest;

/** The policies over {@link Transport#CUDA_IPC} without a GPU. */
@StandInTest
class CudaIpcPolicyStandInTest extends PolicyConformance {
    CudaIpcPolicyStandInTest() {
        super(Transport.CUDA_IPC);
    }
}
