// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.cuframes.Frame;
import io.cuframes.Publisher;
import io.cuframes.PublisherGoneException;
import io.cuframes.Subscriber;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the other side sees, and what standard error shows, where a program of one's own is ended by SIGTERM. */
@Timeout(180)
class ShutdownHookTest {
    private static final int TERMINATED = 128 + 15;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    private final String key = "hook-" + ProcessHandle.current().pid();

    private Tool start(String what) throws Exception {
        return Tool.start(directory, HookedProgram.class, what, key, directory.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"publisher that is asked", "publisher that is closed"})
    void aReaderSeesThatTheStreamHasEnded(String what) throws Exception {
        try (Tool program = start(what);
                Subscriber reader = Subscriber.builder(key)
                        .socketDirectory(directory)
                        .connectTimeout(PATIENCE)
                        .open()) {
            try (Frame frame = reader.next(PATIENCE)) {
                assertNotNull(frame);
            }
            program.signal("TERM");
            assertEquals(PublisherGoneException.Reason.ENDED, reasonOfEnd(reader));
            assertEnded(program);
            assertFalse(Files.exists(directory.resolve(key + ".sock")), "the socket is removed");
        }
    }

    private static PublisherGoneException.Reason reasonOfEnd(Subscriber reader) {
        try {
            while (true) {
                Frame frame = reader.next(PATIENCE);
                assertNotNull(frame, "neither a frame nor the end");
                frame.close();
            }
        } catch (PublisherGoneException e) {
            return e.reason();
        }
    }

    private static void assertEnded(Tool program) throws Exception {
        assertEquals(TERMINATED, program.await(), program.err());
        assertEquals("", program.err(), "nothing is traced");
    }

    @ParameterizedTest
    @ValueSource(strings = {"subscriber that is asked", "subscriber that is closed"})
    void aPublisherSeesItsReaderGo(String what) throws Exception {
        try (Publisher publisher = Publisher.builder(key)
                        .size(64, 48)
                        .transport(Transport.HOST)
                        .socketDirectory(directory)
                        .open();
                Tool program = start(what)) {
            Tool.awaitThat("it reads", () -> publisher.subscribers() == 1);
            try (WritableFrame frame = publisher.acquire()) {
                frame.publish(0);
            }
            Tool.awaitThat("it has a frame", () -> program.outHas("frame"));
            program.signal("TERM");
            assertEnded(program);
            Tool.awaitThat("it is gone", () -> publisher.subscribers() == 0);
        }
    }
}
