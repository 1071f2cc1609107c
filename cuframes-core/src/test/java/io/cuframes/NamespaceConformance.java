// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.Child;
import io.cuframes.testing.Needs;
import io.cuframes.testing.PublisherProcess;
import io.cuframes.testing.StreamFixture;
import io.cuframes.testing.SubscriberProcess;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * As containers that share nothing but the socket directory: the subscribers have new pid, ipc and mount namespaces and a {@code /dev/shm} of their own.
 */
abstract class NamespaceConformance {
    /** Starts what its last arguments say as in a container. */
    static final List<String> CONTAINER = List.of(
            "unshare",
            "--pid",
            "--ipc",
            "--mount",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "sh",
            "-c",
            "mount -t tmpfs -o size=64m own /dev/shm && test -z \"$(ls /dev/shm)\" && exec \"$@\"",
            "sh");

    private final Transport transport;
    private final StreamFixture stream = new StreamFixture();

    NamespaceConformance(Transport transport) {
        this.transport = transport;
    }

    @AfterEach
    void removeStream() {
        stream.close();
    }

    private Child subscriber(SubscriberMode mode) {
        Child child =
                Child.startBy(CONTAINER, SubscriberProcess.class, stream.key(), stream.directory(), mode, "reconnect");
        assertEquals("ready " + transport, child.answer());
        return child;
    }

    /** What {@link #CONTAINER} takes. */
    static void requireNamespaces() throws IOException, InterruptedException {
        Needs.program("unshare", "util-linux");
        Needs.that(canUnshare(), "the right to make namespaces and to mount, as root has it");
    }

    private static boolean canUnshare() throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(CONTAINER);
        command.add("true");
        return new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start()
                        .waitFor()
                == 0;
    }

    @Test
    void subscribersInContainersReadFollowAndDie() throws Exception {
        requireNamespaces();
        try (Child publisher =
                Child.start(PublisherProcess.class, stream.key(), stream.directory(), transport, 6, 320, 180)) {
            assertEquals("ready " + transport, publisher.answer());
            try (Child strict = subscriber(SubscriberMode.STRICT_ORDER);
                    Child killed = subscriber(SubscriberMode.NEWEST_ONLY)) {
                assertEquals("subscribers 2", publisher.ask("await 2"));
                publisher.ask("publish 4");
                assertEquals("read 4 0 4 0 true", strict.ask("read 4"));
                String newest = killed.ask("hold 1");
                assertTrue(newest.matches("read 1 [0-3] 4 0 true"), newest);
                assertEquals("slots 5", publisher.ask("slots"));
                killed.kill();
                assertEquals("subscribers 1", publisher.ask("await 1"), "the end of the socket crosses the namespaces");
                assertEquals("slots 6", publisher.ask("slots"));
                publisher.ask("reopen RGB24 160 120");
                strict.tell("read 3"); // and so connects anew
                assertEquals("subscribers 1", publisher.ask("await 1"));
                publisher.ask("publish 3");
                strict.answer();
                assertEquals("epochs NV12 320x180 4, RGB24 160x120 3", strict.ask("epochs"));
            }
        }
    }
}
