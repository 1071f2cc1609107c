// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.GpuTest;

@GpuTest
class CudaVmmRedeployTest extends RedeployConformance {
    CudaVmmRedeployTest() {
        super(Transport.CUDA_VMM);
    }
}
