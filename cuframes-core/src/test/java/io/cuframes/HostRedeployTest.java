// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

class HostRedeployTest extends RedeployConformance {
    HostRedeployTest() {
        super(Transport.HOST);
    }
}
