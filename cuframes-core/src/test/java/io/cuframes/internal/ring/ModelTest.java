// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
        Needs.that(Files.isExecutable(CHECK), "models/check, of a clone of the repository");
        Needs.program("spin", "spin");
        Needs.program("gcc", "gcc");
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
}
