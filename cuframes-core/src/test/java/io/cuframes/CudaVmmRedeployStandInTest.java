// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.StandInTest;

@StandInTest
class CudaVmmRedeployStandInTest extends RedeployConformance {
    CudaVmmRedeployStandInTest() {
        super(Transport.CUDA_VMM);
    }
}
