// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.internal.protocol.MessageDescriptor;
import io.cuframes.testing.FakePublisher;
import io.cuframes.testing.RawReader;
import io.cuframes.testing.StreamFixture;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Readers that lease more than they were granted cannot starve the writer for long; those that keep to it are never taken for such. */
class LeaseLimitTest {
    private static final int SLOTS = 6;
    private static final int MOST = 3;
    private static final long PATIENCE_NANOS = 20_000_000_000L;

    private final StreamFixture stream = new StreamFixture();

    @AfterEach
    void cleanUp() {
        stream.close();
    }

    private Publisher publisher(int maxLeases) {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .size(64, 64)
                .slots(SLOTS)
                .maxLeases(maxLeases)
                .open();
    }

    private Subscriber subscriber(SubscriberMode mode) {
        return Subscriber.builder(stream.key())
                .socketDirectory(stream.directory())
                .mode(mode)
                .open();
    }

    private static boolean publish(Publisher publisher) {
        try (WritableFrame frame = publisher.acquire()) {
            if (frame != null) {
                frame.publish(1);
            }
            return frame != null;
        }
    }

    private static void awaitPublished(Publisher publisher) {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (!publish(publisher)) {
            assertTrue(System.nanoTime() - deadline < 0, "the writer is starved");
            LockSupport.parkNanos(100_000);
        }
    }

    private static void leaseAll(RawReader reader, int slots, long seq) {
        for (int slot = 0; slot < slots; slot++) {
            reader.sayLease(slot, seq);
        }
    }

    @Test
    void aReaderThatLeasesMoreThanItMayIsCutOffAndToldSo() {
        try (Publisher publisher = publisher(MOST);
                Subscriber honest = subscriber(SubscriberMode.NEWEST_ONLY);
                RawReader greedy = new RawReader(stream.socket(), SubscriberMode.NEWEST_ONLY)) {
            greedy.sayReady();
            for (int i = 0; i < SLOTS; i++) {
                assertTrue(publish(publisher));
            }
            Frame held = honest.next(Duration.ofSeconds(10));
            leaseAll(greedy, SLOTS, 1);
            assertNull(publisher.acquire(), "its leases count while it is there");
            awaitPublished(publisher);
            assertEquals(MessageDescriptor.BYE_EVICTED, greedy.awaitBye());
            for (int i = 0; i < 2 * SLOTS; i++) {
                assertTrue(publish(publisher));
            }
            assertEquals(SLOTS, held.seq(), "the honest reader keeps what it has");
            held.close();
            try (Frame next = honest.next(Duration.ofSeconds(10))) {
                assertEquals(publisher.published(), next.seq());
            }
        }
    }

    @Test
    void oneThatHasNotSaidReadyIsNoBetterOff() {
        try (Publisher publisher = publisher(MOST);
                RawReader greedy = new RawReader(stream.socket(), SubscriberMode.STRICT_ORDER)) {
            for (int i = 0; i < SLOTS; i++) {
                assertTrue(publish(publisher));
            }
            leaseAll(greedy, SLOTS, -1);
            awaitPublished(publisher);
            assertEquals(MessageDescriptor.BYE_EVICTED, greedy.awaitBye());
        }
    }

    /** Leases that come and go, so that the writer, who looks at one after the other, hardly ever finds all of them at every look. */
    @Test
    void aReaderWhoseLeasesFlickerIsFoundOutInTheEnd() throws Exception {
        try (Publisher publisher = publisher(MOST);
                RawReader greedy = new RawReader(stream.socket(), SubscriberMode.NEWEST_ONLY)) {
            AtomicBoolean done = new AtomicBoolean();
            Thread flicker = Thread.ofPlatform().start(() -> {
                Random random = new Random(1);
                while (!done.get()) {
                    int slot = random.nextInt(SLOTS);
                    greedy.sayLease(slot, 0);
                    greedy.sayLease(slot, random.nextLong() | 1);
                }
            });
            CompletableFuture<Integer> bye = CompletableFuture.supplyAsync(greedy::awaitBye);
            try {
                long deadline = System.nanoTime() + PATIENCE_NANOS;
                while (!bye.isDone()) {
                    assertTrue(System.nanoTime() - deadline < 0, "it is not found out");
                    publish(publisher);
                    Thread.onSpinWait();
                }
                assertEquals(MessageDescriptor.BYE_EVICTED, bye.join());
            } finally {
                done.set(true);
                flicker.join();
            }
        }
    }

    @Test
    void aReaderThatLeasesAsManyAsItMayIsLeftAlone() {
        try (Publisher publisher = publisher(SLOTS);
                RawReader reader = new RawReader(stream.socket(), SubscriberMode.NEWEST_ONLY)) {
            reader.sayReady();
            for (int i = 0; i < SLOTS; i++) {
                assertTrue(publish(publisher));
            }
            leaseAll(reader, 64, 1); // those of slots that are not there count for nothing
            for (int i = 0; i < 500; i++) {
                assertNull(publisher.acquire());
            }
            assertEquals(500, publisher.dropped());
            reader.sayLease(2, 0);
            assertTrue(publish(publisher));
            publisher.close();
            assertEquals(MessageDescriptor.BYE_ENDED, reader.awaitBye());
        }
    }

    /** Honest readers at their limit, whose leases change all the time while the writer, starved by them, looks for one that holds too many. */
    @Test
    void busyReadersAtTheirLimitAreNeverTakenForGreedyOnes() throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        try (Publisher publisher = publisher(MOST)) {
            List<CompletableFuture<Long>> readers = new ArrayList<>();
            for (SubscriberMode mode :
                    List.of(SubscriberMode.STRICT_ORDER, SubscriberMode.STRICT_ORDER, SubscriberMode.NEWEST_ONLY)) {
                readers.add(CompletableFuture.supplyAsync(
                        () -> readAtTheLimit(mode, done),
                        task -> Thread.ofPlatform().start(task)));
            }
            while (publisher.subscribers() < readers.size()) {
                Thread.onSpinWait();
            }
            long end = System.nanoTime() + 1_000_000_000L;
            while (System.nanoTime() - end < 0) {
                publish(publisher);
            }
            done.set(true);
            while (!readers.stream().allMatch(CompletableFuture::isDone)) {
                publish(publisher);
            }
            for (CompletableFuture<Long> reader : readers) {
                assertTrue(reader.join() > 0); // or what it was thrown
            }
            assertTrue(publisher.dropped() > 0, "the writer was never in want of a slot");
        }
    }

    private long readAtTheLimit(SubscriberMode mode, AtomicBoolean done) {
        long count = 0;
        List<Frame> held = new ArrayList<>();
        try (Subscriber subscriber = subscriber(mode)) {
            while (!done.get()) {
                if (held.size() == MOST) {
                    held.remove((int) (count % MOST)).close();
                }
                Frame frame = subscriber.next(Duration.ofMillis(10));
                if (frame != null) {
                    held.add(frame);
                    count++;
                }
            }
        }
        return count;
    }

    @Test
    void aSubscriberThatIsCutOffSaysWhy() {
        try (FakePublisher publisher = new FakePublisher(stream)) {
            CompletableFuture<FakePublisher.Guest> guest = CompletableFuture.supplyAsync(() -> {
                FakePublisher.Guest accepted = publisher.accept();
                accepted.welcome(2, true);
                return accepted;
            });
            try (Subscriber subscriber = subscriber(SubscriberMode.NEWEST_ONLY);
                    FakePublisher.Guest publishersEnd = guest.join()) {
                assertNotNull(publishersEnd);
                publishersEnd.bye(MessageDescriptor.BYE_EVICTED);
                PublisherGoneException gone =
                        assertThrows(PublisherGoneException.class, () -> subscriber.next(Duration.ofSeconds(10)));
                assertEquals(PublisherGoneException.Reason.EVICTED, gone.reason());
                assertTrue(gone.getMessage().contains("leasing more than 2 frames"), gone.getMessage());
            }
        }
    }

    @Test
    void aHeadThatNeverStandsStillDoesNotKeepAReaderPastItsTimeout() throws Exception {
        for (SubscriberMode mode : SubscriberMode.values()) {
            try (FakePublisher publisher = new FakePublisher(stream)) {
                CompletableFuture<FakePublisher.Guest> guest = CompletableFuture.supplyAsync(() -> {
                    FakePublisher.Guest accepted = publisher.accept();
                    accepted.welcome(2, true);
                    return accepted;
                });
                AtomicBoolean done = new AtomicBoolean();
                try (Subscriber subscriber = subscriber(mode);
                        FakePublisher.Guest publishersEnd = guest.join()) {
                    Thread liar = Thread.ofPlatform().start(() -> {
                        for (long seq = 1; !done.get(); seq++) {
                            publisher.announceNothing(seq, 0);
                        }
                    });
                    try {
                        assertNotNull(publishersEnd);
                        assertNull(subscriber.next(Duration.ofMillis(200)));
                    } finally {
                        done.set(true);
                        liar.join();
                    }
                }
            }
        }
    }
}
