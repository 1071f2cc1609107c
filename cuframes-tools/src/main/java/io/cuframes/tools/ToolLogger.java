// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import java.text.MessageFormat;
import java.util.ResourceBundle;

/**
 * The library's log, a line each on standard error, above the live lines. java.util.logging is left out: reading its configuration takes
 * longer than connecting to a stream.
 */
final class ToolLogger implements System.Logger {
    private static volatile Level threshold = Level.WARNING;

    private final String name;

    ToolLogger(String name) {
        this.name = name;
    }

    /** Sets the least level that is printed, for all loggers. */
    static void setLevel(Level least) {
        threshold = least;
    }

    /** Prints where an error came from, if --debug asks for that. */
    static void traceForDebug(Throwable error) {
        if (threshold.getSeverity() <= Level.DEBUG.getSeverity()) {
            error.printStackTrace();
        }
    }

    @Override
    public String getName() {
        return name;
    }

    @Override
    public boolean isLoggable(Level level) {
        boolean ours = name.startsWith("io.cuframes");
        Level least = ours || threshold.getSeverity() > Level.WARNING.getSeverity() ? threshold : Level.WARNING;
        return level != Level.OFF && level.getSeverity() >= least.getSeverity();
    }

    @Override
    public void log(Level level, ResourceBundle bundle, String message, Throwable thrown) {
        if (!isLoggable(level)) {
            return;
        }
        String prefix = switch (level) {
            case WARNING -> "warning: ";
            case ERROR -> "error: ";
            default -> "";
        };
        Console.standardError().line(prefix + message + (thrown == null ? "" : ": " + thrown));
        if (thrown != null) {
            traceForDebug(thrown);
        }
    }

    @Override
    public void log(Level level, ResourceBundle bundle, String format, Object... parameters) {
        if (isLoggable(level)) {
            boolean plain = parameters == null || parameters.length == 0;
            log(level, bundle, plain ? format : MessageFormat.format(format, parameters), (Throwable) null);
        }
    }
}
