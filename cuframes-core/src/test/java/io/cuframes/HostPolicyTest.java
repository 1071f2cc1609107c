// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

/** {@link Transport#HOST}. */
class HostPolicyTest extends PolicyConformance {
    HostPolicyTest() {
        super(Transport.HOST);
    }
}
