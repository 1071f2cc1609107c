// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

/** Hands {@link System#getLogger} the tools' own logger. Found as a service; public for that alone. */
public final class ToolLoggerFinder extends System.LoggerFinder {
    /** For the service loader. */
    public ToolLoggerFinder() {}

    @Override
    public System.Logger getLogger(String name, Module module) {
        return new ToolLogger(name);
    }
}
