// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.StandInTest;

@StandInTest
class CudaIpcRedeployStandInTest extends RedeployConformance {
    CudaIpcRedeployStandInTest() {
        super(Transport.CUDA_IPC);
    }
}
