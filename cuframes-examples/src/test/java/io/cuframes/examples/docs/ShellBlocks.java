// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples.docs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs shell blocks by a shell, with the commands of cuframes run by this test's Java and class path. */
final class ShellBlocks {
    private static final long PATIENCE_SECONDS = 120;
    private static final List<String> PROGRAMS = List.of("cuframes", "cuframes-rtsp-source", "sub_count");

    private final Path home;

    /** Puts the commands into a folder, as they are in a checkout. */
    ShellBlocks(Path home) throws IOException {
        this.home = home;
        Path bin = Files.createDirectories(home.resolve("bin"));
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        for (String program : PROGRAMS) {
            Path script = Files.writeString(
                    bin.resolve(program),
                    "#!/bin/sh\nexec '" + java + "' --enable-native-access=ALL-UNNAMED -cp '"
                            + System.getProperty("java.class.path") + "' io.cuframes.tools.Cuframes "
                            + (program.equals(PROGRAMS.get(0)) ? "" : program) + " \"$@\"\n");
            assertTrue(script.toFile().setExecutable(true));
        }
    }

    /** Runs a block; every command in it has to end, and well. */
    void run(CodeBlock block, Path sockets) throws Exception {
        Path output = Files.createTempFile(home, "block", ".txt");
        ProcessBuilder builder = new ProcessBuilder("sh", "-euc", ownKey(block.code()));
        builder.directory(home.toFile()).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        builder.environment().put("CUFRAMES_SOCKET_DIR", sockets.toString());
        builder.environment().merge("PATH", home.resolve("bin") + ":", (path, bin) -> bin + path);
        Process process = builder.start();
        try {
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new AssertionError(block.place() + " still runs after " + PATIENCE_SECONDS + " s: "
                        + Files.readString(output, UTF_8));
            }
            assertEquals(0, process.exitValue(), () -> {
                try {
                    return block.place() + ": " + Files.readString(output, UTF_8);
                } catch (IOException e) {
                    return block.place() + ": " + e;
                }
            });
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    private static String ownKey(String code) {
        return code.replaceAll("\\bcam1\\b", JavaBlocks.KEY);
    }
}
