// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** An example, run as its reader would run it: in a process of its own. It is killed if it is not over when this is closed. */
final class ExampleProcess implements AutoCloseable {
    private final Process process;

    ExampleProcess(Path sockets, Class<?> example, String... arguments) throws IOException {
        List<String> line = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Djava.awt.headless=true",
                "-Dcuframes.socketDir=" + sockets,
                "-cp",
                System.getProperty("java.class.path"),
                example.getName()));
        line.addAll(List.of(arguments));
        process = new ProcessBuilder(line)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    /** Its standard output, once it is over, which it must be without an error. */
    String output() throws IOException, InterruptedException {
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        return output;
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
