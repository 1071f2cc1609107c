// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.internal.protocol.MessageDescriptor;
import io.cuframes.testing.RawReader;
import io.cuframes.testing.StreamFixture;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Strict readers that shake hands by the book and then say what they like of how far they are: a publisher that waits for its readers loses at
 * most the grace period to each, and honest readers lose nothing.
 */
class LyingReaderTest {
    private static final int SLOTS = 3;
    private static final Duration SOON = Duration.ofSeconds(5);
    private static final Duration NEVER = Duration.ofSeconds(20);
    private static final Duration GRACE = Duration.ofMillis(300);

    private final StreamFixture stream = new StreamFixture();

    @AfterEach
    void cleanUp() {
        stream.close();
    }

    private Publisher publisher(Duration waitTimeout, Duration gracePeriod) {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .size(64, 64)
                .slots(SLOTS)
                .policy(PublishPolicy.STRICT_WAIT)
                .waitTimeout(waitTimeout)
                .gracePeriod(gracePeriod)
                .open();
    }

    private RawReader reader() {
        return new RawReader(stream.socket(), SubscriberMode.STRICT_ORDER);
    }

    /** One that says READY, and that the publisher knows to be there. */
    private RawReader readyReader(Publisher publisher) {
        RawReader reader = reader();
        int before = publisher.subscribers();
        reader.sayReady();
        awaitSubscribers(publisher, before + 1);
        return reader;
    }

    private static void awaitSubscribers(Publisher publisher, int count) {
        long start = System.nanoTime();
        while (publisher.subscribers() != count) {
            assertTrue(System.nanoTime() - start < NEVER.toNanos(), publisher.subscribers() + " subscribers");
            LockSupport.parkNanos(1_000_000);
        }
    }

    private static void publish(Publisher publisher, int count) {
        for (int i = 0; i < count; i++) {
            try (WritableFrame frame = publisher.acquire()) {
                assertNotNull(frame, "frame " + publisher.published() + " had to wait too long for the next");
                frame.publish(publisher.published());
            }
        }
    }

    @Test
    void aReaderIsWaitedForFromReadyOn() {
        try (Publisher publisher = publisher(Duration.ZERO, NEVER);
                RawReader reader = reader()) {
            publish(publisher, 10 * SLOTS);
            assertEquals(0, publisher.refused());
            reader.sayCursor(publisher.published() - 1);
            reader.sayReady();
            awaitSubscribers(publisher, 1);
            publish(publisher, SLOTS - 1); // the newest stays
            assertNull(publisher.acquire());
            assertEquals(1, publisher.refused());
            reader.sayCursor(publisher.published() - 1);
            publish(publisher, SLOTS - 1);
            assertNull(publisher.acquire());
        }
    }

    @Test
    void aReaderAheadOfEveryFrameIsNotWaitedFor() {
        try (Publisher publisher = publisher(NEVER, NEVER);
                RawReader liar = readyReader(publisher)) {
            for (long cursor : new long[] {-1, Long.MAX_VALUE, Long.MIN_VALUE, 1L << 56}) {
                liar.sayCursor(cursor);
                publish(publisher, 10 * SLOTS);
            }
            assertEquals(0, publisher.refused());
            assertEquals(0, publisher.stalled());
        }
    }

    @Test
    void aReaderThatNeverMovesIsGivenUpAndToldSo() {
        try (Publisher publisher = publisher(NEVER, GRACE);
                RawReader liar = readyReader(publisher)) {
            publish(publisher, SLOTS);
            long start = System.nanoTime();
            publish(publisher, 10 * SLOTS);
            assertTrue(System.nanoTime() - start >= GRACE.toNanos());
            assertEquals(1, publisher.stalled());
            awaitSubscribers(publisher, 0);
            assertEquals(MessageDescriptor.BYE_STALLED, liar.awaitBye());
            publisher.close();
            assertEquals(0, liar.awaitBye(), "it has been told already");
        }
    }

    @Test
    void aReaderThatGoesToAndFroStandsStill() throws InterruptedException {
        try (Publisher publisher = publisher(NEVER, GRACE);
                RawReader liar = readyReader(publisher)) {
            publish(publisher, SLOTS);
            liar.sayLease(0, 1); // or its first step would make room
            assertStalls(publisher, step -> liar.sayCursor(step % 2), Duration.ofNanos(100_000));
        }
    }

    @Test
    void aReaderThatStepsWhereNoFrameIsStandsStill() throws InterruptedException {
        try (Publisher publisher = publisher(NEVER, GRACE);
                RawReader liar = reader()) {
            publish(publisher, 1000);
            liar.sayReady(); // at the beginning of the stream, where the ring is at its frame 1000
            awaitSubscribers(publisher, 1);
            assertStalls(publisher, liar::sayCursor, Duration.ofMillis(20));
        }
    }

    /** Publishes while the liar takes its steps, from 0 on. */
    private static void assertStalls(Publisher publisher, LongConsumer liar, Duration pause)
            throws InterruptedException {
        AtomicBoolean done = new AtomicBoolean();
        Thread stepping = Thread.ofPlatform().start(() -> {
            for (long step = 0; !done.get(); step++) {
                liar.accept(step);
                LockSupport.parkNanos(pause.toNanos());
            }
        });
        try {
            publish(publisher, 10 * SLOTS);
            assertEquals(1, publisher.stalled());
        } finally {
            done.set(true);
            stepping.join();
        }
    }

    @Test
    void anHonestReaderBesideALiarLosesNothing() {
        try (Publisher publisher = publisher(NEVER, GRACE);
                Subscriber honest = Subscriber.builder(stream.key())
                        .socketDirectory(stream.directory())
                        .mode(SubscriberMode.STRICT_ORDER)
                        .open()) {
            awaitSubscribers(publisher, 1);
            RawReader liar = readyReader(publisher);
            liar.sayCursor(-1);
            for (int i = 1; i <= 20 * SLOTS; i++) {
                if (i == 10 * SLOTS) {
                    liar.sayCursor(0);
                }
                publish(publisher, 1);
                try (Frame frame = honest.next(SOON)) {
                    assertEquals(i, frame.seq());
                }
            }
            assertEquals(0, honest.missed());
            assertEquals(1, publisher.stalled());
            liar.close();
            try (RawReader another = reader()) { // let in once the liar's end has been seen
                another.sayReady();
                awaitSubscribers(publisher, 2);
            }
        }
    }
}
