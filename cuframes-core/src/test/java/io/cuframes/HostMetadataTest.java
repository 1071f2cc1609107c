// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

/** {@link Transport#HOST}. */
class HostMetadataTest extends MetadataConformance {
    HostMetadataTest() {
        super(Transport.HOST);
    }
}
