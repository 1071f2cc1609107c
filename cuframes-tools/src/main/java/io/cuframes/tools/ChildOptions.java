// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Option;

/** For programs that start a command and follow it, as the demo does. */
final class ChildOptions {
    /** How progress is shown. */
    enum Progress {
        /** For people, on standard error. */
        TEXT,
        /** For programs, on standard output: one JSON object in a line, with its kind in "event". */
        JSON
    }

    private static final long JSON_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    @Option(
            names = "--progress",
            paramLabel = "text|json",
            defaultValue = "text",
            description = "Progress for people, on standard error (the default), or a JSON object in a line of standard"
                    + " output, twice a second, with \"event\" first: opened or connected, then progress.")
    Progress progress;

    @Option(
            names = "--until-stdin-ends",
            description =
                    "End, as after Ctrl-C, when standard input ends: a command that another program starts so dies"
                            + " with it.")
    boolean untilStdinEnds;

    boolean json() {
        return progress == Progress.JSON;
    }

    /** How often progress is shown. */
    Ticker ticker() {
        return new Ticker(json() ? JSON_NANOS : Console.standardError().refreshNanos());
    }

    void watchStdin() {
        if (untilStdinEnds) {
            StopSignal.get().stopAtEndOfStdin();
        }
    }
}
