// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.StandInTest;

/** {@link Transport#CUDA_VMM} without a GPU. */
@StandInTest
class CudaVmmTransportStandInTest extends TransportConformance {
    CudaVmmTransportStandInTest() {
        super(Transport.CUDA_VMM);
    }

    /** The promise is tested in host memory. The streams here are threads, which a busy machine lets wait at every operation. */
    @Override
    long noticeNanos() {
        return 10 * NOTICE_NANOS;
    }
}
