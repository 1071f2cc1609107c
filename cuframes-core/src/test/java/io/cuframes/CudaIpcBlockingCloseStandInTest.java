// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.CudaStandIn;
import io.cuframes.testing.StandInTest;
import org.junit.jupiter.api.BeforeEach;

/** {@link Transport#CUDA_IPC} without a GPU, with a CUDA whose calls that release memory wait for all that is queued. */
@StandInTest
class CudaIpcBlockingCloseStandInTest extends DeviceCloseConformance {
    CudaIpcBlockingCloseStandInTest() {
        super(Transport.CUDA_IPC);
    }

    @BeforeEach
    void block() {
        CudaStandIn.set("BLOCK", 1);
    }
}
