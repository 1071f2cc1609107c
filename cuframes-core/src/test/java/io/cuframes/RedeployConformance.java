// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cuframes.testing.Child;
import io.cuframes.testing.RedeployProcess;
import io.cuframes.testing.StreamFixture;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The library in an application that is deployed and undeployed while the JVM and its pooled threads live on: nothing of it may keep the application's class
 * loader.
 */
@Timeout(120)
abstract class RedeployConformance {
    private final StreamFixture stream = new StreamFixture();
    private final Transport transport;

    RedeployConformance(Transport transport) {
        this.transport = transport;
    }

    @AfterEach
    void close() {
        stream.close();
    }

    @ParameterizedTest
    @CsvSource({"failed open, false", "streams, false", "tensors, false", "streams, true"})
    void theClassLoaderGoesWithTheApplication(String part, boolean recorded) {
        Path heap = Path.of("target", "class-loader-" + transport + ".hprof").toAbsolutePath();
        try (Child server = Child.start(
                RedeployProcess.OPTIONS,
                Map.of(),
                RedeployProcess.class,
                recorded,
                heap,
                part,
                stream.key(),
                stream.directory(),
                transport)) {
            assertEquals("it is gone", server.answer());
            assertEquals(0, server.awaitExit());
        }
    }
}
