// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

/** {@link Transport#HOST}. */
class HostTransportTest extends TransportConformance {
    HostTransportTest() {
        super(Transport.HOST);
    }
}
