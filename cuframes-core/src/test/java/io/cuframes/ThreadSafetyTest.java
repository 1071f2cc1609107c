// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.FramePattern;
import io.cuframes.testing.StreamFixture;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the Javadoc promises to callers with several threads. */
@Timeout(60)
class ThreadSafetyTest {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final StreamFixture stream = new StreamFixture();

    /** What went wrong in other threads. */
    private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();

    private final List<Thread> threads = new ArrayList<>();

    @AfterEach
    void cleanUp() {
        stream.close();
    }

    private void start(ThrowingRunnable body) {
        threads.add(Thread.ofPlatform().daemon().start(() -> {
            try {
                body.run();
            } catch (Throwable t) {
                failures.add(t);
            }
        }));
    }

    private interface ThrowingRunnable {
        void run() throws Exception;
    }

    /** Waits for all threads; none may have failed. */
    private void join() throws InterruptedException {
        for (Thread thread : threads) {
            thread.join();
        }
        threads.clear();
        assertEquals(List.of(), List.copyOf(failures));
    }

    private Publisher.Builder publisher() {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .size(64, 48);
    }

    private Subscriber.Builder subscriber() {
        return Subscriber.builder(stream.key()).socketDirectory(stream.directory());
    }

    private static void publish(Publisher publisher, FramePattern pattern, long number) {
        try (WritableFrame frame = publisher.acquire()) {
            if (frame != null) {
                pattern.write(frame, number);
                frame.publish(number);
            }
        }
    }

    @Test
    void aFrameThatSeveralThreadsCloseEndsItsLeaseOnce() throws Exception {
        int rounds = 100;
        int most = 60;
        Frame[] held = new Frame[most];
        AtomicInteger ready = new AtomicInteger();
        CyclicBarrier round = new CyclicBarrier(2);
        try (Publisher publisher = publisher().slots(64).maxLeases(most).open();
                Subscriber subscriber =
                        subscriber().mode(SubscriberMode.STRICT_ORDER).open()) {
            FramePattern pattern = new FramePattern(publisher.format());
            start(() -> {
                for (int i = 0; i < rounds; i++) {
                    round.await();
                    closeTogether(held, ready);
                    round.await();
                }
            });
            for (int i = 0; i < rounds; i++) {
                hold(publisher, subscriber, pattern, held);
                ready.set(0);
                round.await();
                closeTogether(held, ready);
                round.await();
            }
            join();
            hold(publisher, subscriber, pattern, held); // as many as it may, neither more nor fewer
            publish(publisher, pattern, 0);
            assertEquals(
                    ErrorCode.NO_SLOT,
                    assertThrows(CuframesException.class, () -> subscriber.next(Duration.ZERO))
                            .code());
        }
    }

    private static void hold(Publisher publisher, Subscriber subscriber, FramePattern pattern, Frame[] held) {
        for (int i = 0; i < held.length; i++) {
            publish(publisher, pattern, i);
            held[i] = subscriber.next(PATIENCE);
            assertNotNull(held[i]);
        }
    }

    /** Both threads begin at the same time, as far as they are told of it, and go through the frames side by side. */
    private static void closeTogether(Frame[] frames, AtomicInteger ready) {
        ready.incrementAndGet();
        while (ready.get() < 2) {
            Thread.onSpinWait();
        }
        for (Frame frame : frames) {
            frame.close();
        }
    }

    @Test
    void framesMayBeReadAndClosedOnOtherThreads() throws Exception {
        int workers = 3;
        AtomicBoolean done = new AtomicBoolean();
        AtomicBoolean allTaken = new AtomicBoolean();
        BlockingQueue<Frame> handed = new ArrayBlockingQueue<>(16);
        AtomicLong read = new AtomicLong();
        try (Publisher publisher = publisher().slots(8).open();
                Subscriber subscriber = subscriber().open()) {
            FramePattern pattern = new FramePattern(publisher.format());
            for (int i = 0; i < workers; i++) {
                start(() -> {
                    while (!allTaken.get() || !handed.isEmpty()) {
                        Frame frame = handed.poll();
                        if (frame == null) {
                            Thread.onSpinWait();
                            continue;
                        }
                        assertEquals(-1, pattern.firstFault(frame, frame.ptsNanos()));
                        frame.close();
                        read.incrementAndGet();
                    }
                });
            }
            start(() -> {
                for (int i = 1; i <= 3000; i++) {
                    publish(publisher, pattern, i);
                }
                done.set(true);
            });
            long taken = 0;
            while (!done.get()) {
                if (taken - read.get() < 6) { // as many as it may hold
                    Frame frame = subscriber.next(Duration.ofMillis(10));
                    if (frame != null) {
                        taken++;
                        handed.add(frame);
                    }
                }
            }
            allTaken.set(true);
            join();
            assertEquals(taken, read.get());
            assertEquals(subscriber.received(), taken);
        }
    }

    @Test
    void countersMayBeReadWhileAnotherThreadPublishesAndOneReads() throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        try (Publisher publisher = publisher().open();
                Subscriber subscriber = subscriber().open()) {
            start(() -> {
                FramePattern pattern = new FramePattern(publisher.format());
                for (int i = 1; i <= 3000; i++) {
                    publish(publisher, pattern, i);
                }
                done.set(true);
            });
            start(() -> {
                while (!done.get()) {
                    try (Frame frame = subscriber.next(Duration.ofMillis(10))) {
                        assertTrue(frame == null || frame.seq() > 0);
                    }
                }
            });
            long last = 0;
            while (!done.get()) {
                long received = subscriber.received();
                long announced = publisher.announced();
                long published = publisher.published();
                assertTrue(last <= announced && announced <= published, last + " " + announced + " " + published);
                assertTrue(received <= published, received + " of " + published);
                assertTrue(subscriber.missed() <= publisher.published());
                assertEquals(0, publisher.dropped());
                assertEquals(1, publisher.subscribers());
                assertTrue(publisher.describe().contains("HOST"));
                last = announced;
            }
            join();
            assertEquals(3000, publisher.published());
        }
    }

    @Test
    void aSubscriberMayBeClosedWhileOtherThreadsWaitCopyAndRead() throws Exception {
        List<String> mappings = StreamFixture.mappings();
        try (Publisher publisher = publisher().open()) {
            FramePattern pattern = new FramePattern(publisher.format());
            for (int round = 0; round < 10; round++) {
                Subscriber subscriber = subscriber().open();
                AtomicLong frames = new AtomicLong();
                start(() -> {
                    String said = assertThrows(IllegalStateException.class, () -> readForEver(subscriber, frames))
                            .getMessage();
                    assertTrue(said.contains("\"" + stream.key() + "\" is closed"), said);
                });
                while (frames.get() <= round % 5) { // another moment each time
                    publish(publisher, pattern, publisher.published() + 1);
                }
                for (int i = 0; i < 3; i++) {
                    start(subscriber::close);
                }
                join();
            }
        }
        assertEquals(mappings, StreamFixture.mappings());
    }

    private static void readForEver(Subscriber subscriber, AtomicLong frames) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(subscriber.format().frameBytes());
            while (true) {
                try (Frame frame = subscriber.next(PATIENCE)) {
                    if (frame != null) {
                        frames.incrementAndGet();
                        frame.copyTo(copy);
                        readInPlace(frame.plane(0).segment());
                    }
                }
            }
        }
    }

    /** What is read in place ends under the reader, with an exception. */
    private static void readInPlace(MemorySegment luma) {
        try {
            assertTrue(luma.mismatch(luma.asSlice(1)) >= 0);
        } catch (IllegalStateException e) {
            assertFalse(luma.scope().isAlive());
        }
    }

    @Test
    void aPublisherMayBeClosedByAnotherThreadOnceItsWriterStopped() throws Exception {
        for (int round = 0; round < 10; round++) {
            Publisher publisher = publisher().slots(32).open();
            try (Subscriber subscriber =
                    subscriber().mode(SubscriberMode.STRICT_ORDER).open()) {
                while (publisher.subscribers() == 0) {
                    Thread.onSpinWait();
                }
                start(() -> {
                    FramePattern pattern = new FramePattern(publisher.format());
                    for (int i = 1; i <= 20; i++) {
                        publish(publisher, pattern, i);
                    }
                });
                join();
                start(publisher::close);
                start(publisher::close);
                for (int i = 1; i <= 20; i++) {
                    try (Frame frame = subscriber.next(PATIENCE)) {
                        assertEquals(i, frame.seq());
                    }
                }
                PublisherGoneException gone =
                        assertThrows(PublisherGoneException.class, () -> subscriber.next(PATIENCE));
                assertEquals(PublisherGoneException.Reason.ENDED, gone.reason());
                join();
                assertEquals(List.of(), stream.remains());
            }
        }
    }

    @Test
    void accessorsAnswerAfterTheClose() {
        Publisher publisher = publisher().open();
        Subscriber subscriber = subscriber().open();
        publish(publisher, new FramePattern(publisher.format()), 1);
        subscriber.next(PATIENCE).close();
        subscriber.close();
        publisher.close();
        assertEquals(1, publisher.published());
        assertEquals(0, publisher.dropped());
        assertEquals(stream.key(), publisher.key());
        assertEquals(Ownership.LIBRARY, publisher.ownership());
        assertEquals(0, publisher.stream());
        assertNotNull(publisher.describe());
        assertThrows(IllegalStateException.class, publisher::announced);
        assertEquals(1, subscriber.received());
        assertEquals(0, subscriber.missed());
        assertEquals(0, subscriber.timeouts());
        assertEquals(publisher.epoch(), subscriber.epoch());
        assertEquals(publisher.format(), subscriber.format());
        assertEquals(Ownership.LIBRARY, subscriber.ownership());
    }
}
