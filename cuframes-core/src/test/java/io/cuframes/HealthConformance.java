// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.cuframes.PublisherGoneException.Reason;
import io.cuframes.testing.Child;
import io.cuframes.testing.PublisherProcess;
import io.cuframes.testing.StreamFixture;
import io.cuframes.testing.SubscriberProcess;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What publishers and subscribers tell of themselves, against what they are known to have done, between real processes. One subclass for each transport. */
abstract class HealthConformance {
    private static final int SLOTS = 8;
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final Transport transport;
    private final StreamFixture stream = new StreamFixture();
    private final List<Child> children = new ArrayList<>();

    HealthConformance(Transport transport) {
        this.transport = transport;
    }

    @AfterEach
    void killChildren() {
        children.forEach(Child::close);
        stream.close();
    }

    private Child publisherProcess() {
        Child child = Child.start(PublisherProcess.class, stream.key(), stream.directory(), transport, SLOTS, 320, 180);
        children.add(child);
        assertEquals("ready " + transport, child.answer());
        return child;
    }

    private Child subscriberProcess(SubscriberMode mode) {
        Child child = Child.start(SubscriberProcess.class, stream.key(), stream.directory(), mode);
        children.add(child);
        assertEquals("ready " + transport, child.answer());
        return child;
    }

    private Publisher.Builder builder() {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(transport)
                .slots(SLOTS)
                .size(320, 180);
    }

    private Publisher publisher() {
        return builder().open();
    }

    private Subscriber.Builder subscriber() {
        return Subscriber.builder(stream.key()).socketDirectory(stream.directory());
    }

    private static void publish(Publisher publisher, int count) {
        for (int i = 0; i < count; i++) {
            try (WritableFrame frame = publisher.acquire()) {
                frame.publish((publisher.published() + 1) * 1000);
            }
        }
        awaitThat(() -> publisher.announced() == publisher.published());
    }

    private static void awaitThat(BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - deadline < 0, "does not come true");
            LockSupport.parkNanos(1_000_000);
        }
    }

    private static JsonObject health(Child child) {
        return JsonParser.parseString(child.ask("health")).getAsJsonObject();
    }

    /** Has a publisher process publish, and waits until its GPU, if it has one, has announced it all. */
    private static void publish(Child publisher, int count, long upTo) {
        assertEquals("published " + upTo, publisher.ask("publish " + count));
        awaitThat(() -> health(publisher).get("announced_frames").getAsLong() == upTo);
    }

    @Test
    void aSubscriberTellsWhatItDid() {
        Child publisher = publisherProcess();
        try (Subscriber subscriber =
                subscriber().mode(SubscriberMode.STRICT_ORDER).open()) {
            SubscriberStats fresh = subscriber.stats();
            assertEquals(stream.key(), fresh.key());
            assertEquals(subscriber.epoch(), fresh.epoch());
            assertEquals(transport, fresh.transport());
            assertEquals(SubscriberMode.STRICT_ORDER, fresh.mode());
            assertTrue(fresh.connected());
            assertEquals(0, fresh.received() + fresh.lastSeq() + fresh.lastPtsNanos() + fresh.lag());
            assertEquals(-1, fresh.lastFrameAgeNanos());
            assertEquals(new LatencyStats(0, 0, 0, 0, 0, 0, 0, 0), fresh.latency());
            assertNull(subscriber.next(Duration.ofMillis(1)));
            assertNull(subscriber.next(Duration.ZERO));

            publish(publisher, 5, 5);
            assertEquals(5, subscriber.stats().lag());
            for (int i = 0; i < 5; i++) {
                subscriber.next(PATIENCE).close();
            }
            assertEquals(0, subscriber.stats().lag());

            publish(publisher, 20, 25); // 18 to 25 are left
            List<Frame> held = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                held.add(subscriber.next(PATIENCE));
            }
            long before = System.nanoTime();
            SubscriberStats stats = subscriber.stats();
            assertEquals(8, stats.received());
            assertEquals(12, stats.missed());
            assertEquals(1, stats.gaps());
            assertEquals(2, stats.timeouts());
            assertEquals(0, stats.errors());
            assertEquals(20, stats.lastSeq());
            assertEquals(20 * 40_000_000L, stats.lastPtsNanos());
            assertEquals(5, stats.lag());
            assertEquals(3, stats.heldLeases());
            assertEquals(0, stats.reconnects());
            assertTrue(stats.lastFrameAgeNanos() > 0);
            assertTrue(stats.uptimeNanos() > stats.lastFrameAgeNanos());
            assertTrue(
                    subscriber.stats().lastFrameAgeNanos() <= System.nanoTime() - before + stats.lastFrameAgeNanos());

            held.forEach(Frame::close);
            awaitThat(() -> subscriber.stats().heldLeases() == 0);
            publisher.kill();
            for (int i = 0; i < 5; i++) {
                subscriber.next(PATIENCE).close();
            }
            assertEquals(
                    Reason.DIED,
                    assertThrows(PublisherGoneException.class, () -> subscriber.next(PATIENCE))
                            .reason());
            assertFalse(subscriber.stats().connected());
            assertFalse(subscriber.isConnected());
            assertEquals(Reason.DIED, subscriber.disconnectReason());
            assertEquals(0, subscriber.stats().lag());
            assertEquals(0, subscriber.stats().errors());
            assertEquals(13, subscriber.stats().received());
        }
    }

    @Test
    void latenciesAreThoseFromThePublishCallToTheFrame() {
        try (Publisher publisher = publisher();
                Subscriber subscriber = subscriber().open()) {
            List<Long> atLeast = new ArrayList<>();
            List<Long> atMost = new ArrayList<>();
            long[] pauses = {0, 0, 0, 0, 0, 0, 0, 0, 0, 20_000_000};
            for (long pause : pauses) {
                long start = System.nanoTime();
                publish(publisher, 1);
                long published = System.nanoTime();
                LockSupport.parkNanos(pause);
                long beforeNext = System.nanoTime();
                subscriber.next(PATIENCE).close();
                atLeast.add(beforeNext - published);
                atMost.add(System.nanoTime() - start);
            }
            Collections.sort(atLeast);
            Collections.sort(atMost);
            LatencyStats latency = subscriber.stats().latency();
            assertEquals(pauses.length, latency.count());
            assertWithin(latency.min(), atLeast.getFirst(), atMost.getFirst());
            assertWithin(latency.p50(), atLeast.get(4), atMost.get(4));
            assertWithin(latency.p90(), atLeast.get(8), atMost.get(8));
            assertWithin(latency.max(), atLeast.getLast(), atMost.getLast());
            assertEquals(latency.max(), latency.p99());
            assertEquals(latency.max(), latency.p999());
            assertTrue(latency.mean() > latency.min() && latency.mean() < latency.max(), latency.toString());
            assertEquals(latency, subscriber.stats().latency(), "asking changes nothing");
        }
    }

    /** To a hundredth. */
    private static void assertWithin(long nanos, long atLeast, long atMost) {
        assertTrue(nanos >= atLeast * 0.99 && nanos <= atMost * 1.01, nanos + " ns, not " + atLeast + " to " + atMost);
    }

    @Test
    void aPublisherTellsWhoReadsIt() {
        try (Publisher publisher = publisher()) {
            Child strict = subscriberProcess(SubscriberMode.STRICT_ORDER);
            Child newest = subscriberProcess(SubscriberMode.NEWEST_ONLY);
            awaitThat(() -> publisher.subscribers() == 2);
            strict.ask("timeout 2");
            publish(publisher, 5);
            strict.ask("hold 2");
            newest.ask("read 1");
            publish(publisher, 4);
            newest.ask("hold 1");

            PublisherStats stats = publisher.stats();
            assertEquals(stream.key(), stats.key());
            assertEquals(publisher.epoch(), stats.epoch());
            assertEquals(transport, stats.transport());
            assertEquals(PublishPolicy.DROP_OLDEST, stats.policy());
            assertEquals(publisher.format(), stats.format());
            assertEquals(SLOTS, stats.slots());
            assertEquals(9, stats.published());
            assertEquals(9, stats.announced());
            assertEquals(0, stats.dropped() + stats.refused() + stats.stalled());
            assertEquals(3, stats.leasedSlots(), "frames 1, 2 and 9");
            assertTrue(stats.uptimeNanos() > 0);
            assertEquals(
                    List.of(
                            lag(strict, SubscriberMode.STRICT_ORDER, 1, 2, 7, 2, 2, 0, 2),
                            lag(newest, SubscriberMode.NEWEST_ONLY, 2, 9, 0, 1, 2, 7, 0)),
                    stats.subscribers().stream()
                            .map(HealthConformance::withoutTime)
                            .toList());
            long oldest = stats.subscribers().getFirst().heldNanos();
            assertTrue(oldest > 0 && oldest < stats.uptimeNanos(), "since frame 1 was published");
            assertTrue(stats.subscribers().getLast().heldNanos() < oldest, "that of frame 9 is younger");

            strict.ask("drop");
            newest.ask("drop");
            awaitThat(() -> publisher.stats().leasedSlots() == 0);
            strict.tell("gone");
            assertEquals("waiting", strict.answer());
            awaitThat(() -> publisher.stats().subscribers().getFirst().waiting());
            newest.kill();
            awaitThat(() -> publisher.stats().subscribers().size() == 1);
            publish(publisher, 1);
            publisher.close();
            assertTrue(strict.answer().startsWith("gone ENDED"));
            PublisherStats last = publisher.stats();
            assertEquals(10, last.published());
            assertEquals(10, last.announced());
            assertEquals(List.of(), last.subscribers());
            assertEquals(last, publisher.stats(), "closed: nothing changes any more");
        }
    }

    private static SubscriberLag withoutTime(SubscriberLag lag) {
        return new SubscriberLag(
                lag.number(),
                lag.name(),
                lag.pid(),
                lag.mode(),
                lag.cursor(),
                lag.lag(),
                lag.heldLeases(),
                lag.received(),
                lag.missed(),
                lag.timeouts(),
                lag.waiting(),
                lag.stalled(),
                0);
    }

    private static SubscriberLag lag(
            Child process,
            SubscriberMode mode,
            int number,
            long cursor,
            long lag,
            int held,
            long received,
            long missed,
            long timeouts) {
        return new SubscriberLag(
                number,
                "test",
                (int) process.pid(),
                mode,
                cursor,
                lag,
                held,
                received,
                missed,
                timeouts,
                false,
                false,
                0);
    }

    @Test
    void framesWithoutASlotAreTold() {
        Child publisher = publisherProcess();
        List<Subscriber> readers = new ArrayList<>();
        try {
            for (int i = 0; i < 2; i++) {
                readers.add(subscriber().mode(SubscriberMode.STRICT_ORDER).open());
                publish(publisher, 4, 4L * (i + 1));
                for (int j = 0; j < 4 + i; j++) { // the second begins with the newest of before
                    readers.get(i).next(PATIENCE);
                }
            }
            assertEquals("published 8", publisher.ask("publish 3"));
            JsonObject health = health(publisher);
            assertEquals(3, health.get("dropped_frames").getAsLong());
            assertEquals(8, health.get("leased_slots").getAsInt());
            assertEquals(2, health.getAsJsonArray("subscribers").size());
        } finally {
            readers.forEach(Subscriber::close);
        }
    }

    @Test
    void refusedFramesAndReadersThatAreGivenUpAreTold() {
        try (Publisher publisher = builder()
                        .policy(PublishPolicy.DROP_NEWEST)
                        .gracePeriod(Duration.ofMillis(200))
                        .open();
                Subscriber slow = subscriber().mode(SubscriberMode.STRICT_ORDER).open();
                Subscriber quick = subscriber().open()) {
            awaitThat(() -> publisher.subscribers() == 2);
            publish(publisher, SLOTS);
            quick.next(PATIENCE).close();
            assertNull(publisher.acquire());
            assertEquals(1, publisher.stats().refused());
            assertFalse(publisher.stats().subscribers().getFirst().stalled());
            long refused = 1;
            WritableFrame frame = publisher.acquire();
            for (; frame == null; frame = publisher.acquire()) {
                refused++;
                LockSupport.parkNanos(1_000_000);
            }
            frame.close();
            PublisherStats stats = publisher.stats();
            assertEquals(refused, stats.refused());
            assertEquals(1, stats.stalled());
            assertEquals(0, stats.dropped());
            assertEquals(PublishPolicy.DROP_NEWEST, stats.policy());
            assertEquals(
                    List.of(true, false),
                    stats.subscribers().stream().map(SubscriberLag::stalled).toList());
            assertEquals(
                    List.of((long) SLOTS, 0L),
                    stats.subscribers().stream().map(SubscriberLag::lag).toList());
        }
    }

    /** Whoever comes while nothing is decoded sees no frame of hours ago, and no stall where there is none. */
    @Test
    void aReaderThatComesToAnIdlePublisherGetsNoOldFrameAndCallsNothingAStall() throws Exception {
        try (Publisher publisher = publisher()) {
            publish(publisher, 5);
            publisher.setIdle(true);
            Subscriber.Builder reader = subscriber().stallAfter(Duration.ofMillis(1));
            try (Subscriber newest = reader.open();
                    Subscriber strict = reader.mode(SubscriberMode.STRICT_ORDER).open()) {
                for (Subscriber subscriber : List.of(newest, strict)) {
                    assertTrue(subscriber.isPublisherIdle());
                    assertNull(subscriber.next(Duration.ofMillis(20)));
                    assertEquals(0, subscriber.publisherStalledNanos());
                    assertEquals(0, subscriber.stats().publisherStalledNanos());
                }
                publisher.setIdle(false);
                assertFalse(newest.isPublisherIdle());
                awaitThat(() -> newest.publisherStalledNanos() > 0); // it has begun, and gives nothing
                publish(publisher, 1);
                for (Subscriber subscriber : List.of(newest, strict)) {
                    try (Frame frame = subscriber.next(PATIENCE)) {
                        assertEquals(6, frame.seq());
                        assertEquals(0, frame.missed());
                    }
                }
            }
        }
    }

    @Test
    void aReaderThatComesAfterAnIdleTimeBeginsAtTheNewestFrameAgain() {
        try (Publisher publisher = publisher()) {
            publish(publisher, 5);
            publisher.setIdle(true);
            publisher.setIdle(false);
            publish(publisher, 1);
            try (Subscriber subscriber = subscriber().open();
                    Frame frame = subscriber.next(PATIENCE)) {
                assertEquals(6, frame.seq());
            }
        }
    }

    @Test
    void errorsOfTheCallerAreCounted() {
        try (Publisher publisher = publisher();
                Subscriber subscriber =
                        subscriber().mode(SubscriberMode.STRICT_ORDER).open();
                Arena arena = Arena.ofConfined()) {
            publish(publisher, SLOTS - 1);
            MemorySegment readOnly =
                    arena.allocate(publisher.format().frameBytes()).asReadOnly();
            for (int i = 0; i < SLOTS - 2; i++) {
                Frame frame = subscriber.next(PATIENCE);
                assertThrows(CuframesException.class, () -> frame.copyTo(readOnly));
            }
            assertThrows(CuframesException.class, () -> subscriber.next(PATIENCE));
            assertEquals(SLOTS - 1, subscriber.stats().errors());
            assertEquals(SLOTS - 2, subscriber.stats().heldLeases());
            subscriber.close();
            assertThrows(IllegalStateException.class, () -> subscriber.next(PATIENCE));
            SubscriberStats closed = subscriber.stats();
            assertFalse(closed.connected());
            assertEquals(0, closed.heldLeases());
            assertEquals(0, closed.lag());
            assertEquals(SLOTS - 2, closed.received());
            assertEquals(SLOTS - 1, closed.errors());
            assertEquals(closed.uptimeNanos(), subscriber.stats().uptimeNanos());
        }
    }

    @Test
    void countsGoOnOverEpochs() {
        try (Publisher first = publisher();
                Subscriber subscriber = subscriber().reconnect(Backoff.DEFAULT).open()) {
            publish(first, 1);
            subscriber.next(PATIENCE).close();
            publish(first, 1);
            Frame ofFirst = subscriber.next(PATIENCE);
            first.close();
            awaitLoss(subscriber);
            try (Publisher second = publisher()) {
                Frame ofSecond = awaitFrame(subscriber, second);
                SubscriberStats stats = subscriber.stats();
                assertTrue(stats.connected());
                assertEquals(second.epoch(), stats.epoch());
                assertEquals(1, stats.reconnects());
                assertEquals(3, stats.received());
                assertEquals(ofSecond.seq(), stats.lastSeq());
                assertEquals(2, stats.heldLeases(), "one of each epoch");
                ofFirst.close();
                awaitThat(() -> subscriber.stats().heldLeases() == 1);
                ofSecond.close();
                awaitThat(() -> subscriber.stats().heldLeases() == 0);
            }
        }
    }

    /** Until the subscriber has seen the end; it holds a frame, and knows no publisher. */
    private static void awaitLoss(Subscriber subscriber) {
        long timeouts = subscriber.stats().timeouts();
        do {
            assertNull(subscriber.next(Duration.ofMillis(1)));
        } while (subscriber.isConnected());
        SubscriberStats stats = subscriber.stats();
        assertFalse(stats.connected());
        assertTrue(stats.timeouts() > timeouts, "a wait in which no publisher was found is one without a frame");
        assertEquals(0, stats.lag());
        assertEquals(1, stats.heldLeases());
    }

    private static Frame awaitFrame(Subscriber subscriber, Publisher publisher) {
        awaitThat(() -> subscriber.next(Duration.ofMillis(1)) == null && publisher.subscribers() == 1);
        publish(publisher, 1);
        return subscriber.next(PATIENCE);
    }
}
