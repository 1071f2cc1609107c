// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

/** {@link Transport#HOST}. */
class HostNoCollectorTest extends NoCollectorConformance {
    HostNoCollectorTest() {
        super(Transport.HOST);
    }
}
