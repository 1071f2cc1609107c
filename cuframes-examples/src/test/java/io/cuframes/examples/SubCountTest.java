// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.Publisher;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class SubCountTest {
    @TempDir
    private Path sockets;

    @Test
    @Timeout(60)
    void countsUntilTheEnd() throws Exception {
        String key = "example-" + ProcessHandle.current().pid();
        ExampleProcess example = new ExampleProcess(sockets, SubCount.class, key);
        try (Publisher publisher = Publisher.builder(key)
                .socketDirectory(sockets)
                .transport(Transport.HOST)
                .slots(32)
                .size(64, 48)
                .open()) {
            while (publisher.subscribers() == 0) {
                Thread.sleep(5);
            }
            for (int i = 0; i < 20; i++) {
                try (WritableFrame frame = publisher.acquire()) {
                    frame.publish(i * 40_000_000L);
                }
            }
        }
        String output = example.output();
        assertTrue(output.startsWith("20 frames of 64x48, 0 missed: \"" + key + "\" is over after frame 20"), output);
    }
}
