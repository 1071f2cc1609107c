// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import io.cuframes.testing.Needs;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** Packets that cannot be decoded, and the GPU decodes. */
@Tag("gpu")
class NvdecUndecodableTest extends CameraUndecodableConformance {
    NvdecUndecodableTest() {
        super(VideoSource.Decoder.NVDEC);
    }

    @BeforeAll
    static void gpuIsThere() {
        String reason = CudaDriver.whyUnavailable(0);
        Needs.gpu(reason == null, reason);
    }
}
