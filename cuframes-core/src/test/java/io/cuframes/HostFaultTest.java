// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

/** {@link Transport#HOST}. */
class HostFaultTest extends FaultConformance {
    HostFaultTest() {
        super(Transport.HOST);
    }
}
