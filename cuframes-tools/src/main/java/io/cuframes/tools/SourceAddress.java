// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.javacv.VideoSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;

/** Where the URL of a source comes from. Every user of a machine can read the command lines of all, so a password has better places. */
final class SourceAddress {
    /** The environment variable that holds a URL; only the same user can read a process's environment. */
    static final String VARIABLE = "CUFRAMES_RTSP_URL";

    private static final String FILE_MARK = "@";
    private static final long LONGEST_FILE = 65_536;

    private SourceAddress() {}

    /**
     * Finds the URL.
     *
     * @param option of the command line, or null
     * @param variable of the environment, or null
     * @return the URL, credentials and all: never for a text
     * @throws IllegalArgumentException if there is none, with what to do
     */
    static String find(String option, String variable) {
        String address = option != null ? option : variable;
        if (address == null || address.isEmpty()) {
            throw new IllegalArgumentException(
                    "nothing to open: give --rtsp, or a URL in the environment variable " + VARIABLE);
        }
        if (address.startsWith(FILE_MARK)) {
            return read(address.substring(FILE_MARK.length()));
        }
        if (option != null && !VideoSource.hideCredentials(option).equals(option)) {
            Console.standardError()
                    .line(
                            "warning: the credentials of the URL are on the command line, where every user of this machine"
                                    + " can read them: use --rtsp @FILE, or " + VARIABLE);
        }
        return address;
    }

    private static String read(String name) {
        try {
            Path file = Path.of(name);
            if (Files.size(file) > LONGEST_FILE) {
                throw new IllegalArgumentException("--rtsp " + FILE_MARK + name + ": the file has more than "
                        + LONGEST_FILE + " bytes, not one line with a URL");
            }
            List<String> lines = Files.readAllLines(file).stream()
                    .filter(line -> !line.isBlank())
                    .toList();
            if (lines.size() != 1) {
                throw new IllegalArgumentException("--rtsp " + FILE_MARK + name + ": the file has " + lines.size()
                        + " lines, and must have one, with the URL");
            }
            if (Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ)) {
                Console.standardError()
                        .line("warning: every user of this machine can read " + file
                                + ": chmod 600 it if its URL has credentials");
            }
            return lines.get(0).strip();
        } catch (IOException | InvalidPathException e) {
            throw new IllegalArgumentException(
                    "--rtsp " + FILE_MARK + name + ": the file cannot be read (" + e
                            + "); a file to play whose name begins with @ is ./" + FILE_MARK + name,
                    e);
        }
    }
}
