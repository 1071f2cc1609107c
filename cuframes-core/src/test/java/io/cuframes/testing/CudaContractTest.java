// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

/** The contract with CUDA itself. */
@GpuTest
class CudaContractTest extends CudaContract {}
