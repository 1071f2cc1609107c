// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The model of the lease protocol in models/: it holds, and each of its mutations is found. */
class ModelTest {
    private static final Path CHECK = Path.of("../models/check");
    private static final long PATIENCE_MINUTES = 10;

    @TempDir
    Path directory;

    @Test
    void theProtocolHoldsAndEachMutationBreaksIt() throws IOException, InterruptedException {
        assumeTrue(Files.isExecutable(CHECK), "models/check is not here: this does not run in a clone");
        for (String tool : new String[] {"spin", "gcc"}) {
            assumeTrue(
                    isOnPath(tool),
                    tool + " is not on the PATH: Debian's packages spin and gcc have what this test needs");
        }
        Path log = directory.resolve("log");
        Process check = new ProcessBuilder(CHECK.toAbsolutePath().toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        boolean ended = check.waitFor(PATIENCE_MINUTES, TimeUnit.MINUTES);
        check.destroyForcibly();
        String report = Files.readString(log);
        assertTrue(ended, report);
        assertEquals(0, check.exitValue(), report);
        assertTrue(report.contains("the protocol holds in"), report);
        assertTrue(!report.contains("FAILED"), report);
    }

    private static boolean isOnPath(String tool) {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator, -1))
                .anyMatch(place -> Files.isExecutable(Path.of(place, tool)));
    }
}
