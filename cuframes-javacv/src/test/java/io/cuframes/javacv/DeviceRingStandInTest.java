// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import io.cuframes.testing.StandInTest;

/** On the CUDA stand-in. */
@StandInTest
class DeviceRingStandInTest extends DeviceRingConformance {}
