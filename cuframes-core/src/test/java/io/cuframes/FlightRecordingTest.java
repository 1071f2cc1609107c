// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.StreamFixture;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a flight recording has of a stream. */
class FlightRecordingTest {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Set<String> OF_EVERY_FRAME = Set.of("cuframes.Publish", "cuframes.Receive");

    private final StreamFixture stream = new StreamFixture();

    @TempDir
    private Path directory;

    @AfterEach
    void removeStream() {
        stream.close();
    }

    private Publisher.Builder publisher() {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .slots(4)
                .size(64, 48);
    }

    private Subscriber subscriber(SubscriberMode mode) {
        return Subscriber.builder(stream.key())
                .socketDirectory(stream.directory())
                .mode(mode)
                .reconnect(Backoff.DEFAULT)
                .name("recorded")
                .open();
    }

    private static void publish(Publisher publisher, int count) {
        for (int i = 0; i < count; i++) {
            try (WritableFrame frame = publisher.acquire()) {
                frame.publish(0);
            }
        }
    }

    /** The events of this test's stream, in the order of time. */
    private List<RecordedEvent> stop(Recording recording) throws IOException {
        recording.stop();
        Path file = directory.resolve("recording.jfr");
        recording.dump(file);
        return RecordingFile.readAllEvents(file).stream()
                .filter(event -> event.getEventType().getName().startsWith("cuframes."))
                .filter(event -> event.getString("key").equals(stream.key()))
                .sorted((one, other) -> one.getStartTime().compareTo(other.getStartTime()))
                .toList();
    }

    private static List<RecordedEvent> of(String name, List<RecordedEvent> events) {
        return events.stream()
                .filter(event -> event.getEventType().getName().equals(name))
                .toList();
    }

    private static RecordedEvent one(String name, String side, List<RecordedEvent> events) {
        List<RecordedEvent> found = of(name, events).stream()
                .filter(event -> event.getString("side").equals(side))
                .toList();
        assertEquals(1, found.size(), name + " at the " + side + ": " + events);
        return found.getFirst();
    }

    private static void awaitSubscribers(Publisher publisher, int count) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (publisher.subscribers() != count) {
            assertTrue(System.nanoTime() - deadline < 0, "there are " + publisher.subscribers());
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Test
    void everyFrameIsRecordedWhereThatIsAskedFor() throws IOException {
        List<RecordedEvent> events;
        long epoch;
        try (Recording recording = new Recording()) {
            OF_EVERY_FRAME.forEach(recording::enable);
            recording.start();
            try (Publisher publisher = publisher().open();
                    Subscriber subscriber = subscriber(SubscriberMode.STRICT_ORDER)) {
                epoch = publisher.epoch();
                publish(publisher, 3);
                for (int i = 0; i < 3; i++) {
                    subscriber.next(PATIENCE).close();
                }
                publish(publisher, 7); // frames 7 to 10 are left
                subscriber.next(PATIENCE).close();
            }
            events = stop(recording);
        }
        List<RecordedEvent> published = of("cuframes.Publish", events);
        assertEquals(10, published.size());
        List<RecordedEvent> received = of("cuframes.Receive", events);
        assertEquals(
                List.of(1L, 2L, 3L, 7L),
                received.stream().map(event -> event.getLong("seq")).toList());
        assertEquals(
                List.of(0L, 0L, 0L, 3L),
                received.stream().map(event -> event.getLong("missed")).toList());
        for (int i = 0; i < 3; i++) {
            RecordedEvent publish = published.get(i);
            RecordedEvent receive = received.get(i);
            assertEquals(i + 1, publish.getLong("seq"));
            assertEquals(i, publish.getInt("slot"));
            assertEquals(epoch, publish.getLong("epoch"));
            assertEquals(epoch, receive.getLong("epoch"));
            assertTrue(publish.getDuration().toNanos() > 0);
            Duration apart = Duration.between(publish.getStartTime(), receive.getStartTime());
            Duration latency = receive.getDuration("latency");
            assertTrue(latency.toNanos() > 0, receive.toString());
            assertTrue(latency.minus(apart).abs().compareTo(Duration.ofSeconds(1)) < 0, latency + ", " + apart);
        }
        RecordedEvent gap = of("cuframes.Gap", events).getFirst();
        assertEquals(1, of("cuframes.Gap", events).size());
        assertEquals(3, gap.getLong("missed"));
        assertEquals(3, gap.getLong("afterSeq"));
        assertEquals("STRICT_ORDER", gap.getString("mode"));
        assertEquals(epoch, gap.getLong("epoch"));
    }

    @Test
    void changesAreRecordedInEveryRecordingAndFramesAreNot() throws IOException {
        List<RecordedEvent> events;
        long first;
        long second;
        try (Recording recording = new Recording()) {
            recording.start();
            Publisher publisher = publisher().open();
            first = publisher.epoch();
            try (Subscriber subscriber = subscriber(SubscriberMode.NEWEST_ONLY)) {
                awaitSubscribers(publisher, 1);
                publish(publisher, 2);
                subscriber.next(PATIENCE).close();
                publisher = publisher.reopen(FrameFormat.of(PixelFormat.NV12, 32, 16, ColorInfo.UNKNOWN));
                second = publisher.epoch();
                assertNull(subscriber.next(Duration.ofMillis(1)));
                awaitNext(subscriber, publisher);
                awaitSubscribers(publisher, 1);
            }
            awaitSubscribers(publisher, 0);
            publisher.close();
            events = stop(recording);
        }
        OF_EVERY_FRAME.forEach(name -> assertEquals(List.of(), of(name, events), "off unless asked for"));
        List<RecordedEvent> ofFirst = ofEpoch(first, events);
        List<RecordedEvent> ofSecond = ofEpoch(second, events);
        assertEquals(0, one("cuframes.Epoch", "PUBLISHER", ofFirst).getLong("previousEpoch"));
        assertEquals(0, one("cuframes.Epoch", "SUBSCRIBER", ofFirst).getLong("previousEpoch"));
        assertEquals(first, one("cuframes.Epoch", "PUBLISHER", ofSecond).getLong("previousEpoch"));
        assertEquals(first, one("cuframes.Epoch", "SUBSCRIBER", ofSecond).getLong("previousEpoch"));
        assertEquals("NV12 64x48", one("cuframes.Epoch", "PUBLISHER", ofFirst).getString("format"));
        assertEquals("NV12 32x16", one("cuframes.Epoch", "SUBSCRIBER", ofSecond).getString("format"));
        long self = ProcessHandle.current().pid();
        for (List<RecordedEvent> ofEpoch : List.of(ofFirst, ofSecond)) {
            assertEquals(self, one("cuframes.Connect", "PUBLISHER", ofEpoch).getLong("peer"));
            assertEquals(self, one("cuframes.Connect", "SUBSCRIBER", ofEpoch).getLong("peer"));
            assertTrue(one("cuframes.Connect", "PUBLISHER", ofEpoch)
                    .getString("subscriber")
                    .contains("recorded"));
        }
        assertEquals("ENDED", one("cuframes.Disconnect", "PUBLISHER", ofFirst).getString("reason"));
        assertEquals(
                "FORMAT_CHANGED",
                one("cuframes.Disconnect", "SUBSCRIBER", ofFirst).getString("reason"));
        assertEquals(
                "CLOSED", one("cuframes.Disconnect", "SUBSCRIBER", ofSecond).getString("reason"));
        assertEquals("GONE", one("cuframes.Disconnect", "PUBLISHER", ofSecond).getString("reason"));
    }

    /** A frame of the publisher that the subscriber has yet to find. */
    private static void awaitNext(Subscriber subscriber, Publisher publisher) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        Frame frame = null;
        while (frame == null && System.nanoTime() - deadline < 0) {
            publish(publisher, 1);
            frame = subscriber.next(Duration.ofMillis(20));
        }
        assertNotNull(frame);
        assertEquals(publisher.epoch(), frame.epoch());
        frame.close();
    }

    private static List<RecordedEvent> ofEpoch(long epoch, List<RecordedEvent> events) {
        return events.stream().filter(event -> event.getLong("epoch") == epoch).toList();
    }

    @Test
    void aFrameThatFindsNoSlotIsRecorded() throws IOException {
        List<RecordedEvent> events;
        try (Recording recording = new Recording()) {
            recording.start();
            try (Publisher publisher = publisher().maxLeases(4).open();
                    Subscriber subscriber = subscriber(SubscriberMode.STRICT_ORDER)) {
                publish(publisher, 4);
                for (int i = 0; i < 4; i++) {
                    subscriber.next(PATIENCE);
                }
                assertNull(publisher.acquire());
                assertNull(publisher.acquire());
            }
            events = of("cuframes.Drop", stop(recording));
        }
        assertEquals(2, events.size());
        assertEquals("LEASED", events.getFirst().getString("cause"));
        assertEquals(4, events.getFirst().getLong("afterSeq"));
    }

    @Test
    void aFrameThatIsRefusedIsRecordedAsSuch() throws IOException {
        List<RecordedEvent> events;
        try (Recording recording = new Recording()) {
            recording.start();
            try (Publisher publisher =
                            publisher().policy(PublishPolicy.DROP_NEWEST).open();
                    Subscriber subscriber = subscriber(SubscriberMode.STRICT_ORDER)) {
                awaitSubscribers(publisher, 1);
                publish(publisher, 4);
                assertNull(publisher.acquire());
                assertEquals(0, subscriber.received());
            }
            events = of("cuframes.Drop", stop(recording));
        }
        assertEquals(1, events.size());
        assertEquals("REFUSED", events.getFirst().getString("cause"));
        assertEquals(4, events.getFirst().getLong("afterSeq"));
    }

    @Test
    void everyEventSaysWhatItIs() throws IOException {
        try (Recording recording = new Recording()) {
            OF_EVERY_FRAME.forEach(recording::enable);
            recording.start();
            try (Publisher publisher = publisher().maxLeases(4).open();
                    Subscriber subscriber = subscriber(SubscriberMode.STRICT_ORDER)) {
                publish(publisher, 6);
                for (int i = 0; i < 4; i++) {
                    subscriber.next(PATIENCE);
                }
                assertNull(publisher.acquire());
            }
            List<RecordedEvent> events = stop(recording);
            assertEquals(
                    Set.of(
                            "cuframes.Publish",
                            "cuframes.Receive",
                            "cuframes.Gap",
                            "cuframes.Drop",
                            "cuframes.Connect",
                            "cuframes.Disconnect",
                            "cuframes.Epoch"),
                    events.stream().map(event -> event.getEventType().getName()).collect(Collectors.toSet()));
            for (RecordedEvent event : events) {
                assertEquals(List.of("cuframes"), event.getEventType().getCategoryNames());
                assertNotNull(
                        event.getEventType().getLabel(), event.getEventType().getName());
                event.getEventType().getFields().stream()
                        .filter(field -> !field.getName().equals("eventThread"))
                        .forEach(field -> assertNotNull(field.getLabel(), field.getName()));
            }
        }
    }
}
