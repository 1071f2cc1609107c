// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import java.util.List;

/** The exit codes of every command, and the one place where an error becomes one. */
final class ExitStatus {
    static final int FINE = 0;
    static final int USAGE = 2;
    static final int NO_PUBLISHER = 3;
    static final int ENDED_EARLY = 4;
    static final int BROKEN = 5;
    static final int NOT_VERIFIED = 6;
    static final int NOT_ABLE = 7;

    static final String HEADING = "%nExit codes:%n";
    static final String FINE_HELP = "0:fine; also after Ctrl-C or SIGTERM, if all was well until then";
    static final String USAGE_HELP = "2:the command line makes no sense, or the key is illegal";
    static final String NO_PUBLISHER_HELP = "3:no publisher within the connect timeout";
    static final String ENDED_EARLY_HELP = "4:the stream ended before --max-frames, or its publisher died";
    static final String BROKEN_HELP = "5:a device, library or input error: a URL that cannot be opened, a key in use";
    static final String NOT_VERIFIED_HELP = "6:verification failed: a frame was torn or out of order";

    private ExitStatus() {}

    /**
     * The exit code of an error of the library.
     *
     * @param code the error
     * @param reader whether the command reads a stream: what is not found is then a publisher, else a file or a camera
     */
    static int of(ErrorCode code, boolean reader) {
        return switch (code) {
            case INVALID_ARGUMENT -> USAGE;
            case NOT_FOUND -> reader ? NO_PUBLISHER : BROKEN;
            case DISCONNECTED -> reader ? ENDED_EARLY : BROKEN;
            case ALREADY_EXISTS, PROTOCOL, TIMEOUT, CUDA, NO_SLOT, ACCESS_DENIED, UNSUPPORTED, SYSTEM, INTERNAL ->
                BROKEN;
        };
    }

    /** Prints an error as one line, with its stack trace where --debug is among the arguments, and gives its exit code. */
    static int report(Throwable error, List<String> arguments) {
        Console.standardError().endLive();
        Console.standardError().line("cuframes: " + describe(error));
        if (arguments.contains("--debug")) {
            error.printStackTrace();
        }
        boolean reader = List.of(SubCountCommand.NAME, SubCountCommand.PROGRAM).contains(arguments.get(0));
        return error instanceof CuframesException known ? of(known.code(), reader) : BROKEN;
    }

    private static String describe(Throwable error) {
        if (error instanceof CuframesException) {
            return error.getMessage();
        }
        if (error instanceof LinkageError) {
            return "a library cannot be loaded (" + error
                    + "): build again with mvn package on this machine; --debug shows where";
        }
        return "unexpected " + error + ": please report this, with what --debug prints";
    }
}
