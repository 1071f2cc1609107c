// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import picocli.CommandLine.IVersionProvider;

/** What {@code --version} prints. */
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        return new String[] {"cuframes " + io.cuframes.Cuframes.version() + ", Java " + Runtime.version()};
    }
}
