// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.Child;
import io.cuframes.testing.FramePattern;
import io.cuframes.testing.StreamFixture;
import io.cuframes.testing.SubscriberProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What every transport must do, between real processes. One subclass for each. */
abstract class TransportConformance extends StreamTest {
    /** Nobody was told, if it takes longer: a busy machine delays everything. How soon a reader is told is measured where publishers are killed by the hundred. */
    private static final long UNNOTICED_NANOS = 5_000_000_000L;

    private static final int NOTICE_ROUNDS = 5;

    TransportConformance(Transport transport) {
        super(transport);
    }

    /** A strict one that goes on with the publisher that follows. */
    private Child follower() {
        return subscriber(SubscriberMode.STRICT_ORDER, "reconnect");
    }

    @Test
    void framesArriveCompleteAndInOrder() {
        Child publisher = publisher(32);
        Child subscriber = subscriber(SubscriberMode.STRICT_ORDER);
        for (int batch = 1; batch <= 20; batch++) { // of less than the ring, so that no scheduling can lap the reader
            publisher.tell("publish 30");
            assertEquals(read(batch * 30L, batch * 30L), subscriber.ask("read 30"));
            assertEquals("published " + batch * 30, publisher.answer());
        }
    }

    @Test
    void twoReadersOfDifferentModesShareOneRing() {
        Child publisher = publisher(16);
        Child strict = subscriber(SubscriberMode.STRICT_ORDER);
        Child newest = subscriber(SubscriberMode.NEWEST_ONLY);
        assertEquals("published 10", publisher.ask("publish 10"));
        assertEquals(read(10, 10), strict.ask("read 10"));
        assertEquals("read 1 9 10 0 true", newest.ask("read 1"));
        assertEquals("published 20", publisher.ask("publish 10"));
        assertEquals(read(20, 20), strict.ask("until 20"));
        assertEquals("read 2 18 20 0 true", newest.ask("until 20"));
        assertEquals("stats 2 20 0", publisher.ask("stats"));
    }

    @Test
    void aHeldFrameNeverChangesAndNeverStopsTheWriter() {
        Child publisher = publisher(4);
        Child holder = subscriber(SubscriberMode.NEWEST_ONLY);
        Child other = subscriber(SubscriberMode.NEWEST_ONLY);
        publisher.ask("publish 1");
        assertEquals(read(1, 1), holder.ask("hold 1"));
        assertEquals("published 301", publisher.ask("publish 300"));
        assertEquals("read 1 300 301 0 true", other.ask("read 1"));
        assertEquals(read(1, 1), holder.ask("check"));
        assertEquals("stats 2 301 0", publisher.ask("stats"), "the writer dropped nothing");
    }

    @Test
    void aStrictReaderThatFallsBehindIsToldHowManyItMissed() {
        Child publisher = publisher(4);
        Child subscriber = subscriber(SubscriberMode.STRICT_ORDER);
        publisher.ask("publish 1");
        assertEquals(read(1, 1), subscriber.ask("read 1"));
        publisher.ask("publish 20"); // seq 2 to 21 through 4 slots: 18 to 21 are left
        assertEquals("read 5 16 21 0 true", subscriber.ask("until 21"));
    }

    @Test
    void aLateReaderStartsAtTheNewestFrame() {
        Child publisher = publisher(6);
        publisher.ask("publish 50");
        Child newest = subscriber(SubscriberMode.NEWEST_ONLY);
        Child strict = subscriber(SubscriberMode.STRICT_ORDER);
        assertEquals(read(1, 50), newest.ask("read 1"));
        assertEquals(read(1, 50), strict.ask("read 1"));
        publisher.ask("publish 3");
        assertEquals(read(4, 53), strict.ask("until 53"));
    }

    @Test
    void aSubscriberMayConnectBeforeItsPublisherIsThere() {
        Child subscriber = keep(
                Child.start(SubscriberProcess.class, stream.key(), stream.directory(), SubscriberMode.STRICT_ORDER));
        Child publisher = publisher(4);
        assertEquals("ready " + transport, subscriber.answer());
        publisher.ask("publish 3");
        assertEquals(read(3, 3), subscriber.ask("read 3"));
    }

    @Test
    void theEndOfAPublisherIsNoticedAfterItsLastFrame() {
        long[] notices = new long[NOTICE_ROUNDS];
        for (int round = 0; round < NOTICE_ROUNDS; round++) {
            Child publisher = publisher(8);
            Child subscriber = subscriber(SubscriberMode.STRICT_ORDER);
            publisher.ask("publish 5");
            assertEquals(read(1, 1), subscriber.ask("read 1"));
            publisher.tell("close");
            long ended = System.nanoTime();
            assertEquals("waiting", subscriber.ask("gone"));
            String[] gone = subscriber.answer().split(" ", -1);
            assertEquals(List.of("gone", "ENDED", "5"), List.of(gone[0], gone[1], gone[3]));
            notices[round] = Long.parseLong(gone[2]) - ended;
            subscriber.tell("close");
            assertEquals(0, publisher.awaitExit());
            assertEquals(List.of(), stream.remains());
        }
        Arrays.sort(notices);
        assertTrue(
                notices[NOTICE_ROUNDS / 2] < UNNOTICED_NANOS,
                "median notice " + notices[NOTICE_ROUNDS / 2] / 1e6 + " ms");
    }

    @Test
    void theDeathOfAPublisherIsNoticed() {
        long[] notices = new long[NOTICE_ROUNDS];
        for (int round = 0; round < NOTICE_ROUNDS; round++) {
            Child publisher = publisher(8); // takes over what the one before left
            Child subscriber = subscriber(SubscriberMode.NEWEST_ONLY);
            publisher.ask("publish 5");
            assertEquals("read 1 4 5 0 true", subscriber.ask("read 1"));
            assertEquals("waiting", subscriber.ask("gone"));
            long killed = System.nanoTime();
            publisher.kill();
            String[] gone = subscriber.answer().split(" ", -1);
            assertEquals(List.of("gone", "DIED", "5"), List.of(gone[0], gone[1], gone[3]));
            notices[round] = Long.parseLong(gone[2]) - killed;
        }
        Arrays.sort(notices);
        assertTrue(
                notices[NOTICE_ROUNDS / 2] < UNNOTICED_NANOS,
                "median notice " + notices[NOTICE_ROUNDS / 2] / 1e6 + " ms");
    }

    @Test
    void framesOfEveryPixelFormatArriveWithEveryPixel() {
        Child publisher = publisher(4);
        Child subscriber = follower();
        long received = 0;
        for (PixelFormat format : PixelFormat.values()) {
            int odd = format.needsEvenSize() ? 0 : 1;
            subscriber.tell("read 3"); // looks for the new format at once
            String size = (322 + odd) + " " + (62 + odd);
            assertEquals(
                    "reopened " + format + " " + size.replace(' ', 'x'),
                    publisher.ask("reopen " + format + " " + size));
            assertEquals("subscribers 1", publisher.ask("await 1"));
            assertEquals("published 3", publisher.ask("publish 3"));
            received += 3;
            assertEquals(read(received, 3), subscriber.answer());
        }
        assertEquals(
                "epochs NV12 322x62 3, P010 322x62 3, YUV420P 322x62 3, YUV444P 323x63 3, RGB24 323x63 3,"
                        + " RGBA 323x63 3, GRAY8 323x63 3, GRAY16 323x63 3",
                subscriber.ask("epochs"));
    }

    @Test
    void aFormatChangeEndsTheOldFramesBeforeItBeginsTheNew() {
        Child publisher = publisher(8);
        Child follower = follower();
        Child leaver = subscriber(SubscriberMode.STRICT_ORDER);
        publisher.ask("publish 6");
        assertEquals(read(2, 2), follower.ask("hold 2"));
        publisher.tell("reopen RGB24 333 77");
        assertEquals(read(6, 6), follower.ask("read 4"), "what is left of the old format comes first");
        assertEquals(read(6, 6), follower.ask("check"));
        assertEquals("waiting", leaver.ask("gone"));
        String[] gone = leaver.answer().split(" ", -1);
        assertEquals(List.of("gone", "FORMAT_CHANGED", "6"), List.of(gone[0], gone[1], gone[3]));
        leaver.tell("close");
        if (transport.isDevice()) {
            follower.ask("drop"); // a device ring is freed 2 s after its end
        }
        follower.tell("read 5");
        assertEquals("reopened RGB24 333x77", publisher.answer());
        assertEquals("subscribers 1", publisher.ask("await 1"));
        assertEquals("published 5", publisher.ask("publish 5"));
        assertEquals(read(11, 5), follower.answer());
        assertEquals("epochs NV12 320x180 6, RGB24 333x77 5", follower.ask("epochs"));
        publisher.ask("publish 20"); // more than a lap of the new ring
        assertEquals(read(11, 5), follower.ask("check"), "frames of the old format, held all the while");
        follower.ask("drop");
    }

    @Test
    void formatsThatChangeInQuickSuccessionNeverMix() {
        Child publisher = publisher(4);
        Child subscriber = follower();
        subscriber.tell("until 40"); // of whichever epoch gets there
        for (int round = 0; round < 12; round++) {
            publisher.tell(round % 2 == 0 ? "reopen GRAY16 161 91" : "reopen YUV420P 642 34");
            publisher.tell("publish 30"); // whether the subscriber is there yet or not
        }
        for (int round = 0; round < 12; round++) {
            assertTrue(publisher.answer().startsWith("reopened"));
            assertEquals("published 30", publisher.answer());
        }
        assertEquals("subscribers 1", publisher.ask("await 1"));
        assertEquals("published 40", publisher.ask("publish 10"));
        String[] read = subscriber.answer().split(" ", -1);
        assertEquals(List.of("read", "40", "0", "true"), List.of(read[0], read[3], read[4], read[5]));
    }

    @Test
    void aFrameHeldWhileItsPublisherDiesStaysWhole() {
        Child publisher = publisher(4);
        Child subscriber = subscriber(SubscriberMode.NEWEST_ONLY);
        publisher.ask("publish 3");
        assertEquals("read 1 2 3 0 true", subscriber.ask("hold 1"));
        publisher.kill();
        assertEquals("read 1 2 3 0 true", subscriber.ask("check"));
    }

    @Test
    void aReaderHoldsFramesOfTwoEpochsAndLetsGoOfThePast() {
        Child first = publisher(4);
        try (Subscriber subscriber = localSubscriber()
                .mode(SubscriberMode.STRICT_ORDER)
                .reconnect(Backoff.every(Duration.ofMillis(20)))
                .open()) {
            FramePattern pattern = new FramePattern(subscriber.format());
            first.ask("publish 2");
            Frame old = subscriber.next(Duration.ofSeconds(20));
            subscriber.next(Duration.ofSeconds(20)).closeOn(0);
            first.kill();
            while (subscriber.reconnects() == 0) {
                if (subscriber.disconnectReason() != null && children.size() == 1) {
                    publisher(4);
                }
                assertNull(subscriber.next(Duration.ofMillis(100)));
            }
            Child second = children.getLast();
            second.ask("publish 2");
            try (Frame frame = subscriber.next(Duration.ofSeconds(20))) {
                assertEquals(-1, pattern.firstFault(frame, 1));
                assertEquals(-1, pattern.firstFault(old, 1));
                assertEquals(List.of(1L, 1L), List.of(frame.seq(), old.seq()));
                assertNotEquals(frame.epoch(), old.epoch());
                old.close(); // and with it the mappings of its epoch
                assertEquals(-1, pattern.firstFault(frame, 1));
            }
            subscriber.next(Duration.ofSeconds(20)).closeOn(0);
            assertEquals(4, subscriber.received());
        }
    }

    @Test
    void aKilledSubscriberLeavesItsSlotsFree() {
        Child publisher = publisher(6);
        Child subscriber = subscriber(SubscriberMode.STRICT_ORDER);
        publisher.ask("publish 4");
        assertEquals(read(1, 1), subscriber.ask("hold 1"));
        publisher.ask("publish 3"); // 2 to 4 are still there
        subscriber.ask("hold 3");
        assertEquals("slots 2", publisher.ask("slots"));
        subscriber.kill();
        long killed = System.nanoTime();
        while (!publisher.ask("slots").equals("slots 6")) {
            assertTrue(System.nanoTime() - killed < 5 * UNNOTICED_NANOS, "the slots stay leased");
        }
    }

    @Test
    void aSecondPublisherOfALiveKeyIsRefusedByName() {
        Child first = publisher(4);
        CuframesException refused = assertThrows(
                CuframesException.class, () -> localPublisher().open().close());
        assertEquals(ErrorCode.ALREADY_EXISTS, refused.code());
        assertTrue(refused.getMessage().contains("process " + first.pid()), refused.getMessage());
        assertTrue(refused.getMessage().contains(stream.key()), refused.getMessage());
        first.ask("publish 1"); // and the first is not disturbed
        assertEquals(read(1, 1), subscriber(SubscriberMode.NEWEST_ONLY).ask("read 1"));
    }

    @Test
    void theLeftoversOfADeadPublisherAreTakenOver() {
        Child first = publisher(4);
        first.ask("publish 2");
        first.kill();
        assertEquals(List.of(stream.segment(), stream.lock(), stream.socket()), stream.remains());
        Child second = publisher(5);
        second.ask("publish 1");
        assertEquals(read(1, 1), subscriber(SubscriberMode.NEWEST_ONLY).ask("read 1"));
        second.tell("close");
        second.awaitExit();
        assertEquals(List.of(), stream.remains());
    }

    @Test
    void nothingRemainsInTheFileSystemTheDescriptorsOrTheMappings() {
        List<String> descriptors = StreamFixture.descriptors();
        List<String> mappings = StreamFixture.mappings();
        for (int round = 0; round < 3; round++) {
            try (Publisher publisher = localPublisher().slots(4).open();
                    Subscriber subscriber = localSubscriber().open()) {
                FramePattern pattern = new FramePattern(publisher.format());
                for (int i = 1; i <= 10; i++) {
                    try (WritableFrame frame = publisher.acquire()) {
                        pattern.write(frame, i);
                        assertEquals(i, frame.publish(i));
                    }
                    try (Frame frame = subscriber.next(Duration.ofSeconds(5))) {
                        assertEquals(-1, pattern.firstFault(frame, i));
                    }
                }
            }
            assertEquals(List.of(), stream.remains());
            assertEquals(descriptors, StreamFixture.descriptors());
            assertEquals(mappings, StreamFixture.mappings());
        }
        assertTrue(Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().contains(stream.key())));
    }

    @Test
    void theWriterIsToldWhenEverySlotIsRead() {
        try (Publisher publisher = localPublisher().slots(3).maxLeases(3).open();
                Subscriber subscriber =
                        localSubscriber().mode(SubscriberMode.STRICT_ORDER).open()) {
            List<Frame> held = new ArrayList<>();
            for (int i = 1; i <= 3; i++) {
                publishOne(publisher, i);
                held.add(subscriber.next(Duration.ofSeconds(5)));
            }
            assertNull(publisher.acquire());
            assertEquals(1, publisher.dropped());
            assertEquals(
                    ErrorCode.NO_SLOT,
                    assertThrows(CuframesException.class, () -> subscriber.next(Duration.ZERO))
                            .code());
            held.get(1).close();
            publishOne(publisher, 4);
            try (Frame frame = subscriber.next(Duration.ofSeconds(5))) {
                assertEquals(4, frame.seq());
                assertEquals(0, frame.missed());
            }
        }
    }

    @Test
    void aFrameGivenBackUnpublishedIsNeverSeen() {
        try (Publisher publisher = localPublisher().slots(2).open();
                Subscriber subscriber = localSubscriber().open()) {
            for (int i = 0; i < 5; i++) {
                publisher.acquire().close();
            }
            assertNull(subscriber.next(Duration.ofMillis(20)));
            assertEquals(1, subscriber.timeouts());
            publishOne(publisher, 1);
            try (Frame frame = subscriber.next(Duration.ofSeconds(5))) {
                assertEquals(1, frame.seq());
            }
        }
    }

    @Test
    void closingASubscriberEndsAWaitInAnotherThread() throws InterruptedException {
        try (Publisher publisher = localPublisher().open()) {
            Subscriber subscriber =
                    localSubscriber().waitStrategy(WaitStrategy.PARK).open();
            List<RuntimeException> thrown = new ArrayList<>();
            Thread waiter = Thread.ofPlatform().start(() -> {
                try {
                    subscriber.next(Duration.ofMinutes(1)).close();
                } catch (RuntimeException e) {
                    thrown.add(e);
                }
            });
            while (waiter.getState() == Thread.State.NEW) {
                Thread.onSpinWait();
            }
            Thread.sleep(20);
            subscriber.close();
            waiter.join(Duration.ofSeconds(5));
            assertEquals(IllegalStateException.class, thrown.getFirst().getClass());
            assertNotNull(publisher.key());
        }
    }

    @Test
    void anInterruptEndsAWait() throws InterruptedException {
        try (Publisher publisher = localPublisher().open();
                Subscriber subscriber = localSubscriber().open()) {
            List<Boolean> interrupted = new ArrayList<>();
            Thread waiter = Thread.ofPlatform().start(() -> {
                assertNull(subscriber.next(Duration.ofMinutes(1)));
                interrupted.add(Thread.currentThread().isInterrupted());
            });
            waiter.interrupt();
            waiter.join(Duration.ofSeconds(5));
            assertEquals(List.of(true), interrupted);
            assertEquals(0, publisher.published());
        }
    }

    @Test
    void everyWaitStrategyDelivers() {
        for (WaitStrategy strategy : WaitStrategy.values()) {
            try (Publisher publisher = localPublisher().open();
                    Subscriber subscriber =
                            localSubscriber().waitStrategy(strategy).open()) {
                Thread writer = Thread.ofPlatform().start(() -> publishOne(publisher, 1));
                try (Frame frame = subscriber.next(Duration.ofSeconds(10))) {
                    assertEquals(1, frame.seq(), strategy.toString());
                }
                writer.join();
                assertNull(subscriber.next(Duration.ofMillis(5)));
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }
}
