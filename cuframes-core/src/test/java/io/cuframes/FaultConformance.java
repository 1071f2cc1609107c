// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.testing.Child;
import io.cuframes.testing.FailureProcess;
import io.cuframes.testing.FaultInjector;
import io.cuframes.testing.FramePattern;
import io.cuframes.testing.LivePublisher;
import io.cuframes.testing.PublisherProcess;
import io.cuframes.testing.SubscriberProcess;
import io.cuframes.testing.Survivor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** Processes that fail or stand still at fault points. {@link KillConformance} has those that die. */
abstract class FaultConformance extends StreamTest {
    private static final Duration SOON = Duration.ofMillis(200);
    private static final long HANGS_NANOS = 20_000_000_000L;
    private static final long INTERVAL_NANOS = 4_000_000;
    private static final int SLOTS = 6;

    /** Longer than a reader that runs needs for a step on a busy machine. */
    private static final int GRACE_MILLIS = 3000;

    /**
     * The library tries again by itself: these are steps of a server that makes a name again that was lost, or refuses one connection, and its
     * subscriber connects again.
     */
    private static final Set<FaultPoint> COPED =
            EnumSet.of(FaultPoint.SOCKET_LOST, FaultPoint.HELLO_READ, FaultPoint.CONTROL_PAGE_MADE);

    FaultConformance(Transport transport) {
        super(transport);
    }

    static void await(BooleanSupplier condition, String what) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - start < HANGS_NANOS, what);
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Test
    void aFailureAtAnyPointIsThrownAndLeavesNothing() {
        Child process = keep(Child.start(
                FaultInjector.options(""),
                Map.of(),
                FailureProcess.class,
                stream.key(),
                stream.directory(),
                transport,
                FaultInjector.Action.FAIL));
        for (FaultPoint point : FaultPoint.values()) {
            if (point.canFail() && (transport.isDevice() || point != FaultPoint.ANNOUNCING)) {
                assertEquals(point + (COPED.contains(point) ? " coped" : " thrown"), process.answer());
            }
        }
        assertEquals("end", process.answer());
    }

    /** Of these the server's thread dies, or the end goes on all the same, and no call of the caller is under way that could throw. */
    private static final Set<FaultPoint> UNHEARD =
            EnumSet.of(FaultPoint.SOCKET_UNLINKED, FaultPoint.KEY_UNLOCKED, FaultPoint.BYE_SENT);

    @Test
    void anErrorAtAnyPointLeavesNothingEither() {
        Child process = keep(Child.start(
                FaultInjector.options(""),
                Map.of(),
                FailureProcess.class,
                stream.key(),
                stream.directory(),
                transport,
                FaultInjector.Action.ERROR));
        Set<FaultPoint> coped = EnumSet.copyOf(UNHEARD);
        coped.addAll(EnumSet.range(FaultPoint.HELLO_READ, FaultPoint.READY_READ));
        for (FaultPoint point : FaultPoint.values()) {
            if (FailureProcess.isOfALife(point)) {
                assertEquals(point + (coped.contains(point) ? " coped" : " thrown"), process.answer());
            }
        }
        assertEquals("end", process.answer());
    }

    /** A subscriber with what befalls it, and its first answer. */
    private Child subscriber(String faults, SubscriberMode mode) {
        Child child = keep(Child.start(
                FaultInjector.options(faults),
                Map.of(),
                SubscriberProcess.class,
                stream.key(),
                stream.directory(),
                mode));
        assertEquals("ready " + transport, child.answer());
        return child;
    }

    @Test
    void aReaderMayStandStillAtAnyPointAndItsNeighboursDoNotNotice() {
        Set<FaultPoint> points = EnumSet.range(FaultPoint.FRAME_FOUND, FaultPoint.FRAME_RELEASED);
        points.remove(FaultPoint.LEASE_WITHDRAWN); // comes only if the writer is quicker: the kill rounds see to it
        try (LivePublisher publisher =
                        new LivePublisher(localPublisher().slots(SLOTS).open(), INTERVAL_NANOS);
                Survivor strict = new Survivor(stream, SubscriberMode.STRICT_ORDER);
                Survivor newest = new Survivor(stream, SubscriberMode.NEWEST_ONLY)) {
            List<Child> stopped = new ArrayList<>();
            for (FaultPoint point : points) {
                Child reader = subscriber(point + ":3:STOP", SubscriberMode.NEWEST_ONLY);
                reader.tell("read 50");
                reader.answerThatBegins("fault STOP " + point);
                reader.awaitStop();
                long published = publisher.publisher().published();
                await(
                        () -> publisher.publisher().published() > published + 3 * SLOTS
                                && strict.hasSeen(publisher.publisher().epoch(), published + 3 * SLOTS)
                                && newest.hasSeen(publisher.publisher().epoch(), published + 3 * SLOTS),
                        "others are held up by a reader that stands still at " + point);
                reader.cont();
                stopped.add(reader);
            }
            for (Child reader : stopped) {
                String[] read = reader.answerThatBegins("read").split(" ", -1);
                assertEquals(List.of("50", "0", "true"), List.of(read[1], read[4], read[5]), "it reads on, all whole");
                reader.kill();
            }
            await(() -> publisher.publisher().subscribers() == 2, "those that were killed are still counted");
            publisher.pause();
            await(() -> publisher.countSlots() == SLOTS, "slots are lost");
            assertNull(strict.fault());
            assertNull(newest.fault());
            assertEquals(
                    0, strict.subscriber().reconnects() + newest.subscriber().reconnects());
        }
    }

    /** Under STRICT_WAIT the reader that stands still is waited for once, for the grace period; then its strict neighbour gets every frame again. */
    @Test
    void aStrictNeighbourOfAReaderThatIsGivenUpMissesNothing() {
        Child publisher = publisher(SLOTS, PublishPolicy.STRICT_WAIT, HANGS_NANOS / 1_000_000, GRACE_MILLIS);
        Child stopped = subscriber("", SubscriberMode.STRICT_ORDER);
        Child strict = subscriber("", SubscriberMode.STRICT_ORDER);
        Child newest = subscriber("", SubscriberMode.NEWEST_ONLY);
        assertEquals("subscribers 3", publisher.ask("await 3"));
        publisher.ask("publish 2");
        assertEquals(read(2, 2), stopped.ask("hold 2"));
        stopped.stop();
        strict.tell("until 60");
        newest.tell("until 60");
        assertEquals("published 60", publisher.ask("publish 58"));
        assertEquals(read(60, 60), strict.answer());
        assertTrue(newest.answer().endsWith(" 60 0 true"));
        assertEquals("policy 0 1", publisher.ask("policy"));
        stopped.cont();
        assertEquals(read(2, 2), stopped.ask("check"), "what it holds is whole");
        assertEquals("waiting", stopped.ask("gone"));
        assertTrue(stopped.answer().startsWith("gone STALLED "));
    }

    @Test
    void aPublisherThatStandsStillIsToldAndItsReadersGoOnWithIt() {
        Set<FaultPoint> points = EnumSet.range(FaultPoint.LEASES_LOOKED_AT, FaultPoint.HEAD_ANNOUNCED);
        points.remove(FaultPoint.SLOT_RESTORED); // comes only if a reader is quicker: the kill rounds see to it
        if (!transport.isDevice()) {
            points.remove(FaultPoint.ANNOUNCING);
        }
        List<String> faults = new ArrayList<>();
        int times = 3;
        for (FaultPoint point : points) {
            faults.add(point + ":" + times + ":STOP");
            times += 2;
        }
        Child publisher = keep(Child.start(
                FaultInjector.options(String.join(",", faults)),
                Map.of(),
                PublisherProcess.class,
                stream.key(),
                stream.directory(),
                transport,
                SLOTS,
                320,
                180));
        assertEquals("ready " + transport, publisher.answer());
        try (Subscriber subscriber = localSubscriber().stallAfter(SOON).open()) {
            FramePattern pattern = new FramePattern(subscriber.format());
            assertEquals("subscribers 1", publisher.ask("await 1"));
            publisher.tell("publish 60");
            for (int stops = 0; stops < points.size(); stops++) {
                publisher.answerThatBegins("fault STOP");
                publisher.awaitStop();
                awaitStall(subscriber, pattern);
                publisher.cont();
            }
            assertEquals("published 60", publisher.answerThatBegins("published"));
            await(
                    () -> !look(subscriber, pattern) && subscriber.stats().lastSeq() == 60,
                    "the last frame does not arrive");
            assertTrue(subscriber.isConnected());
            assertEquals(0, subscriber.stats().errors());
        }
    }

    /** Reads what there is; whether there was a frame. */
    private static boolean look(Subscriber subscriber, FramePattern pattern) {
        try (Frame frame = subscriber.next(Duration.ofMillis(10))) {
            if (frame != null) {
                assertEquals(-1, pattern.firstFault(frame, frame.seq()));
            }
            return frame != null;
        }
    }

    private static void awaitStall(Subscriber subscriber, FramePattern pattern) {
        long timeouts = subscriber.timeouts();
        long start = System.nanoTime();
        await(
                () -> !look(subscriber, pattern) && subscriber.publisherStalledNanos() > 0,
                "a publisher that stands still is not called stalled");
        SubscriberStats stats = subscriber.stats();
        assertTrue(stats.publisherStalledNanos() >= SOON.toNanos(), stats.toString());
        assertTrue(stats.connected(), "its connection stands");
        assertTrue(subscriber.timeouts() > timeouts, "next gives null meanwhile");
        assertTrue(System.nanoTime() - start < HANGS_NANOS);
    }

    @Test
    void aPublisherIsNotStalledWhileItPublishesNorWhenItIsGone() {
        try (Publisher publisher = localPublisher().open();
                Subscriber subscriber =
                        localSubscriber().stallAfter(Duration.ofMillis(1)).open()) {
            publishOne(publisher, 1);
            LockSupport.parkNanos(5_000_000);
            assertEquals(0, subscriber.publisherStalledNanos(), "there is a frame to take");
            assertTrue(subscriber.stats().lag() > 0);
            try (Frame frame = subscriber.next(SOON)) {
                assertEquals(1, frame.seq());
            }
            await(() -> subscriber.publisherStalledNanos() > 0, "nothing comes, and it is not stalled");
            publisher.close();
            await(() -> subscriber.publisherStalledNanos() >= 0 && isGone(subscriber), "its end is not noticed");
            subscriber.close();
            assertEquals(0, subscriber.publisherStalledNanos());
            assertEquals(0, subscriber.stats().publisherStalledNanos());
            assertFalse(subscriber.stats().connected());
        }
        assertEquals(
                ErrorCode.INVALID_ARGUMENT,
                assertThrows(CuframesException.class, () -> localSubscriber().stallAfter(Duration.ZERO))
                        .code());
    }

    private static boolean isGone(Subscriber subscriber) {
        try (Frame frame = subscriber.next(Duration.ofMillis(1))) {
            return false;
        } catch (PublisherGoneException e) {
            return true;
        }
    }
}
