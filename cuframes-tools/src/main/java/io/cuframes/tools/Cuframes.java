// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.javacv.VideoSource;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
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
        footer = {
            "",
            "Start here: cuframes demo",
            "Each command has its own --help, with an example and its exit codes."
        })
public final class Cuframes {
    /** In the order of the help. */
    private static final Map<String, Class<?>> COMMANDS = commands();

    /** Commands that are programs, too: bin/cuframes, linked to such a name, passes it on as the first argument. */
    private static final Map<String, Class<?>> PROGRAMS = Map.of(
            RtspSourceCommand.PROGRAM, RtspSourceCommand.class,
            SubCountCommand.PROGRAM, SubCountCommand.class);

    private Cuframes() {}

    private static Map<String, Class<?>> commands() {
        Map<String, Class<?>> commands = new LinkedHashMap<>();
        commands.put("demo", DemoCommand.class);
        commands.put("rtsp-source", RtspSourceCommand.class);
        commands.put(SubCountCommand.NAME, SubCountCommand.class);
        commands.put(ListCommand.NAME, ListCommand.class);
        commands.put(DoctorCommand.NAME, DoctorCommand.class);
        commands.put("bench", BenchCommand.class);
        return commands;
    }

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

    /** Runs a command line and gives its exit status. */
    static int run(String... arguments) {
        CommandLine commandLine = of(arguments);
        commandLine.setExecutionExceptionHandler(
                (error, command, parsed) -> ExitStatus.report(error, Arrays.asList(arguments)));
        if (arguments.length == 0) {
            commandLine.usage(System.err);
            return ExitStatus.USAGE;
        }
        try {
            return commandLine.execute(isUnknown(arguments[0]) ? new String[] {arguments[0]} : optionsOf(arguments));
        } catch (Error e) { // picocli handles exceptions alone
            return ExitStatus.report(e, Arrays.asList(arguments));
        }
    }

    /** Whether a first word is no command. What follows it cannot be understood then, --help included: it would ask for the help of this word. */
    private static boolean isUnknown(String first) {
        return !first.startsWith("-") && !COMMANDS.containsKey(first) && !PROGRAMS.containsKey(first);
    }

    /** What understands a command line, by its first word. */
    static CommandLine of(String... arguments) {
        String first = arguments.length == 0 ? "" : arguments[0];
        boolean program = PROGRAMS.containsKey(first);
        CommandLine commandLine = program ? new CommandLine(PROGRAMS.get(first)) : new CommandLine(new Cuframes());
        if (program) {
            commandLine.setCommandName(first);
        } else {
            addCommands(commandLine, first);
        }
        commandLine.setColorScheme(Help.defaultColorScheme(Help.Ansi.OFF)); // looking for a terminal costs 60 ms
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        commandLine.setExpandAtFiles(false); // --rtsp @FILE is one argument, with what a URL may hold
        commandLine.setUsageHelpAutoWidth(false);
        commandLine.setUsageHelpWidth(100);
        commandLine.setParameterExceptionHandler(Cuframes::complain);
        return commandLine;
    }

    /** What {@link #of} its command line understands: without the name of a program. */
    static String[] optionsOf(String... arguments) {
        return PROGRAMS.containsKey(arguments[0]) ? Arrays.copyOfRange(arguments, 1, arguments.length) : arguments;
    }

    /** Reading the options of a command takes tens of milliseconds: where one is wanted, the others are left out. */
    private static void addCommands(CommandLine commandLine, String wanted) {
        boolean known = COMMANDS.containsKey(wanted);
        COMMANDS.forEach((name, type) -> {
            if (!known || name.equals(wanted)) {
                commandLine.addSubcommand(name, type);
            }
        });
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
