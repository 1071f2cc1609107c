// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Processes of users who have nothing to do with this one, whose ids need not exist. Only root can start them. */
public final class ForeignUser implements AutoCloseable {
    /** Nobody's. */
    public static final int ID = 54321;

    private final Path home;
    private final String classPath;

    /** Copies the class path to where everybody can read it; skips the test where this user may not start processes of others. */
    public ForeignUser() {
        Needs.root("start processes of other users");
        Needs.program("setpriv", "util-linux");
        try {
            home = Files.createTempDirectory("cuframes-foreign");
            List<String> copies = new ArrayList<>();
            for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
                if (Files.exists(Path.of(entry)) && entry.matches(".*(cuframes|gson|HdrHistogram).*")) {
                    copies.add(copy(Path.of(entry), home.resolve(Integer.toString(copies.size())))
                            .toString());
                }
            }
            classPath = String.join(File.pathSeparator, copies);
            open(home);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
        }
        return to;
    }

    /** Lets everybody read a directory, or a file, and all in it. */
    private static void open(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.toList()) {
                Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
            }
        }
    }

    /** Starts a main class as a user who may have only so many threads in all processes together. */
    public Child startWithThreads(int user, int threads, Class<?> main, Object... arguments) {
        return Child.startBy(
                List.of(
                        "prlimit",
                        "--nproc=" + threads,
                        "setpriv",
                        "--reuid=" + user,
                        "--regid=" + user,
                        "--clear-groups"),
                List.of(),
                classPath,
                main,
                arguments);
    }

    /** Starts a main class as a user, with a primary group and others. */
    public Child start(int user, int group, List<Integer> others, Class<?> main, Object... arguments) {
        return startBy(List.of(), List.of(), user, group, others, main, arguments);
    }

    /** The same, by a program that starts what its last arguments say, and with options of its JVM. */
    public Child startBy(
            List<String> by,
            List<String> options,
            int user,
            int group,
            List<Integer> others,
            Class<?> main,
            Object... arguments) {
        List<String> program = new ArrayList<>(by);
        program.addAll(List.of("setpriv", "--reuid=" + user, "--regid=" + group));
        program.add(
                others.isEmpty()
                        ? "--clear-groups"
                        : "--groups="
                                + String.join(
                                        ",",
                                        others.stream().map(String::valueOf).toList()));
        return Child.startBy(program, options, classPath, main, arguments);
    }

    @Override
    public void close() {
        try (Stream<Path> files = Files.walk(home)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
