// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.GpuTest;

/** {@link Transport#CUDA_VMM}. */
@GpuTest
class CudaVmmFaultTest extends FaultConformance {
    CudaVmmFaultTest() {
        super(Transport.CUDA_VMM);
    }
}
