// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;

/** Runs a main class once every class of this project is loaded: from directories they cannot be loaded without a descriptor, as from jars they can. */
public final class Preloaded {
    private Preloaded() {}

    /** Arguments: the main class, then its own. */
    public static void main(String[] args) throws Exception {
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            Path directory = Path.of(entry);
            if (Files.isDirectory(directory.resolve("io/cuframes"))) {
                loadAll(directory);
            }
        }
        Class.forName(args[0]).getMethod("main", String[].class).invoke(null, (Object)
                Arrays.copyOfRange(args, 1, args.length));
    }

    private static void loadAll(Path directory) throws IOException, ClassNotFoundException {
        try (Stream<Path> files = Files.walk(directory.resolve("io/cuframes"))) {
            for (Path file : files.toList()) {
                String name = directory.relativize(file).toString();
                // Tests themselves need what is not there without their engine.
                if (name.endsWith(".class") && (!entryIsOfTests(directory) || name.startsWith("io/cuframes/testing"))) {
                    Class.forName(
                            name.substring(0, name.length() - ".class".length()).replace('/', '.'),
                            false,
                            Preloaded.class.getClassLoader());
                }
            }
        }
    }

    private static boolean entryIsOfTests(Path directory) {
        return Files.exists(directory.resolve("io/cuframes/testing/Preloaded.class"));
    }
}
