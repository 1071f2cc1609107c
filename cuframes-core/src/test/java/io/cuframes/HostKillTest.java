// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

/** {@link Transport#HOST}. */
class HostKillTest extends KillConformance {
    private static final int ROUNDS = 300;

    HostKillTest() {
        super(Transport.HOST, ROUNDS);
    }
}
