// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.GpuTest;

/** Streams and addresses of a GPU. */
@GpuTest
class DeviceStreamTest extends DeviceStreamConformance {
    DeviceStreamTest() {
        super(Transport.CUDA_IPC);
    }
}
