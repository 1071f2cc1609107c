// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static io.cuframes.testing.Await.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cuframes.PublisherGoneException.Reason;
import io.cuframes.testing.Child;
import io.cuframes.testing.LosingProcess;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Another process loses its CUDA context: what it is told, and what this one sees of it. */
abstract class ContextLossBesideConformance extends StreamTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    ContextLossBesideConformance(Transport transport) {
        super(transport);
    }

    private Child start(String role) {
        Child child = keep(Child.start(LosingProcess.class, role, stream.key(), stream.directory(), transport));
        assertEquals("ready", child.answer());
        return child;
    }

    @Test
    void aReaderGetsTheErrorAndThePublisherItsSlotsAndGoesOn() {
        try (Publisher publisher = localPublisher().open()) {
            Child reader = start("reader");
            publishOne(publisher, 1);
            assertEquals("done", reader.ask("take"));
            assertEquals("lost 700 true", reader.ask("lose"));
            assertEquals("closed without error", reader.ask("close"));
            await(() -> publisher.subscribers() == 0, "it is still counted");
            await(() -> publisher.stats().leasedSlots() == 0, "its lease is left");
            publishOne(publisher, 2);
            await(() -> publisher.announced() == 2, "the publisher does not go on");
            try (Subscriber other = localSubscriber().open()) {
                try (Frame frame = other.next(PATIENCE)) {
                    assertEquals(2, frame.seq());
                }
            }
        }
    }

    @Test
    void aPublisherGetsTheErrorAndItsReadersTheEnd() {
        Child publisher = start("publisher");
        try (Subscriber subscriber = localSubscriber().open()) {
            assertEquals("done", publisher.ask("publish"));
            Frame frame = subscriber.next(PATIENCE);
            assertEquals("lost 700 true", publisher.ask("lose"));
            assertEquals("closed 700 true", publisher.ask("close"));
            assertEquals(List.of(), stream.remains());
            PublisherGoneException gone = assertThrows(PublisherGoneException.class, () -> subscriber.next(PATIENCE));
            assertEquals(Reason.ENDED, gone.reason());
            frame.close();
        }
        localPublisher().open().close(); // the key is free while the process lives
    }
}
