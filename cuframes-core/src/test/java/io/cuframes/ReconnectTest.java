// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.PublisherGoneException.Reason;
import io.cuframes.internal.protocol.MessageDescriptor;
import io.cuframes.internal.protocol.RejectCode;
import io.cuframes.testing.Child;
import io.cuframes.testing.FakePublisher;
import io.cuframes.testing.FramePattern;
import io.cuframes.testing.PublisherProcess;
import io.cuframes.testing.StreamFixture;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A subscriber that outlives its publishers. */
class ReconnectTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Backoff QUICK = Backoff.every(Duration.ofMillis(10));
    private static final Backoff SLOW = Backoff.every(Duration.ofMinutes(1));

    private final StreamFixture stream = new StreamFixture();
    private final List<Child> children = new ArrayList<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    /** What a listener hears, as lines. */
    private static final class Diary implements Subscriber.Listener {
        final List<String> lines = new ArrayList<>();

        @Override
        public void disconnected(long epoch, Reason reason, String text) {
            lines.add("disconnected " + epoch + " " + reason);
        }

        @Override
        public void attemptFailed(int attempt, Duration retryIn, String reason) {
            lines.add("attempt " + attempt + " " + retryIn.toMillis());
        }

        @Override
        public void reconnected(long epoch, int attempts, FrameFormat format) {
            lines.add("reconnected " + epoch + " " + attempts + " " + format.width());
        }
    }

    @AfterEach
    void cleanUp() {
        threads.shutdownNow();
        children.forEach(Child::close);
        stream.close();
    }

    private Child process(int width, int height) {
        Child child =
                Child.start(PublisherProcess.class, stream.key(), stream.directory(), Transport.HOST, 6, width, height);
        children.add(child);
        assertEquals("ready HOST", child.answer());
        return child;
    }

    private Publisher publisher() {
        return publisherOf(32).open();
    }

    private Publisher.Builder publisherOf(int maxSubscribers) {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .size(64, 48)
                .maxSubscribers(maxSubscribers);
    }

    private Subscriber.Builder subscriber(Backoff backoff) {
        return Subscriber.builder(stream.key())
                .socketDirectory(stream.directory())
                .mode(SubscriberMode.STRICT_ORDER)
                .reconnect(backoff);
    }

    private static void publish(Publisher publisher) {
        try (WritableFrame frame = publisher.acquire()) {
            new FramePattern(publisher.format()).write(frame, publisher.published() + 1);
            frame.publish(0);
        }
    }

    /** Takes the frames from one seq to another, and looks at every pixel. */
    private static void read(Subscriber subscriber, long first, long last) {
        for (long seq = first; seq <= last; seq++) {
            try (Frame frame = subscriber.next(PATIENCE)) {
                assertEquals(seq, frame.seq());
                assertEquals(subscriber.epoch(), frame.epoch());
                assertEquals(-1, new FramePattern(frame.format()).firstFault(frame, seq));
            }
        }
    }

    private static void awaitConnection(Subscriber subscriber) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        do {
            assertNull(subscriber.next(Duration.ofMillis(50)));
            assertTrue(System.nanoTime() - deadline < 0, "no connection");
        } while (!subscriber.isConnected());
    }

    private static long rings() {
        return StreamFixture.mappings().stream()
                .filter(line -> line.contains("ring"))
                .count();
    }

    @Test
    void aKilledPublisherIsFollowedByTheNextAndTheReaderReadsOn() {
        Child first = process(320, 180);
        Diary diary = new Diary();
        try (Subscriber subscriber = subscriber(QUICK).listener(diary).open()) {
            first.ask("publish 3");
            read(subscriber, 1, 3);
            long epoch = subscriber.epoch();
            first.kill();
            assertNull(subscriber.next(Duration.ofMillis(200)));
            assertFalse(subscriber.isConnected());
            assertEquals(Reason.DIED, subscriber.disconnectReason());
            int attempts = subscriber.attempts();
            assertTrue(attempts > 0);
            assertEquals(epoch, subscriber.epoch(), "that of the last one, as long as there is no other");
            assertEquals(0, subscriber.reconnects());

            Child second = process(320, 180);
            awaitConnection(subscriber);
            second.ask("publish 4");
            read(subscriber, 1, 4);
            assertNotEquals(epoch, subscriber.epoch());
            assertEquals(second.pid(), subscriber.publisherPid());
            assertTrue(subscriber.isConnected());
            assertEquals(1, subscriber.reconnects());
            assertEquals(0, subscriber.attempts());
            assertNull(subscriber.disconnectReason());
            assertEquals(7, subscriber.received());
            assertEquals(0, subscriber.missed());
            assertTrue(subscriber.timeouts() >= 2);
            int made = diary.lines.size() - 1;
            assertTrue(made > attempts);
            List<String> expected = new ArrayList<>(List.of("disconnected " + epoch + " DIED"));
            for (int attempt = 1; attempt < made; attempt++) {
                expected.add("attempt " + attempt + " 10");
            }
            expected.add("reconnected " + subscriber.epoch() + " " + made + " 320");
            assertEquals(expected, diary.lines);
        }
    }

    @Test
    void whatIsLeftOfAnEndedStreamIsReadBeforeTheNextOne() {
        Child first = process(320, 180);
        try (Subscriber subscriber = subscriber(QUICK).open()) {
            first.ask("publish 5");
            read(subscriber, 1, 2);
            first.tell("close");
            first.awaitExit();
            Child second = process(320, 180);
            second.ask("publish 1");
            read(subscriber, 3, 5);
            read(subscriber, 1, 1);
            assertEquals(1, subscriber.reconnects());
            assertEquals(6, subscriber.received());
        }
    }

    @Test
    void aPublisherOfAnotherFormatIsFollowed() {
        Child first = process(320, 180);
        try (Subscriber subscriber = subscriber(QUICK).open()) {
            first.ask("publish 1");
            read(subscriber, 1, 1);
            first.kill();
            Child second = process(640, 360);
            second.ask("publish 1");
            try (Frame frame = subscriber.next(PATIENCE)) {
                assertEquals(640, frame.width());
                assertEquals(640, subscriber.format().width());
                assertEquals(-1, new FramePattern(frame.format()).firstFault(frame, 1));
            }
        }
    }

    @Test
    void aFormatChangeIsAnEpochAndNoFrameIsOfBoth() {
        Diary diary = new Diary();
        Publisher first = publisher();
        try (Subscriber subscriber = subscriber(QUICK).listener(diary).open()) {
            publish(first);
            try (Frame held = subscriber.next(PATIENCE);
                    Publisher second = first.reopen(FrameFormat.of(PixelFormat.NV12, 128, 96, ColorInfo.UNKNOWN))) {
                awaitConnection(subscriber);
                publish(second);
                try (Frame frame = subscriber.next(PATIENCE)) {
                    assertEquals(128, frame.width());
                    assertEquals(64, held.width());
                    assertEquals(-1, new FramePattern(held.format()).firstFault(held, 1));
                    assertEquals(second.epoch(), frame.epoch());
                    assertEquals(first.epoch(), held.epoch());
                }
            }
            assertEquals("disconnected " + first.epoch() + " FORMAT_CHANGED", diary.lines.getFirst());
        }
    }

    @Test
    void framesOfThePastStayWholeUntilTheyAreClosedAndTheirMappingGoesWithThem() {
        List<String> mappings = StreamFixture.mappings();
        List<String> descriptors = StreamFixture.descriptors();
        Child first = process(320, 180);
        try (Subscriber subscriber = subscriber(QUICK).open()) {
            first.ask("publish 3");
            Frame one = subscriber.next(PATIENCE);
            Frame two = subscriber.next(PATIENCE);
            long epoch = subscriber.epoch();
            List<String> descriptorsOfOne = StreamFixture.descriptors();
            first.kill();
            Child second = process(320, 180);
            second.ask("publish 30"); // many laps
            read(subscriber, 3, 3);
            try (Frame frame = subscriber.next(PATIENCE)) {
                assertNotEquals(epoch, frame.epoch());
            }
            assertEquals(2, rings());
            FramePattern pattern = new FramePattern(one.format());
            assertEquals(List.of(epoch, epoch), List.of(one.epoch(), two.epoch()));
            assertEquals(-1, pattern.firstFault(one, 1));
            one.close();
            assertEquals(2, rings());
            assertEquals(-1, pattern.firstFault(two, 2));
            two.close();
            assertEquals(1, rings(), "the last frame takes the mapping with it");
            assertEquals(descriptorsOfOne.size(), StreamFixture.descriptors().size());
            assertThrows(IllegalStateException.class, two::seq);
            two.close();
        }
        assertEquals(mappings, StreamFixture.mappings());
        assertEquals(descriptors, StreamFixture.descriptors());
    }

    @Test
    void closingClosesTheFramesOfAllEpochs() {
        List<String> mappings = StreamFixture.mappings();
        List<Frame> held = new ArrayList<>();
        Subscriber subscriber = null;
        for (int i = 0; i < 3; i++) {
            try (Publisher publisher = publisher()) {
                subscriber = subscriber == null ? subscriber(QUICK).open() : subscriber;
                awaitConnection(subscriber);
                publish(publisher);
                held.add(subscriber.next(PATIENCE));
            }
        }
        assertEquals(3, rings());
        assertEquals(3, held.stream().map(Frame::epoch).distinct().count());
        subscriber.close();
        held.forEach(frame -> assertThrows(IllegalStateException.class, frame::seq));
        assertEquals(mappings, StreamFixture.mappings());
    }

    @Test
    void fiftyPublishersLeaveNothingBehind() {
        List<String> mappings = StreamFixture.mappings();
        List<String> descriptors = StreamFixture.descriptors();
        Backoff backoff = Backoff.every(Duration.ofMillis(1));
        try (Subscriber subscriber = openWith(backoff)) {
            for (int i = 1; i <= 50; i++) {
                try (Publisher publisher = publisher()) {
                    Frame frame = null;
                    while (frame == null) { // what is published before there is a reader is not for it
                        publish(publisher);
                        frame = subscriber.next(Duration.ofMillis(20));
                    }
                    assertEquals(publisher.epoch(), frame.epoch());
                    frame.close();
                }
                assertTrue(rings() <= 1);
            }
            assertEquals(50, subscriber.reconnects());
        }
        assertEquals(mappings, StreamFixture.mappings());
        assertEquals(descriptors, StreamFixture.descriptors());
    }

    /** A subscriber whose first publisher has gone already. */
    private Subscriber openWith(Backoff backoff) {
        try (Publisher publisher = publisher()) {
            assertEquals(0, publisher.published());
            return subscriber(backoff).open();
        }
    }

    @Test
    void nextKeepsToItsTimeoutWhileNobodyIsThere() {
        for (Backoff backoff : List.of(QUICK, SLOW, Backoff.every(Duration.ZERO))) {
            try (Subscriber subscriber = openWith(backoff)) {
                long start = System.nanoTime();
                assertNull(subscriber.next(Duration.ofMillis(300)));
                long waited = System.nanoTime() - start;
                assertTrue(waited >= 300_000_000, backoff + ": " + waited);
                assertTrue(waited < 5_000_000_000L, backoff + ": " + waited);
                assertNull(subscriber.next(Duration.ZERO));
                assertEquals(2, subscriber.timeouts());
                assertTrue(subscriber.attempts() < 310, "at most one each millisecond: " + subscriber.attempts());
            }
        }
    }

    @Test
    void closingDuringTheSearchEndsNext() {
        Subscriber subscriber = openWith(SLOW);
        assertNull(subscriber.next(Duration.ofMillis(100)));
        assertFalse(subscriber.isConnected());
        CompletableFuture<Frame> next = CompletableFuture.supplyAsync(() -> subscriber.next(PATIENCE), threads);
        subscriber.close();
        long closed = System.nanoTime();
        assertEquals(
                IllegalStateException.class,
                assertThrows(CompletionException.class, next::join).getCause().getClass());
        assertTrue(System.nanoTime() - closed < 5_000_000_000L, "it does not sit the wait out");
        assertThrows(IllegalStateException.class, () -> subscriber.next(Duration.ZERO));
    }

    @Test
    void closingDuringAHandshakeEndsNextAndLeavesNothing() {
        List<String> descriptors = StreamFixture.descriptors();
        Diary diary = new Diary();
        Publisher publisher = publisher();
        Subscriber subscriber = subscriber(QUICK).listener(diary).open();
        publisher.close();
        try (FakePublisher silent = new FakePublisher(stream)) {
            CompletableFuture<Frame> next = CompletableFuture.supplyAsync(() -> subscriber.next(PATIENCE), threads);
            try (FakePublisher.Guest guest = silent.accept()) {
                long asked = System.nanoTime();
                subscriber.close();
                assertEquals(
                        IllegalStateException.class,
                        assertThrows(CompletionException.class, next::join)
                                .getCause()
                                .getClass());
                assertTrue(System.nanoTime() - asked < 1_500_000_000, "it does not sit the handshake's 2 s out");
                guest.awaitEnd();
            }
        }
        assertEquals(descriptors, StreamFixture.descriptors());
        assertEquals("disconnected " + publisher.epoch() + " ENDED", diary.lines.getLast(), "no attempt has failed");
    }

    @Test
    void aPublisherThatIsFoundWhileTheSubscriberIsClosedIsLetGo() {
        List<String> descriptors = StreamFixture.descriptors();
        List<String> mappings = StreamFixture.mappings();
        Backoff backoff = Backoff.every(Duration.ofMillis(1));
        for (int round = 0; round < 60; round++) {
            Subscriber subscriber = openWith(backoff);
            CompletableFuture<Frame> next = CompletableFuture.supplyAsync(() -> subscriber.next(PATIENCE), threads);
            while (subscriber.attempts() == 0) {
                Thread.onSpinWait();
            }
            try (Publisher publisher = publisher()) {
                LockSupport.parkNanos(round * 50_000L); // so that the close comes at every point of the connecting
                subscriber.close();
                assertEquals(
                        IllegalStateException.class,
                        assertThrows(CompletionException.class, next::join)
                                .getCause()
                                .getClass());
                assertEquals(0, publisher.published());
            }
            assertEquals(mappings, StreamFixture.mappings(), "in round " + round);
            assertEquals(descriptors, StreamFixture.descriptors());
        }
    }

    @Test
    void anInterruptEndsTheSearchAndTheHandshake() throws InterruptedException {
        try (Subscriber subscriber = openWith(SLOW)) {
            assertInterruptible(subscriber, () -> {});
        }
        try (Subscriber subscriber = openWith(QUICK);
                FakePublisher silent = new FakePublisher(stream)) {
            assertInterruptible(subscriber, () -> silent.accept());
        }
    }

    private static void assertInterruptible(Subscriber subscriber, Runnable once) throws InterruptedException {
        CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
        Thread waiter = Thread.ofPlatform().start(() -> {
            assertNull(subscriber.next(Duration.ofMinutes(1)));
            interrupted.complete(Thread.currentThread().isInterrupted());
        });
        once.run();
        waiter.interrupt();
        waiter.join(Duration.ofMillis(1500));
        assertTrue(interrupted.getNow(false));
    }

    @Test
    void givingUpIsForGoodAndNamesTheAttempts() {
        Diary diary = new Diary();
        Child publisher = process(64, 48);
        try (Subscriber subscriber =
                subscriber(QUICK.giveUpAfter(3)).listener(diary).open()) {
            publisher.kill();
            PublisherGoneException gone = assertThrows(PublisherGoneException.class, () -> subscriber.next(PATIENCE));
            assertEquals(Reason.DIED, gone.reason());
            assertTrue(
                    gone.getMessage().contains("given up after 3 attempts to connect: no publisher of"),
                    gone::toString);
            assertEquals(3, diary.lines.size(), "lost, and two attempts that others followed");
            PublisherGoneException again = assertThrows(PublisherGoneException.class, () -> subscriber.next(PATIENCE));
            assertEquals(gone.getMessage(), again.getMessage());
            assertEquals(3, subscriber.attempts());
            assertFalse(subscriber.isConnected());
        }
    }

    @Test
    void withoutReconnectionTheEndIsForGood() {
        Publisher publisher = publisher();
        try (Subscriber subscriber = Subscriber.builder(stream.key())
                .socketDirectory(stream.directory())
                .open()) {
            publish(publisher);
            publisher.close();
            try (Frame frame = subscriber.next(PATIENCE)) {
                assertThrows(PublisherGoneException.class, () -> subscriber.next(PATIENCE));
                assertThrows(PublisherGoneException.class, () -> subscriber.next(PATIENCE));
                assertFalse(subscriber.isConnected());
                assertEquals(Reason.ENDED, subscriber.disconnectReason());
                assertEquals(1, frame.seq());
                assertEquals(1, rings());
            }
            assertEquals(0, rings(), "nothing is kept of a publisher that is gone");
        }
    }

    @Test
    void whatAnotherAttemptWouldNotChangeIsThrownAndTriedAgainWhenAsked() {
        List<String> descriptors = StreamFixture.descriptors();
        Diary diary = new Diary();
        Publisher first = publisher();
        try (Subscriber subscriber = subscriber(QUICK).listener(diary).open()) {
            first.close();
            List<String> searching;
            try (FakePublisher other = new FakePublisher(stream)) {
                CompletableFuture<Frame> next = CompletableFuture.supplyAsync(() -> subscriber.next(PATIENCE), threads);
                try (FakePublisher.Guest guest = other.accept()) {
                    guest.reject(RejectCode.VERSION.code(), "version 7 here");
                    CuframesException refused = assertInstance(next);
                    assertEquals(ErrorCode.PROTOCOL, refused.code());
                    assertTrue(refused.getMessage().contains("version 7 here"), refused.getMessage());
                }
                assertFalse(other.isSomebodyThere(100), "not tried again behind the caller's back");
                searching = StreamFixture.descriptors();
                CompletableFuture<Frame> again =
                        CompletableFuture.supplyAsync(() -> subscriber.next(PATIENCE), threads);
                try (FakePublisher.Guest guest = other.accept()) {
                    guest.welcome(1, false);
                    CuframesException refused = assertInstance(again);
                    assertTrue(refused.getMessage().contains("not a sealed memfd"), refused.getMessage());
                }
                assertEquals(searching, StreamFixture.descriptors(), "what came with the WELCOME is closed");
            }
            assertEquals(List.of("disconnected " + first.epoch() + " ENDED"), diary.lines);
            assertFalse(subscriber.isConnected());
            try (Publisher second = publisher()) {
                awaitConnection(subscriber);
                publish(second);
                read(subscriber, 1, 1);
            }
        }
        assertEquals(descriptors, StreamFixture.descriptors());
    }

    private static CuframesException assertInstance(CompletableFuture<Frame> next) {
        return (CuframesException)
                assertThrows(CompletionException.class, next::join).getCause();
    }

    @Test
    void aPublisherWithoutRoomIsTriedAgain() {
        Diary diary = new Diary();
        Publisher first = publisher();
        try (Subscriber subscriber = subscriber(QUICK).listener(diary).open()) {
            first.close();
            try (Publisher second = publisherOf(1).open()) {
                try (Subscriber inTheWay = subscriber(QUICK).open()) {
                    assertNull(subscriber.next(Duration.ofMillis(200)));
                    assertTrue(inTheWay.isConnected());
                    assertFalse(subscriber.isConnected());
                    assertTrue(subscriber.attempts() > 0);
                }
                awaitConnection(subscriber);
                publish(second);
                read(subscriber, 1, 1);
            }
        }
    }

    @Test
    void aReaderThatConnectsToTheSameEpochAgainIsGivenNoFrameTwice() {
        try (FakePublisher publisher = new FakePublisher(stream)) {
            CompletableFuture<Subscriber> opening =
                    CompletableFuture.supplyAsync(() -> subscriber(QUICK).open(), threads);
            FakePublisher.Guest first = publisher.accept();
            first.welcome(4, true);
            try (Subscriber subscriber = opening.join()) {
                publisher.announce(1, 0);
                publisher.announce(2, 1);
                assertEquals(List.of(1L, 2L), seqs(subscriber, 2));
                first.bye(MessageDescriptor.BYE_STALLED);
                CompletableFuture<List<Long>> rest = CompletableFuture.supplyAsync(() -> seqs(subscriber, 2), threads);
                try (FakePublisher.Guest second = publisher.accept()) {
                    first.awaitEnd();
                    second.welcome(4, true);
                    publisher.announce(3, 2);
                    publisher.announce(4, 3);
                    assertEquals(List.of(3L, 4L), rest.join());
                }
                assertEquals(FakePublisher.EPOCH, subscriber.epoch());
                assertEquals(1, subscriber.reconnects());
            }
            first.close();
        }
    }

    @Test
    void aPublisherThatIsEndingIsNotTakenForItsSuccessor() {
        Diary diary = new Diary();
        try (FakePublisher ending = new FakePublisher(stream)) {
            CompletableFuture<Subscriber> opening = CompletableFuture.supplyAsync(
                    () -> subscriber(QUICK).listener(diary).open(), threads);
            FakePublisher.Guest first = ending.accept();
            first.welcome(4, true);
            try (Subscriber subscriber = opening.join()) {
                ending.announce(1, 0);
                ending.end();
                assertEquals(List.of(1L), seqs(subscriber, 1));
                CompletableFuture<Frame> next = CompletableFuture.supplyAsync(() -> subscriber.next(PATIENCE), threads);
                try (FakePublisher.Guest second = ending.accept()) { // it still listens
                    second.welcome(4, true);
                }
                ending.close();
                Publisher successor = publisher();
                publish(successor);
                next.join().close();
                assertEquals(successor.epoch(), subscriber.epoch());
                assertEquals(1, subscriber.reconnects());
                assertEquals("attempt 1 10", diary.lines.get(1));
                successor.close();
            }
            first.close();
        }
    }

    private static List<Long> seqs(Subscriber subscriber, int count) {
        List<Long> seqs = new ArrayList<>();
        while (seqs.size() < count) {
            try (Frame frame = subscriber.next(PATIENCE)) {
                seqs.add(frame.seq());
            }
        }
        return seqs;
    }

    @Test
    void aPublisherThatOverwritesLeasedSlotsIsFoundOut() {
        try (FakePublisher publisher = new FakePublisher(stream)) {
            CompletableFuture<Subscriber> opening =
                    CompletableFuture.supplyAsync(() -> subscriber(QUICK).open(), threads);
            try (FakePublisher.Guest guest = publisher.accept()) {
                guest.welcome(64, true);
                try (Subscriber subscriber = opening.join()) {
                    for (int slot = 0; slot < 3; slot++) {
                        publisher.announce(slot + 1, slot);
                        assertEquals(slot + 1, subscriber.next(PATIENCE).seq());
                    }
                    publisher.announce(4, 1);
                    CuframesException damaged = assertThrows(CuframesException.class, () -> subscriber.next(PATIENCE));
                    assertEquals(ErrorCode.PROTOCOL, damaged.code());
                    publisher.announce(5, 3);
                    assertEquals(5, subscriber.next(PATIENCE).seq());
                    assertEquals(
                            ErrorCode.NO_SLOT,
                            assertThrows(CuframesException.class, () -> subscriber.next(PATIENCE))
                                    .code(),
                            "as many as there are slots, whatever the publisher grants");
                }
            }
        }
    }

    @Test
    void whatAListenerThrowsIsThrownByNextAndChangesNothingElse() {
        List<String> mappings = StreamFixture.mappings();
        Subscriber.Listener moody = new Subscriber.Listener() {
            @Override
            public void disconnected(long epoch, Reason reason, String text) {
                throw new IllegalArgumentException("disconnected");
            }

            @Override
            public void attemptFailed(int attempt, Duration retryIn, String reason) {
                throw new IllegalArgumentException("attempt " + attempt);
            }

            @Override
            public void reconnected(long epoch, int attempts, FrameFormat format) {
                throw new IllegalArgumentException("reconnected");
            }
        };
        Publisher first = publisher();
        try (Subscriber subscriber = subscriber(QUICK).listener(moody).open()) {
            first.close();
            assertThrown("disconnected", subscriber);
            assertEquals(mappings, StreamFixture.mappings());
            assertThrown("attempt 1", subscriber);
            assertThrown("attempt 2", subscriber);
            try (Publisher second = publisher()) {
                assertThrown("reconnected", subscriber);
                publish(second);
                read(subscriber, 1, 1);
            }
        }
    }

    private static void assertThrown(String message, Subscriber subscriber) {
        assertEquals(
                message,
                assertThrows(IllegalArgumentException.class, () -> subscriber.next(PATIENCE))
                        .getMessage());
    }
}
