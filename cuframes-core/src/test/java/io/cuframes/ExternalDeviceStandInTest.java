// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.StandInTest;

/** Own buffers in device memory, without a GPU. */
@StandInTest
class ExternalDeviceStandInTest extends ExternalDeviceConformance {}
