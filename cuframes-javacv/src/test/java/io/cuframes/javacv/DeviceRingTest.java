// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import io.cuframes.testing.GpuTest;

/** On a GPU. */
@GpuTest
class DeviceRingTest extends DeviceRingConformance {}
