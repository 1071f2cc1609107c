// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.PublishPolicy;
import io.cuframes.Transport;
import io.cuframes.javacv.VideoSource;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;

/** The tools' own reading of what a document tells people to type or to write, without doing it. */
public final class CommandLines {
    private CommandLines() {}

    /**
     * Reads a command line as the command would.
     *
     * @param words from the subcommand or the program's name on
     * @return what is wrong with it; null if nothing is
     */
    public static String complaintAbout(List<String> words) {
        String[] arguments = words.toArray(String[]::new);
        try {
            Cuframes.of(arguments).parseArgs(Cuframes.optionsOf(arguments));
            return null;
        } catch (CommandLine.ParameterException e) {
            return e.getMessage();
        }
    }

    /** Whether a command has that option. */
    public static boolean hasOption(String command, String option) {
        CommandLine line = Cuframes.of(command);
        CommandLine own = line.getSubcommands().getOrDefault(command, line);
        return own.getCommandSpec().findOption(option) != null;
    }

    /** Whether that is a subcommand of {@code cuframes}. */
    public static boolean isCommand(String word) {
        return Cuframes.of("").getSubcommands().containsKey(word);
    }

    /** How many cameras are in a configuration file. */
    public static int camerasIn(Path file) {
        CameraSettings.Draft draft = new CameraSettings.Draft();
        draft.ring = 6;
        draft.policy = PublishPolicy.DROP_OLDEST;
        draft.transport = Transport.AUTO;
        draft.decoder = VideoSource.Decoder.AUTO;
        draft.rtspTransport = VideoSource.RtspTransport.TCP;
        draft.maxSubscribers = 32;
        draft.linger = Duration.ofSeconds(10);
        return CameraFile.read(file, draft, Map.of()).size();
    }
}
