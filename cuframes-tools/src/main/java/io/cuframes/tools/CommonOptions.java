// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** What every command understands. */
final class CommonOptions {
    @Option(
            names = "--socket-dir",
            paramLabel = "DIR",
            description = "Where the streams' sockets are, instead of CUFRAMES_SOCKET_DIR and the usual places.")
    Path socketDirectory;

    @Option(
            names = "--json",
            description = "Print the result as one JSON object, the last line of standard output; its text goes to"
                    + " standard error.")
    boolean json;

    @Option(names = "--debug", description = "Log more, and print stack traces.")
    boolean debug;

    /** Sets the least level that is logged: the command's own, or DEBUG where asked. */
    void startLogging(System.Logger.Level usual) {
        ToolLogger.setLevel(debug ? System.Logger.Level.DEBUG : usual);
    }

    /** Prints a result: the text, or the text beside the JSON. */
    void printResult(String text, JsonLine jsonLine) {
        Console.standardError().endLive();
        if (json) {
            Console.standardError().line(text);
            System.out.println(jsonLine);
        } else {
            System.out.println(text);
        }
        System.out.flush();
    }
}
