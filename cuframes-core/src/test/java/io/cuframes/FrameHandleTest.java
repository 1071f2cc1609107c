// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cuframes.testing.FramePattern;
import io.cuframes.testing.StreamFixture;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What holds of a frame object besides its pixels: it is closed once, and is nobody else's frame soon after. */
class FrameHandleTest {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final long STRESS_NANOS = 1_000_000_000;

    private final StreamFixture stream = new StreamFixture();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void cleanUp() {
        threads.shutdownNow();
        stream.close();
    }

    private Publisher publisher(int slots) {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .size(64, 48)
                .slots(slots)
                .maxLeases(slots)
                .open();
    }

    private Subscriber.Builder subscriber() {
        return Subscriber.builder(stream.key()).socketDirectory(stream.directory());
    }

    private static void publish(Publisher publisher, FramePattern pattern) {
        try (WritableFrame frame = publisher.acquire()) {
            if (frame != null) { // else every slot is read
                pattern.write(frame, publisher.published() + 1);
                frame.publish(0);
            }
        }
    }

    /** How many slots nobody leases. */
    private static int freeSlots(Publisher publisher) {
        List<WritableFrame> taken = new ArrayList<>();
        for (WritableFrame frame = publisher.acquire(); frame != null; frame = publisher.acquire()) {
            taken.add(frame);
        }
        taken.forEach(WritableFrame::close);
        return taken.size();
    }

    @Test
    void aClosedFrameIsNoticedWhenTheNextWasTaken() {
        try (Publisher publisher = publisher(2);
                Subscriber subscriber = subscriber().open();
                Arena arena = Arena.ofConfined()) {
            FramePattern pattern = new FramePattern(publisher.format());
            MemorySegment copy = arena.allocate(publisher.format().frameBytes());
            for (int seq = 1; seq <= 20; seq += 2) { // often enough for every handle to be given again
                publish(publisher, pattern);
                Frame closed = subscriber.next(PATIENCE);
                closed.close();
                publish(publisher, pattern);
                Frame next = subscriber.next(PATIENCE);
                assertNotSame(closed, next);

                assertThrows(IllegalStateException.class, closed::seq);
                assertThrows(IllegalStateException.class, closed::epoch);
                assertThrows(IllegalStateException.class, closed::ptsNanos);
                assertThrows(IllegalStateException.class, closed::missed);
                assertThrows(IllegalStateException.class, closed::userData);
                assertThrows(IllegalStateException.class, closed::publishTimeNanos);
                assertThrows(IllegalStateException.class, closed::captureTimeNanos);
                assertThrows(IllegalStateException.class, closed::hasCaptureTime);
                assertThrows(IllegalStateException.class, closed::isKeyFrame);
                assertThrows(IllegalStateException.class, closed::isPtsBackward);
                assertThrows(IllegalStateException.class, closed::isDamaged);
                assertThrows(IllegalStateException.class, closed::userDataLength);
                assertThrows(IllegalStateException.class, closed::format);
                assertThrows(IllegalStateException.class, closed::transport);
                assertThrows(IllegalStateException.class, closed::width);
                assertThrows(IllegalStateException.class, closed::height);
                assertThrows(IllegalStateException.class, closed::sizeBytes);
                assertThrows(IllegalStateException.class, closed::planeCount);
                assertThrows(IllegalStateException.class, closed::dlpack);
                assertThrows(IllegalStateException.class, closed::dlpackY);
                assertThrows(IllegalStateException.class, closed::dlpackUv);
                assertThrows(IllegalStateException.class, () -> closed.plane(0));
                assertThrows(IllegalStateException.class, () -> closed.copyTo(copy));
                closed.close();
                closed.closeOn(0);

                assertEquals(seq + 1, next.seq());
                assertEquals(1, freeSlots(publisher), "the lease of the other frame is what it was");
                assertEquals(-1, pattern.firstFault(next, seq + 1));
                next.close();
                assertEquals(2, freeSlots(publisher));
            }
        }
    }

    @Test
    void framesClosedTwiceOnManyThreadsEndEachLeaseOnce() {
        try (Publisher publisher = publisher(3);
                Subscriber subscriber =
                        subscriber().mode(SubscriberMode.STRICT_ORDER).open()) {
            FramePattern pattern = new FramePattern(publisher.format());
            LinkedBlockingQueue<Frame> read = new LinkedBlockingQueue<>();
            AtomicBoolean done = new AtomicBoolean();
            List<CompletableFuture<Void>> closers = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                closers.add(CompletableFuture.runAsync(() -> closeAll(read, done), threads));
            }
            long end = System.nanoTime() + STRESS_NANOS;
            while (System.nanoTime() - end < 0) {
                publish(publisher, pattern);
                Frame frame = nextOrNull(subscriber);
                if (frame != null) {
                    read.add(frame); // twice: two of the threads may close it at the same time
                    read.add(frame);
                }
            }
            done.set(true);
            closers.forEach(CompletableFuture::join);
            assertEquals(3, freeSlots(publisher), "a lease was left, or ended for another");
        }
    }

    private static Frame nextOrNull(Subscriber subscriber) {
        try {
            return subscriber.next(Duration.ZERO);
        } catch (CuframesException e) {
            assertEquals(ErrorCode.NO_SLOT, e.code());
            return null;
        }
    }

    private static void closeAll(LinkedBlockingQueue<Frame> frames, AtomicBoolean done) {
        try {
            while (!done.get() || !frames.isEmpty()) {
                Frame frame = frames.poll(1, TimeUnit.MILLISECONDS);
                if (frame != null) {
                    frame.close();
                }
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aSubscriberMayBeClosedWhileFramesAreTakenAndClosedElsewhere() {
        List<String> mappings = StreamFixture.mappings();
        try (Publisher publisher = publisher(4)) {
            List<String> published = StreamFixture.mappings();
            FramePattern pattern = new FramePattern(publisher.format());
            long end = System.nanoTime() + STRESS_NANOS;
            while (System.nanoTime() - end < 0) {
                Subscriber subscriber =
                        subscriber().waitStrategy(WaitStrategy.SPIN).open();
                LinkedBlockingQueue<Frame> read = new LinkedBlockingQueue<>();
                AtomicBoolean done = new AtomicBoolean();
                CompletableFuture<Void> reader =
                        CompletableFuture.runAsync(() -> readUntilClosed(subscriber, read), threads);
                CompletableFuture<Void> closer = CompletableFuture.runAsync(() -> closeAll(read, done), threads);
                for (int i = 0; i < 20; i++) {
                    publish(publisher, pattern);
                }
                subscriber.close();
                reader.join();
                done.set(true);
                closer.join();
                assertEquals(published, withoutControlPages(StreamFixture.mappings()));
            }
        }
        assertEquals(mappings, StreamFixture.mappings());
    }

    private static void readUntilClosed(Subscriber subscriber, LinkedBlockingQueue<Frame> read) {
        while (true) {
            try {
                Frame frame = subscriber.next(PATIENCE);
                if (frame != null) {
                    read.add(frame);
                }
            } catch (IllegalStateException e) {
                return;
            } catch (CuframesException e) {
                assertEquals(ErrorCode.NO_SLOT, e.code());
            }
        }
    }

    /** The publisher's server lets go of a subscriber's page a moment after the subscriber has. */
    private static List<String> withoutControlPages(List<String> mappings) {
        return mappings.stream().filter(line -> !line.contains("control")).toList();
    }

    @Test
    void nothingIsTakenFromASubscriberThatIsClosed() {
        try (Publisher publisher = publisher(2)) {
            Subscriber subscriber = subscriber().open();
            assertNull(subscriber.next(Duration.ZERO));
            subscriber.close();
            subscriber.close();
            publish(publisher, new FramePattern(publisher.format()));
            assertThrows(IllegalStateException.class, () -> subscriber.next(Duration.ZERO));
        }
    }
}
