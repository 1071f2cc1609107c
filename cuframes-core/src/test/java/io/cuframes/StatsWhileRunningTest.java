// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.StreamFixture;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Statistics asked for by other threads, again and again, while frames pass and readers come and go. */
class StatsWhileRunningTest {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int FRAMES = 60_000;

    private final StreamFixture stream = new StreamFixture();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void removeStream() {
        threads.close();
        stream.close();
    }

    private Publisher publisher() {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .size(64, 64)
                .open();
    }

    private Subscriber subscriber() {
        return Subscriber.builder(stream.key())
                .socketDirectory(stream.directory())
                .mode(SubscriberMode.STRICT_ORDER)
                .open();
    }

    private static void publish(Publisher publisher) {
        try (WritableFrame frame = publisher.acquire()) {
            frame.publish((publisher.published() + 1) * 1000);
        }
    }

    /** Looks as long as it may, and at least once. */
    private Future<Long> looking(BooleanSupplier more, Runnable look) {
        return threads.submit(() -> {
            long looks = 0;
            do {
                look.run();
                looks++;
            } while (more.getAsBoolean());
            return looks;
        });
    }

    @Test
    void aSnapshotNeverShowsHalfOfAFrame() throws Exception {
        AtomicBoolean over = new AtomicBoolean();
        try (Publisher publisher = publisher();
                Subscriber subscriber = subscriber()) {
            Future<Long> looks = looking(() -> !over.get(), () -> assertWhole(subscriber));
            for (int i = 0; i < FRAMES; i++) {
                publish(publisher);
                if (i % 10 != 9) { // else it is left for later, so that the reader is lapped
                    subscriber.next(PATIENCE).close();
                }
            }
            over.set(true);
            assertTrue(looks.get() > 100, "looked " + looks.get() + " times");
            SubscriberStats stats = subscriber.stats();
            assertEquals(subscriber.received(), stats.received());
            assertEquals(stats.received(), stats.latency().count());
            assertTrue(stats.gaps() > 100);
        }
    }

    /** What belongs to one frame: the frames received and missed add up to its number, and its number to its time. */
    private static void assertWhole(Subscriber subscriber) {
        SubscriberStats stats = subscriber.stats();
        assertEquals(stats.lastSeq(), stats.received() + stats.missed());
        assertEquals(stats.lastSeq() * 1000, stats.lastPtsNanos());
        assertTrue(stats.gaps() <= stats.missed());
        assertTrue(stats.lag() >= 0);
        assertTrue(stats.heldLeases() >= 0 && stats.heldLeases() <= 1);
        assertTrue(stats.latency().count() <= subscriber.received());
        assertTrue(stats.latency().min() <= stats.latency().max());
    }

    @Test
    void readersThatComeAndGoDoNotDisturbAPublishersStats() throws Exception {
        AtomicBoolean over = new AtomicBoolean();
        try (Publisher publisher = publisher()) {
            Future<Long> looks = looking(() -> !over.get(), () -> assertSane(publisher));
            Future<Long> frames = looking(() -> !over.get(), () -> publish(publisher));
            for (int i = 0; i < 40; i++) {
                try (Subscriber subscriber = subscriber()) {
                    subscriber.next(PATIENCE).close();
                }
            }
            over.set(true);
            assertTrue(looks.get() > 100, "looked " + looks.get() + " times");
            assertTrue(frames.get() > 100);
        }
    }

    private static void assertSane(Publisher publisher) {
        PublisherStats stats = publisher.stats();
        assertTrue(stats.announced() <= stats.published());
        assertTrue(stats.subscribers().size() <= 2, "one that is leaving, one that is coming");
        for (SubscriberLag subscriber : stats.subscribers()) {
            assertTrue(subscriber.lag() >= 0 && subscriber.cursor() + subscriber.lag() == stats.published());
            assertTrue(subscriber.heldLeases() <= 1);
        }
    }

    @Test
    void statsOfAPublisherThatIsBeingClosedAreThoseOfItsEnd() throws Exception {
        for (int i = 0; i < 30; i++) {
            try (Publisher publisher = publisher();
                    Subscriber subscriber = subscriber()) {
                publish(publisher);
                subscriber.next(PATIENCE).close();
                AtomicBoolean over = new AtomicBoolean();
                Future<Long> looks = looking(() -> !over.get(), () -> {
                    assertEquals(1, publisher.stats().published());
                    assertEquals(1, subscriber.stats().received());
                });
                subscriber.close();
                publisher.close();
                over.set(true);
                assertTrue(looks.get() > 0);
                assertEquals(1, publisher.stats().announced());
            }
        }
    }
}
