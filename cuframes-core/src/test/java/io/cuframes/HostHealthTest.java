// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

/** {@link Transport#HOST}. */
class HostHealthTest extends HealthConformance {
    HostHealthTest() {
        super(Transport.HOST);
    }
}
