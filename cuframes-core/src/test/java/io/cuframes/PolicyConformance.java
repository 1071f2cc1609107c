// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.testing.Child;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** How a publisher treats strict readers that are slow, asleep or dead, under each policy and over every transport. */
abstract class PolicyConformance extends StreamTest {
    /** Longer than any test waits: whatever comes sooner did not wait for it. */
    private static final Duration NEVER = Duration.ofSeconds(20);

    private static final Duration SOON = Duration.ofSeconds(5);
    private static final Duration SHORT = Duration.ofMillis(300);

    PolicyConformance(Transport transport) {
        super(transport);
    }

    private Child publisher(int slots, PublishPolicy policy, Duration waitTimeout, Duration gracePeriod) {
        return publisher(slots, policy, waitTimeout.toMillis(), gracePeriod.toMillis());
    }

    private static void await(BooleanSupplier condition, String what) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - start < NEVER.toNanos(), what);
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** A counter of the segment, as a tool reads it. */
    private long counter(long offset) {
        try (FileChannel file = FileChannel.open(stream.segment())) {
            ByteBuffer word = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            assertEquals(Long.BYTES, file.read(word, offset));
            return word.getLong(0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void awaitPublished(long seq) {
        await(() -> counter(SegmentDescriptor.PUBLISHED_OFFSET) == seq, "frame " + seq + " is not published");
    }

    /** What a subscriber process said: received, missed, last, all right. */
    private static long[] readings(String answer) {
        String[] words = answer.split(" ", -1);
        assertEquals(List.of("read", "0", "true"), List.of(words[0], words[4], words[5]), answer);
        return new long[] {Long.parseLong(words[1]), Long.parseLong(words[2]), Long.parseLong(words[3])};
    }

    @Test
    void aSlowStrictReaderLosesNothingAndOneOfTheNewestHoldsUpNobody() {
        Child publisher = publisher(4, PublishPolicy.STRICT_WAIT, NEVER, NEVER);
        Child strict = subscriber(SubscriberMode.STRICT_ORDER);
        Child newest = subscriber(SubscriberMode.NEWEST_ONLY);
        assertEquals("subscribers 2", publisher.ask("await 2"));
        strict.tell("slowly 60 3");
        newest.tell("slowly 60 20");
        assertEquals("published 60", publisher.ask("publish 60"));
        assertEquals(read(60, 60), strict.answer());
        long[] skipped = readings(newest.answer());
        assertEquals(60, skipped[0] + skipped[1]);
        assertTrue(skipped[1] > 20, "the publisher waited for the reader of the newest: it missed " + skipped[1]);
        assertEquals("stats 2 60 0", publisher.ask("stats"));
        assertEquals("policy 0 0", publisher.ask("policy"));
    }

    @Test
    void everyStrictReaderIsWaitedFor() {
        Child publisher = publisher(3, PublishPolicy.STRICT_WAIT, NEVER, NEVER);
        Child fast = subscriber(SubscriberMode.STRICT_ORDER);
        Child slow = subscriber(SubscriberMode.STRICT_ORDER);
        assertEquals("subscribers 2", publisher.ask("await 2"));
        fast.tell("until 30");
        publisher.tell("publish 30");
        awaitPublished(3);
        assertEquals(read(30, 30), slow.ask("slowly 30 5"));
        assertEquals(read(30, 30), fast.answer());
        assertEquals("published 30", publisher.answer());
    }

    @Test
    void aStrictReaderThatIsKilledFreesThePublisherAtOnce() {
        Child publisher = publisher(4, PublishPolicy.STRICT_WAIT, NEVER, NEVER);
        Child strict = subscriber(SubscriberMode.STRICT_ORDER);
        assertEquals("subscribers 1", publisher.ask("await 1"));
        publisher.tell("publish 10");
        awaitPublished(4);
        long killed = System.nanoTime();
        strict.kill();
        assertEquals("published 10", publisher.answer());
        assertTrue(System.nanoTime() - killed < SOON.toNanos(), "the publisher waited for a dead reader");
        assertEquals("policy 0 0", publisher.ask("policy"));
    }

    @Test
    void aStoppedReaderIsGivenUpAfterTheGracePeriodAndKeepsWhatItHolds() {
        Child publisher = publisher(4, PublishPolicy.STRICT_WAIT, NEVER, SHORT);
        Child strict = subscriber(SubscriberMode.STRICT_ORDER);
        assertEquals("subscribers 1", publisher.ask("await 1"));
        publisher.ask("publish 1");
        assertEquals(read(1, 1), strict.ask("hold 1"));
        strict.stop();
        long stopped = System.nanoTime();
        assertEquals("published 31", publisher.ask("publish 30"), "the wait goes on after the reader was given up");
        assertTrue(System.nanoTime() - stopped > SHORT.toNanos(), "it was given up too soon");
        assertEquals("policy 0 1", publisher.ask("policy"));
        assertEquals(1, counter(SegmentDescriptor.STALLED_OFFSET));
        assertEquals("subscribers 0", publisher.ask("await 0"));
        String warning = ".*subscriber 1 \\(test, process " + strict.pid() + "\\).*no frame after 1 for \\d+ ms.*";
        await(() -> publisher.ask("warnings").matches(warning), "nobody is told"); // counted first, then said
        assertEquals("slots 3", publisher.ask("slots"), "its lease counts all the time");
        publisher.ask("publish 10");
        strict.cont();
        assertEquals(read(1, 1), strict.ask("check"));
        assertEquals("waiting", strict.ask("gone"));
        String[] gone = strict.answer().split(" ", -1);
        assertEquals(List.of("gone", "STALLED"), List.of(gone[0], gone[1]));
        publisher.ask("publish 10");
        assertEquals("slots 3", publisher.ask("slots"));
        readings(strict.ask("check"));
        readings(strict.ask("drop"));
        assertEquals("slots 4", publisher.ask("slots"));
    }

    @Test
    void aStalledReaderThatReconnectsReadsOnInTheSameEpoch() {
        Child publisher = publisher(6, PublishPolicy.STRICT_WAIT, NEVER, SHORT);
        Child strict = subscriber(SubscriberMode.STRICT_ORDER, "reconnect");
        assertEquals("subscribers 1", publisher.ask("await 1"));
        publisher.ask("publish 1");
        assertEquals(read(1, 1), strict.ask("hold 1"));
        String epoch = strict.ask("link").substring("link 0 ".length());
        strict.stop();
        assertEquals("published 31", publisher.ask("publish 30"));
        strict.cont();
        strict.tell("until 50");
        assertEquals("subscribers 1", publisher.ask("await 1"), "it is back");
        assertEquals("published 50", publisher.ask("publish 19"));
        long[] all = readings(strict.answer());
        assertEquals(50, all[0] + all[1], "what was missed while it was not waited for is counted");
        assertTrue(all[0] >= 20, "all are read from when it is back: " + all[0]);
        assertEquals("link 1 " + epoch, strict.ask("link"));
        assertEquals("policy 0 1", publisher.ask("policy"));
        assertEquals(all[0], readings(strict.ask("check"))[0], "the frame held all the while is whole");
    }

    @Test
    void acquireGivesUpAfterItsTimeoutAndCounts() {
        Duration timeout = Duration.ofMillis(150);
        try (Publisher publisher = strictWait(2, timeout, NEVER).open();
                Subscriber subscriber = strict()) {
            publishOne(publisher, 1);
            publishOne(publisher, 2);
            long start = System.nanoTime();
            assertNull(publisher.acquire());
            assertTrue(System.nanoTime() - start >= timeout.toNanos());
            assertEquals(List.of(1L, 0L, 0L), List.of(publisher.refused(), publisher.dropped(), publisher.stalled()));
            assertEquals(1, counter(SegmentDescriptor.REFUSED_OFFSET));
            assertEquals(1, takeOne(subscriber));
            publishOne(publisher, 3);
            assertEquals(2, takeOne(subscriber));
            assertEquals(3, takeOne(subscriber));
            assertEquals(0, subscriber.missed());
        }
    }

    @Test
    void aWaitShorterThanTheGracePeriodIsRefusedUntilThatIsOver() {
        try (Publisher publisher = strictWait(2, Duration.ofMillis(20), SHORT).open();
                Subscriber subscriber = strict()) {
            publishOne(publisher, 1);
            publishOne(publisher, 2);
            long start = System.nanoTime();
            await(() -> publishIfPossible(publisher), "the reader is waited for without end");
            assertTrue(System.nanoTime() - start >= SHORT.toNanos());
            assertTrue(publisher.refused() > 1);
            assertEquals(1, publisher.stalled());
            await(() -> publisher.subscribers() == 0, "it is counted still");
            assertEquals(3, publisher.published());
            assertEquals(
                    PublisherGoneException.Reason.STALLED,
                    assertThrows(PublisherGoneException.class, () -> {
                                while (true) {
                                    takeOne(subscriber);
                                }
                            })
                            .reason());
        }
    }

    @Test
    void dropNewestRefusesAtOnceAndKeepsWhatIsUnread() {
        Child publisher = publisher(4, PublishPolicy.DROP_NEWEST, NEVER, NEVER);
        Child strict = subscriber(SubscriberMode.STRICT_ORDER);
        assertEquals("subscribers 1", publisher.ask("await 1"));
        long start = System.nanoTime();
        assertEquals("published 4", publisher.ask("publish 10"));
        assertTrue(System.nanoTime() - start < SOON.toNanos(), "it waited");
        assertEquals("policy 6 0", publisher.ask("policy"));
        assertEquals(read(4, 4), strict.ask("read 4"));
        assertEquals("published 8", publisher.ask("publish 5"), "it goes on when there is room");
        assertEquals(read(8, 8), strict.ask("read 4"));
        assertEquals("policy 7 0", publisher.ask("policy"));
        assertEquals("stats 1 8 0", publisher.ask("stats"));
    }

    @Test
    void dropNewestGivesAStalledReaderUp() {
        Child publisher = publisher(4, PublishPolicy.DROP_NEWEST, NEVER, SHORT);
        Child strict = subscriber(SubscriberMode.STRICT_ORDER);
        assertEquals("subscribers 1", publisher.ask("await 1"));
        assertEquals("published 4", publisher.ask("publish 4"));
        await(() -> publisher.ask("publish 1").equals("published 5"), "the reader is waited for without end");
        assertEquals("published 25", publisher.ask("publish 20"));
        assertTrue(publisher.ask("policy").endsWith(" 1"));
        assertEquals("waiting", strict.ask("gone"));
        assertTrue(strict.answer().startsWith("gone STALLED"));
    }

    @Test
    void aReaderThatMovesIsNotGivenUpHoweverSlow() {
        try (Publisher publisher = strictWait(2, NEVER, Duration.ofSeconds(1)).open();
                Subscriber subscriber = strict()) {
            Thread writer = Thread.ofPlatform().start(() -> {
                for (int i = 1; i <= 6; i++) {
                    publishOne(publisher, i);
                }
            });
            for (int i = 1; i <= 6; i++) { // 1.8 s, more than the grace period
                LockSupport.parkNanos(300_000_000);
                assertEquals(i, takeOne(subscriber));
            }
            join(writer);
            assertEquals(List.of(0L, 0L), List.of(publisher.refused(), publisher.stalled()));
        }
    }

    @Test
    void strictWaitWaitsForAFrameThatAStrictReaderHolds() {
        try (Publisher publisher = strictWait(2, NEVER, NEVER).maxLeases(2).open();
                Subscriber subscriber = strict()) {
            publishOne(publisher, 1);
            Frame first = subscriber.next(SOON);
            publishOne(publisher, 2);
            Frame second = subscriber.next(SOON);
            Thread writer = Thread.ofPlatform().start(() -> publishOne(publisher, 3));
            awaitNap(writer);
            second.close();
            join(writer);
            assertEquals(3, takeOne(subscriber));
            first.close();
            assertEquals(List.of(0L, 0L), List.of(publisher.refused(), publisher.dropped()));
        }
    }

    @Test
    void strictWaitDropsAtOnceWhatOthersHold() {
        try (Publisher publisher = strictWait(2, NEVER, NEVER).maxLeases(2).open();
                Subscriber newest = localSubscriber().open();
                Subscriber strict = strict()) {
            await(() -> publisher.subscribers() == 2, "they do not come");
            List<Frame> held = new ArrayList<>();
            for (int i = 1; i <= 2; i++) {
                publishOne(publisher, i);
                held.add(newest.next(SOON));
                assertEquals(i, takeOne(strict));
            }
            long start = System.nanoTime();
            assertNull(publisher.acquire());
            assertTrue(System.nanoTime() - start < SOON.toNanos(), "it waited for a reader of the newest");
            assertEquals(List.of(0L, 1L), List.of(publisher.refused(), publisher.dropped()));
            held.forEach(Frame::close);
        }
    }

    @Test
    void aSlotThatIsChosenIsKeptForStrictReadersToo() {
        try (Publisher publisher = strictWait(2, Duration.ZERO, NEVER).open();
                Subscriber subscriber = strict()) {
            publishOne(publisher, 1); // in slot 0
            publishOne(publisher, 2);
            assertNull(publisher.acquire(0));
            assertNull(publisher.acquire(1));
            assertEquals(1, takeOne(subscriber));
            assertNull(publisher.acquire(1));
            try (WritableFrame frame = publisher.acquire(0)) {
                frame.publish(3);
            }
            assertEquals(2, takeOne(subscriber));
            assertEquals(3, takeOne(subscriber));
            assertEquals(0, subscriber.missed());
        }
    }

    @Test
    void aSlotThatIsChosenIsWaitedForWhereAStrictReaderHoldsIt() {
        try (Publisher publisher = strictWait(2, NEVER, NEVER).maxLeases(2).open();
                Subscriber newest = localSubscriber().open();
                Subscriber strict = strict()) {
            await(() -> publisher.subscribers() == 2, "they do not come");
            publishOne(publisher, 1); // in slot 0
            Frame first = newest.next(SOON);
            assertEquals(1, takeOne(strict));
            publishOne(publisher, 2);
            Frame second = strict.next(SOON);
            long start = System.nanoTime();
            assertNull(publisher.acquire(0));
            assertTrue(System.nanoTime() - start < SOON.toNanos(), "it waited for a reader of the newest");
            Thread writer = Thread.ofPlatform().start(() -> publisher.acquire(1).close());
            awaitNap(writer);
            second.close();
            join(writer);
            first.close();
        }
    }

    @Test
    void anInterruptEndsAWaitForReaders() {
        try (Publisher publisher = strictWait(2, NEVER, NEVER).open();
                Subscriber subscriber = strict()) {
            publishOne(publisher, 1);
            publishOne(publisher, 2);
            List<Object> seen = new ArrayList<>();
            Thread writer = Thread.ofPlatform().start(() -> {
                seen.add(publisher.acquire() == null);
                seen.add(Thread.currentThread().isInterrupted());
            });
            awaitNap(writer);
            writer.interrupt();
            join(writer);
            assertEquals(List.of(true, true), seen);
            assertEquals(1, publisher.refused());
            assertEquals(0, subscriber.received());
        }
    }

    @Test
    void closingAPublisherEndsAWaitForReaders() {
        for (int round = 0; round < 10; round++) {
            Publisher publisher = strictWait(2, NEVER, NEVER).open();
            try (Subscriber subscriber = strict()) {
                publishOne(publisher, 1);
                publishOne(publisher, 2);
                List<RuntimeException> thrown = new ArrayList<>();
                Thread writer = Thread.ofPlatform().start(() -> {
                    try {
                        publisher.acquire();
                    } catch (RuntimeException e) {
                        thrown.add(e);
                    }
                });
                awaitNap(writer);
                publisher.close();
                join(writer);
                assertInstanceOf(IllegalStateException.class, thrown.getFirst());
                assertTrue(thrown.getFirst().getMessage().contains("is closed"), thrown.toString());
                assertEquals(1, takeOne(subscriber), "what was published is there after the end");
            }
        }
    }

    @Test
    void settingsThatMakeNoSenseAreRefused() {
        for (Publisher.Builder builder : List.of(
                localPublisher().gracePeriod(Duration.ZERO),
                localPublisher().gracePeriod(Duration.ofDays(400)),
                localPublisher().waitTimeout(Duration.ofNanos(-1)),
                localPublisher().waitTimeout(Duration.ofSeconds(Long.MAX_VALUE)))) {
            CuframesException refused = assertThrows(CuframesException.class, builder::open);
            assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code());
        }
        assertEquals(List.of(), stream.remains());
    }

    @Test
    void aStalledReaderLearnsItBeforeItMissesFramesTwice() {
        try (Publisher publisher = strictWait(4, NEVER, SHORT).open();
                Subscriber subscriber = strict()) {
            for (int i = 1; i <= 20; i++) {
                publishOne(publisher, i);
            }
            await(() -> publisher.subscribers() == 0, "it is counted still");
            assertEquals(17, takeOne(subscriber));
            assertEquals(16, subscriber.missed());
            PublisherGoneException gone = assertThrows(
                    PublisherGoneException.class, () -> takeOne(subscriber), "there are three more frames");
            assertEquals(PublisherGoneException.Reason.STALLED, gone.reason());
        }
    }

    @Test
    void thePolicyAndItsTimesAreSaidAndOutliveAChangeOfFormat() {
        Duration grace = Duration.ofMillis(1600); // neither they nor their sum are the usual ones
        try (Publisher publisher = strictWait(2, Duration.ofMillis(1900), grace).open();
                Publisher next = publisher.reopen(publisher.format());
                Subscriber subscriber = strict()) {
            assertEquals(PublishPolicy.STRICT_WAIT, next.policy());
            assertEquals(PublishPolicy.STRICT_WAIT, subscriber.policy());
            publishOne(next, 1);
            publishOne(next, 2);
            assertTrue(publishIfPossible(next), "the wait lasts longer than the grace period");
            assertEquals(1, next.stalled());
        }
    }

    private Publisher.Builder strictWait(int slots, Duration waitTimeout, Duration gracePeriod) {
        return localPublisher()
                .slots(slots)
                .policy(PublishPolicy.STRICT_WAIT)
                .waitTimeout(waitTimeout)
                .gracePeriod(gracePeriod);
    }

    /** A strict subscriber that its publisher knows to be there. */
    private Subscriber strict() {
        Subscriber subscriber =
                localSubscriber().mode(SubscriberMode.STRICT_ORDER).open();
        await(() -> (int) counter(SegmentDescriptor.SUBSCRIBERS_OFFSET) > 0, "it is not counted");
        return subscriber;
    }

    private static boolean publishIfPossible(Publisher publisher) {
        try (WritableFrame frame = publisher.acquire()) {
            if (frame != null) {
                frame.publish(0);
            }
            return frame != null;
        }
    }

    /** Takes the next frame and lets it go; returns its number. */
    private static long takeOne(Subscriber subscriber) {
        try (Frame frame = subscriber.next(SOON)) {
            assertNotNull(frame);
            return frame.seq();
        }
    }

    /** Until the thread has looked for a slot and waits. */
    private static void awaitNap(Thread thread) {
        await(() -> thread.getState() == Thread.State.TIMED_WAITING, "it does not wait");
    }

    private static void join(Thread thread) {
        try {
            assertTrue(thread.join(SOON), "it does not end");
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
