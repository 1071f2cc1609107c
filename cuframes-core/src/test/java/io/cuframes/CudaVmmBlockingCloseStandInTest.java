// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.CudaStandIn;
import io.cuframes.testing.StandInTest;
import org.junit.jupiter.api.BeforeEach;

/** {@link Transport#CUDA_VMM} without a GPU, with a CUDA whose calls that release memory wait for all that is queued. */
@StandInTest
class CudaVmmBlockingCloseStandInTest extends DeviceCloseConformance {
    CudaVmmBlockingCloseStandInTest() {
        super(Transport.CUDA_VMM);
    }

    @BeforeEach
    void block() {
        CudaStandIn.set("BLOCK", 1);
    }
}
