// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.testing.Needs;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A user without a name and without rights, who runs a command. Only root can be him. */
final class OtherUser implements AutoCloseable {
    private static final int ID = 54321;

    private final Path home = Files.createTempDirectory("cuframes-other");
    private final List<String> classPath = new ArrayList<>();

    /** Copies the classes to where everybody can read them; skips the test where this is not root, or setpriv is not there. */
    OtherUser() throws IOException {
        try {
            Needs.root("start processes of other users");
            Needs.program("setpriv", "util-linux");
        } catch (RuntimeException | AssertionError e) {
            close();
            throw e;
        }
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            Path from = Path.of(entry);
            if (Files.exists(from) && entry.matches(".*(cuframes|gson|HdrHistogram|picocli|snakeyaml).*")) {
                Path to = home.resolve(Integer.toString(classPath.size()));
                copy(from, to);
                classPath.add(to.toString());
            }
        }
        try (Stream<Path> files = Files.walk(home)) {
            for (Path file : files.toList()) {
                Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
            }
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
        }
    }

    /** Starts a cuframes command as him. */
    Tool start(Path output, String... arguments) throws IOException {
        List<String> line = new ArrayList<>(List.of(
                "setpriv",
                "--reuid=" + ID,
                "--regid=" + ID,
                "--clear-groups",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                String.join(File.pathSeparator, classPath),
                Cuframes.class.getName()));
        line.addAll(List.of(arguments));
        return Tool.start(output, new ProcessBuilder(line));
    }

    @Override
    public void close() throws IOException {
        try (Stream<Path> files = Files.walk(home)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
