// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.javacv.VideoSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import java.util.Locale;
import java.util.Map;

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
        String address = option != null ? option : trimmed(variable);
        if (address == null || address.isBlank()) {
            throw new IllegalArgumentException(
                    "nothing to open: give --rtsp, or a URL in the environment variable " + VARIABLE);
        }
        if (address.startsWith(FILE_MARK)) {
            return read("--rtsp ", address.substring(FILE_MARK.length()), Path.of(""));
        }
        if (option != null && hasCredentials(option)) {
            Console.standardError()
                    .line(
                            "warning: the credentials of the URL are on the command line, where every user of this machine"
                                    + " can read them: use --rtsp @FILE, or " + VARIABLE);
        }
        return address;
    }

    /** Without the line end that a variable has where it was read from a file. */
    private static String trimmed(String variable) {
        return variable == null ? null : variable.strip();
    }

    private static boolean hasCredentials(String address) {
        return !VideoSource.hideCredentials(address).equals(address);
    }

    /**
     * Finds the URL of one of several cameras.
     *
     * @param key the camera
     * @param option what the command line says of it; null if it says nothing
     * @param environment where it is otherwise
     * @throws IllegalArgumentException if there is none, with what to do
     */
    static String ofCamera(String key, String option, Map<String, String> environment) {
        if (option == null) {
            return ofEnvironment(key, environment);
        }
        String place = "--camera " + key + "=";
        if (option.isBlank()) {
            throw new IllegalArgumentException(place + ": a URL, a file, or @FILE must follow");
        }
        if (option.startsWith(FILE_MARK)) {
            return read(place, option.substring(FILE_MARK.length()), Path.of(""));
        }
        if (hasCredentials(option)) {
            Console.standardError()
                    .line("warning: the credentials of camera \"" + key
                            + "\" are on the command line, where every user of this machine can read them: use " + place
                            + "@FILE, or " + variable(key));
        }
        return option;
    }

    /**
     * The URL of a camera that is named without one.
     *
     * @throws IllegalArgumentException if the environment has none
     */
    static String ofEnvironment(String key, Map<String, String> environment) {
        String address = trimmed(environment.get(variable(key)));
        if (address == null || address.isEmpty()) {
            throw new IllegalArgumentException("the environment has no " + variable(key) + " with the URL of camera \""
                    + key + "\": set it, or give the URL or @FILE");
        }
        return address.startsWith(FILE_MARK)
                ? read(variable(key) + "=", address.substring(FILE_MARK.length()), Path.of(""))
                : address;
    }

    /** The environment variable of one of several cameras: what is no letter or digit of its key is an underscore. */
    static String variable(String key) {
        return VARIABLE + "_" + key.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_");
    }

    /**
     * The URL of a camera in a configuration file.
     *
     * @param file of the configuration
     * @param address as it is written there
     * @param directory where files are looked for, those with a URL and those to play
     * @throws IllegalArgumentException if there is none, with what to do
     */
    static String ofConfig(Path file, String address, Path directory) {
        if (address.startsWith(FILE_MARK)) {
            return read("", address.substring(FILE_MARK.length()), directory);
        }
        try {
            if (hasCredentials(address) && readableByAll(file)) {
                Console.standardError()
                        .line("warning: every user of this machine can read " + file
                                + ", which has credentials: chmod 600 it, or write \"@FILE\" for its URLs");
            }
        } catch (IOException e) {
            throw new IllegalArgumentException(file + " cannot be looked at (" + e + ")", e);
        }
        return VideoSource.resolve(address, directory);
    }

    private static boolean readableByAll(Path file) throws IOException {
        return Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ);
    }

    private static String read(String place, String name, Path directory) {
        try {
            Path file = directory.resolve(name);
            if (Files.size(file) > LONGEST_FILE) {
                throw new IllegalArgumentException(place + FILE_MARK + name + ": the file has more than " + LONGEST_FILE
                        + " bytes, not one line with a URL");
            }
            List<String> lines = Files.readAllLines(file).stream()
                    .filter(line -> !line.isBlank())
                    .toList();
            if (lines.size() != 1) {
                throw new IllegalArgumentException(place + FILE_MARK + name + ": the file has " + lines.size()
                        + " lines, and must have one, with the URL");
            }
            if (readableByAll(file)) {
                Console.standardError()
                        .line("warning: every user of this machine can read " + file
                                + ": chmod 600 it if its URL has credentials");
            }
            return lines.get(0).strip();
        } catch (IOException | InvalidPathException e) {
            throw new IllegalArgumentException(
                    place + FILE_MARK + name + ": the file cannot be read (" + e
                            + "); a file to play whose name begins with @ is ./" + FILE_MARK + name,
                    e);
        }
    }
}
