// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.GpuTest;

/** Own buffers in the memory of a GPU. */
@GpuTest
class ExternalDeviceTest extends ExternalDeviceConformance {}
