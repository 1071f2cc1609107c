// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.javacv.VideoSource;
import java.io.PrintWriter;
import java.util.Arrays;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;

/** The {@code cuframes} command. */
@Command(
        name = "cuframes",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        synopsisSubcommandLabel = "COMMAND",
        description = "Decodes a camera once and shares the frames, zero-copy, with any number of processes.",
        subcommands = {DemoCommand.class, RtspSourceCommand.class, SubCountCommand.class, BenchCommand.class},
        footer = {
            "",
            "Start here: cuframes demo",
            "Each command has its own --help, with an example and its exit codes."
        })
public final class Cuframes {
    private Cuframes() {}

    /**
     * Runs the command and exits with its status.
     *
     * @param arguments the command line
     */
    public static void main(String[] arguments) {
        int status = run(arguments);
        System.out.flush();
        StopSignal.get().finish(status);
        System.exit(status);
    }

    private static int run(String[] arguments) {
        CommandLine commandLine = new CommandLine(new Cuframes());
        commandLine.setColorScheme(Help.defaultColorScheme(Help.Ansi.OFF)); // looking for a terminal costs 60 ms
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        commandLine.setExpandAtFiles(false); // --rtsp @FILE is one argument, with what a URL may hold
        commandLine.setUsageHelpAutoWidth(false);
        commandLine.setUsageHelpWidth(100);
        commandLine.setParameterExceptionHandler(Cuframes::complain);
        commandLine.setExecutionExceptionHandler(
                (error, command, parsed) -> ExitStatus.report(error, Arrays.asList(arguments)));
        if (arguments.length == 0) {
            commandLine.usage(System.err);
            return ExitStatus.USAGE;
        }
        try {
            return commandLine.execute(arguments);
        } catch (LinkageError e) {
            return ExitStatus.report(e, Arrays.asList(arguments));
        }
    }

    /** A command line that makes no sense: one line that says what, one that says where to read more. */
    private static int complain(CommandLine.ParameterException error, String[] arguments) {
        PrintWriter out = error.getCommandLine().getErr();
        out.println("cuframes: " + VideoSource.hideCredentials(String.valueOf(error.getMessage())));
        out.println("See: " + error.getCommandLine().getCommandSpec().qualifiedName() + " --help");
        out.flush();
        return ExitStatus.USAGE;
    }
}
