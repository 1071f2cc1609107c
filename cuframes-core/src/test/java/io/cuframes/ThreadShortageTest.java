// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.Child;
import io.cuframes.testing.DyingServerProcess;
import io.cuframes.testing.FaultInjector;
import io.cuframes.testing.ForeignUser;
import io.cuframes.testing.StreamFixture;
import io.cuframes.testing.ThreadlessProcess;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Where no thread can be made, an open fails and leaves nothing; where a thread ends before its time, everybody learns of it. */
class ThreadShortageTest {
    private static final int THREADS = 150;

    private final StreamFixture stream = new StreamFixture();

    @AfterEach
    void cleanUp() {
        stream.close();
    }

    /** A user of this test's own: the limit counts all threads of the user. */
    private static int user() {
        return 60_000 + (int) (ProcessHandle.current().pid() % 5000);
    }

    @Test
    void whatCannotHaveAThreadLeavesNothing() {
        try (ForeignUser foreign = new ForeignUser();
                Child process = foreign.startWithThreads(user(), THREADS, ThreadlessProcess.class, stream.key())) {
            process.answerThatBegins("out of threads"); // the JVM says so, too
            for (String what : List.of("publisher", "handler", "receiver")) {
                assertEquals(what + " OutOfMemoryError", process.answerThatBegins(what));
            }
            assertEquals("left nothing", process.answerThatBegins("left"));
            for (String what : List.of("publisher", "handler", "receiver")) {
                assertEquals(what + " works", process.answerThatBegins(what));
            }
            assertEquals("end", process.answer());
        }
    }

    @Test
    void theEndOfTheServersThreadIsSeenByAll() {
        try (Child process = Child.start(
                FaultInjector.options(""), Map.of(), DyingServerProcess.class, stream.key(), stream.directory())) {
            assertEquals("frame 1", process.answer());
            assertEquals("another reader NOT_FOUND", process.answer());
            assertEquals("reader DIED", process.answer());
            String publisher = process.answer();
            assertTrue(publisher.startsWith("publisher INTERNAL the server thread of "), publisher);
            assertTrue(publisher.contains("close this publisher, and open another"), publisher);
            assertEquals("subscribers 0", process.answer());
            assertEquals("frame 1 still", process.answer());
            assertEquals("names [] []", process.answer());
            assertEquals("successor true", process.answer());
            assertEquals(0, process.awaitExit());
        }
        assertEquals(List.of(), stream.remains());
    }
}
