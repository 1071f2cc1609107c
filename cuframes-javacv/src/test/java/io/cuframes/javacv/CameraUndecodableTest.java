// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

/** Packets that cannot be decoded, and the CPU decodes. */
class CameraUndecodableTest extends CameraUndecodableConformance {
    CameraUndecodableTest() {
        super(VideoSource.Decoder.CPU);
    }
}
