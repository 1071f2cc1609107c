// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cuframes.testing.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The CUDA stand-in, compiled for commands that a test starts; the test's own JVM does not load it. */
final class StandInLibrary {
    private StandInLibrary() {}

    /** What a command needs in its environment to take the stand-in for CUDA. Needs a C compiler. */
    static Map<String, String> environment(Path directory) throws Exception {
        String library = compile(directory).toString();
        return Map.of("CUFRAMES_CUDART", library, "CUFRAMES_CUDA", library);
    }

    private static Path compile(Path directory) throws Exception {
        Needs.compiler();
        Path library = directory.resolve("libcuda_standin.so");
        List<String> command = new ArrayList<>(List.of("cc", "-O2", "-fPIC", "-shared", "-pthread", "-std=gnu11"));
        command.addAll(List.of("-fvisibility=hidden", "-Wl,-Bsymbolic", "-o", library.toString()));
        try (Stream<Path> files = Files.list(Path.of("..", "cuframes-core", "src", "test", "c", "cuda_standin"))) {
            command.addAll(files.map(Path::toString)
                    .filter(file -> file.endsWith(".c"))
                    .sorted()
                    .toList());
        }
        assertEquals(0, new ProcessBuilder(command).inheritIO().start().waitFor());
        return library;
    }
}
