// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples.docs;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Every block of Java in the description of the API compiles, runs, and does something; on a machine with a GPU, too. */
class DocumentationTest {
    private static final Path DOCUMENT = Path.of("../docs/java-api.md");
    private static final String SOCKET_DIRECTORY = "cuframes.socketDir";

    @TempDir
    static Path directory;

    @BeforeAll
    static void useOwnSockets() {
        System.setProperty(SOCKET_DIRECTORY, directory.toString());
    }

    @AfterAll
    static void forgetThem() {
        System.clearProperty(SOCKET_DIRECTORY);
    }

    @TestFactory
    List<DynamicTest> everyBlockRuns() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (CodeBlock block : CodeBlock.of(DOCUMENT)) {
            if (block.how().isJava()) {
                tests.add(DynamicTest.dynamicTest(block.place(), () -> JavaBlocks.run(block, directory)));
            }
        }
        assertTrue(tests.size() > 5, "the document is where it was");
        return tests;
    }
}
