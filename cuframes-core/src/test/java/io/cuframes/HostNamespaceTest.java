// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

/** {@link Transport#HOST}. */
class HostNamespaceTest extends NamespaceConformance {
    HostNamespaceTest() {
        super(Transport.HOST);
    }
}
