// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.TwoGpusTest;

/** {@link OtherDeviceConformance} on two GPUs. */
@TwoGpusTest
class OtherDeviceTest extends OtherDeviceConformance {
    @Override
    String visibility() {
        return "CUDA_VISIBLE_DEVICES";
    }
}
