// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

/** Packets that get lost, and the CPU decodes. */
class CameraDamageTest extends CameraDamageConformance {
    CameraDamageTest() {
        super(VideoSource.Decoder.CPU);
    }
}
