// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.GpuTest;

/** {@link Transport#CUDA_IPC}. */
@GpuTest
class CudaIpcMetadataTest extends MetadataConformance {
    CudaIpcMetadataTest() {
        super(Transport.CUDA_IPC);
    }
}
