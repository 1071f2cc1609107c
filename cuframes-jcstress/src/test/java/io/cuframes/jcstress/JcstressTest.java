// SPDX-License-Identifier: Apache-2.0
package io.cuframes.jcstress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * The jcstress tests: none may see what is forbidden. In short form, each for some seconds; with {@code -Dcuframes.jcstress=full}, in each way that the
 * JVM can compile its actors and the machine can place them. The report stays in target/jcstress.
 */
class JcstressTest {
    private static final int TESTS = 3;
    private static final boolean FULL = "full".equals(System.getProperty("cuframes.jcstress"));
    private static final long PATIENCE_MINUTES = FULL ? 600 : 10;

    /** One JVM for each test, both of its actors compiled by C2: else there are dozens of runs for each. */
    private static final String SHORT =
            "-jvmArgs --enable-native-access=ALL-UNNAMED -sc false -af NONE -fsm 1 -f 1 -c 2"
                    + " -iters 4 -time 1000 -strideSize 16 -strideCount 64";

    /** As many states live at a time as there are places for. */
    private static final String WHOLE =
            "-jvmArgsPrepend --enable-native-access=ALL-UNNAMED -m default -strideSize 16 -strideCount 64";

    @Test
    void noForbiddenOutcomeIsSeen() throws IOException, InterruptedException {
        Path directory = Files.createDirectories(Path.of("target", "jcstress")).toAbsolutePath();
        Path log = directory.resolve("jcstress.log");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "org.openjdk.jcstress.Main",
                "-t",
                "io.cuframes",
                "-r",
                directory.toString()));
        command.addAll(List.of((FULL ? WHOLE : SHORT).split(" ", -1)));
        Process jcstress = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        boolean ended = jcstress.waitFor(PATIENCE_MINUTES, TimeUnit.MINUTES);
        jcstress.destroyForcibly();
        String report = Files.readString(log);
        assertTrue(ended, report);
        assertEquals(0, jcstress.exitValue(), report);
        assertTrue(report.contains("Failed tests: No matches."), report);
        assertTrue(report.contains("Error tests: No matches."), report);
        assertTrue(report.contains("All remaining tests: " + TESTS + " matching test results."), report);
    }
}
