// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.SubscriberMode;
import io.cuframes.WaitStrategy;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.HeadWord;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.Shared;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A reader's wait, against a writer of the same process: each may last ten minutes, and ends within seconds or not at all. */
class HeadWaiterTest {
    private static final int SLOTS = 4;
    private static final long LONG_NANOS = Duration.ofMinutes(10).toNanos();
    private static final long PATIENCE_MILLIS = 30_000;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment segment = arena.allocate(SegmentDescriptor.length(SLOTS), 4096);
    private final MemorySegment control = arena.allocate(ControlDescriptor.LENGTH, 4096);
    private final ReaderSet readers = new ReaderSet();
    private final RingWriter writer = new RingWriter(segment, SLOTS, readers);
    private final ReaderWaker waker = new ReaderWaker(segment, writer);
    private Thread thread;

    @BeforeEach
    void admitTheReader() {
        readers.add(new ControlPage(
                Arena.ofShared(), control, new ControlPage.Owner(1, "test", 1, SubscriberMode.NEWEST_ONLY, 1)));
    }

    @AfterEach
    void endTheThread() throws InterruptedException {
        if (thread != null) {
            Shared.setIntRelease(segment, SegmentDescriptor.STATE_OFFSET, SegmentDescriptor.STATE_ENDED);
            ReaderWaker.wakeAll(segment);
            thread.join();
        }
        arena.close();
    }

    private void startToWait(WaitStrategy strategy, long seen) {
        HeadWaiter waiter = new HeadWaiter(segment, control, SLOTS, strategy);
        thread = Thread.ofPlatform().start(() -> waiter.await(seen, LONG_NANOS));
    }

    private boolean isAsleep() {
        return Shared.getIntOpaque(control, ControlDescriptor.WAITING_OFFSET) == 1;
    }

    private void awaitSleep() throws InterruptedException {
        for (int i = 0; i < PATIENCE_MILLIS && !isAsleep(); i++) {
            Thread.sleep(1);
        }
        assertTrue(isAsleep(), "it does not say that it sleeps");
    }

    private void assertReturns() throws InterruptedException {
        assertTrue(thread.join(Duration.ofMillis(PATIENCE_MILLIS)), "it goes on waiting");
        assertFalse(isAsleep(), "it still says that it sleeps");
    }

    private long name() {
        int slot = writer.take();
        return writer.name(slot, 0, 1, 0, 0, 0);
    }

    @ParameterizedTest
    @EnumSource(WaitStrategy.class)
    void aFrameEndsTheWait(WaitStrategy strategy) throws InterruptedException {
        startToWait(strategy, 0);
        if (strategy == WaitStrategy.PARK || strategy == WaitStrategy.ADAPTIVE) {
            awaitSleep();
        }
        new HostAnnouncer(segment, writer).announce(0, name());
        assertReturns();
    }

    @ParameterizedTest
    @EnumSource(WaitStrategy.class)
    void theEndOfTheStreamEndsTheWait(WaitStrategy strategy) throws InterruptedException {
        startToWait(strategy, 0);
        Shared.setIntRelease(segment, SegmentDescriptor.STATE_OFFSET, SegmentDescriptor.STATE_ENDED);
        for (int i = 0; i < PATIENCE_MILLIS && thread.isAlive(); i++) { // a wake may be missed: 50 ms, for a subscriber
            ReaderWaker.wakeAll(segment);
            Thread.sleep(1);
        }
        assertReturns();
    }

    /** As a GPU does it, which wakes nobody: however long after the frame was handed over. */
    @ParameterizedTest
    @EnumSource(
            value = WaitStrategy.class,
            names = {"PARK", "ADAPTIVE"})
    void aHeadThatMovesLaterIsSeenAlthoughNobodyWakesTheReader(WaitStrategy strategy) throws InterruptedException {
        startToWait(strategy, 0);
        awaitSleep();
        long word = name();
        waker.wakeSleepers();
        Thread.sleep(300); // long enough to nap
        assertTrue(thread.isAlive(), "it takes a frame for announced that is not");
        assertFalse(isAsleep(), "it sleeps until it is woken, and nobody will");
        writer.announce(word);
        assertReturns();
    }

    @Test
    void aReaderThatComesWhileAFrameIsOnItsWayDoesNotGoToSleep() throws InterruptedException {
        long word = name();
        startToWait(WaitStrategy.PARK, 0);
        Thread.sleep(100);
        assertFalse(isAsleep());
        writer.announce(word);
        assertReturns();
    }

    @Test
    void aFrameThatIsWithdrawnIsNotWaitedFor() throws InterruptedException {
        startToWait(WaitStrategy.PARK, 0);
        awaitSleep();
        for (int i = 0; i < PATIENCE_MILLIS && thread.isAlive(); i++) { // a wake may be missed here, too
            long word = name();
            waker.wakeSleepers();
            writer.withdraw(word);
            Thread.sleep(1);
        }
        assertReturns(); // to look after the stream, and to wait anew
        assertEquals(0, HeadWord.seq(Shared.getLongAcquire(segment, SegmentDescriptor.HEAD_OFFSET)));
    }

    /** As a publisher in another time namespace would have them that does not state by how much its clock differs. */
    @ParameterizedTest
    @ValueSource(longs = {-1_000_000_000_000_000L, 5_000_000, 1_000_000_000_000_000L, Long.MIN_VALUE})
    void publishTimesOfAnotherClockNeitherProlongAWaitNorMissAFrame(long ahead) throws InterruptedException {
        HeadWaiter waiter = new HeadWaiter(segment, control, SLOTS, WaitStrategy.ADAPTIVE);
        HostAnnouncer announcer = new HostAnnouncer(segment, writer);
        long word = 0;
        for (int frame = 0; frame < 20; frame++) { // a steady stream, so that there is a forecast
            int slot = writer.take();
            word = writer.name(slot, 0, System.nanoTime() + ahead, 0, 0, 0);
            announcer.announce(slot, word);
            long start = System.nanoTime();
            waiter.await(word, 10_000_000);
            assertTrue(System.nanoTime() - start
                    < Duration.ofMillis(PATIENCE_MILLIS).toNanos());
        }
        long seen = word;
        thread = Thread.ofPlatform().start(() -> {
            while (Shared.getLongAcquire(segment, SegmentDescriptor.HEAD_OFFSET) == seen) {
                waiter.await(seen, 50_000_000); // as long as any caller waits at a time
            }
        });
        Thread.sleep(20);
        announcer.announce(0, name());
        assertReturns();
    }

    @Test
    void theTimeIsKeptAsleepAndWhileAFrameIsOnItsWay() {
        HeadWaiter waiter = new HeadWaiter(segment, control, SLOTS, WaitStrategy.ADAPTIVE);
        long start = System.nanoTime();
        waiter.await(0, 50_000_000);
        assertTrue(System.nanoTime() - start >= 50_000_000);
        name();
        start = System.nanoTime();
        waiter.await(0, 50_000_000);
        assertTrue(System.nanoTime() - start >= 50_000_000);
    }
}
