// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.Child;
import io.cuframes.testing.FramePattern;
import io.cuframes.testing.PublisherProcess;
import io.cuframes.testing.StreamFixture;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Frames handed to a handler by a thread of the subscriber's own. */
class AsyncSubscriberTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final StreamFixture stream = new StreamFixture();
    private final List<Child> children = new ArrayList<>();
    private final BlockingQueue<Throwable> uncaught = new LinkedBlockingQueue<>();
    private final Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
    private final List<String> mappings = StreamFixture.mappings();
    private final List<String> descriptors = StreamFixture.descriptors();

    /** What a handler is called with, in order. */
    private static class Recorder implements FrameHandler {
        final BlockingQueue<Object> calls = new LinkedBlockingQueue<>();
        volatile Thread thread;

        @Override
        public void onFrame(Frame frame) throws Exception {
            thread = Thread.currentThread();
            calls.add(frame.seq());
        }

        @Override
        public void onError(Throwable failure) {
            calls.add(failure);
        }

        @Override
        public void onEnd() {
            calls.add("end");
        }

        Object call() throws InterruptedException {
            return calls.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
    }

    @BeforeEach
    void collectUncaught() {
        Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> uncaught.add(failure));
    }

    @AfterEach
    void cleanUp() {
        Thread.setDefaultUncaughtExceptionHandler(before);
        children.forEach(Child::close);
        stream.close();
        assertEquals(List.of(), List.copyOf(uncaught));
    }

    private Publisher publisher() {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .size(64, 48)
                .slots(4)
                .open();
    }

    private Child process() {
        Child child = Child.start(PublisherProcess.class, stream.key(), stream.directory(), Transport.HOST, 4, 64, 48);
        children.add(child);
        assertEquals("ready HOST", child.answer());
        return child;
    }

    private Subscriber.Builder subscriber() {
        return Subscriber.builder(stream.key())
                .socketDirectory(stream.directory())
                .mode(SubscriberMode.STRICT_ORDER);
    }

    private static void publish(Publisher publisher) {
        try (WritableFrame frame = publisher.acquire()) {
            new FramePattern(publisher.format()).write(frame, publisher.published() + 1);
            frame.publish(0);
        }
    }

    private void assertNothingIsLeft() {
        assertEquals(mappings, StreamFixture.mappings());
        assertEquals(descriptors, StreamFixture.descriptors());
    }

    @Test
    void everyFrameIsHandedOnInOrderByOneThreadAndClosedAfter() throws InterruptedException {
        List<Frame> seen = new ArrayList<>();
        Recorder recorder = new Recorder() {
            @Override
            public void onFrame(Frame frame) throws Exception {
                assertEquals(-1, new FramePattern(frame.format()).firstFault(frame, frame.seq()));
                seen.add(frame);
                super.onFrame(frame);
            }
        };
        try (Publisher publisher = publisher();
                AsyncSubscriber frames = subscriber().start(recorder)) {
            for (long seq = 1; seq <= 3; seq++) {
                publish(publisher);
                assertEquals(seq, recorder.call());
            }
            publish(publisher); // while this is handled, the one before is closed
            assertEquals(4L, recorder.call());
            assertThrows(IllegalStateException.class, () -> seen.get(2).seq());
            assertEquals("cuframes-" + stream.key() + "-reader", recorder.thread.getName());
            assertTrue(recorder.thread.isDaemon());
            assertTrue(frames.isRunning());
            assertEquals(4, frames.subscriber().received());
            assertFalse(frames.awaitEnd(Duration.ZERO));
        }
        assertEquals(List.of(), List.copyOf(recorder.calls));
        assertNothingIsLeft();
    }

    @Test
    void theEndOfTheStreamComesOnceAfterTheLastFrameAndWhenEverythingIsLetGo() throws InterruptedException {
        AtomicReference<List<String>> mapped = new AtomicReference<>();
        Recorder recorder = new Recorder() {
            @Override
            public void onEnd() {
                mapped.set(StreamFixture.mappings());
                super.onEnd();
            }
        };
        Child publisher = process();
        try (AsyncSubscriber frames = subscriber().start(recorder)) {
            publisher.ask("publish 2");
            publisher.tell("close");
            assertEquals(List.of(1L, 2L, "end"), List.of(recorder.call(), recorder.call(), recorder.call()));
            assertTrue(frames.awaitEnd(PATIENCE));
            assertFalse(frames.isRunning());
            assertEquals(mappings, mapped.get());
            assertNothingIsLeft();
        }
        assertEquals(List.of(), List.copyOf(recorder.calls));
    }

    @Test
    void aDeadPublisherIsAnErrorOnce() throws InterruptedException {
        Child publisher = process();
        Recorder recorder = new Recorder();
        try (AsyncSubscriber frames = subscriber().start(recorder)) {
            publisher.ask("publish 1");
            assertEquals(1L, recorder.call());
            publisher.kill();
            PublisherGoneException gone = (PublisherGoneException) recorder.call();
            assertEquals(PublisherGoneException.Reason.DIED, gone.reason());
            assertTrue(frames.awaitEnd(PATIENCE));
        }
        assertEquals(List.of(), List.copyOf(recorder.calls));
        assertNothingIsLeft();
    }

    @Test
    void whatTheHandlerThrowsEndsTheSubscriptionAndComesBackOnce() throws InterruptedException {
        for (Throwable thrown : List.of(new IOException("disk full"), new AssertionError("a bug"))) {
            List<Frame> seen = new ArrayList<>();
            Recorder recorder = new Recorder() {
                @Override
                public void onFrame(Frame frame) throws Exception {
                    seen.add(frame);
                    if (thrown instanceof Exception exception) {
                        throw exception;
                    }
                    throw (Error) thrown;
                }
            };
            try (Publisher publisher = publisher()) {
                AsyncSubscriber frames = subscriber().start(recorder);
                publish(publisher);
                assertSame(thrown, recorder.call());
                publish(publisher);
                assertTrue(frames.awaitEnd(PATIENCE));
                assertThrows(IllegalStateException.class, () -> seen.getFirst().seq());
                assertEquals(1, seen.size());
                assertFalse(frames.isRunning());
                frames.close();
            }
            assertEquals(List.of(), List.copyOf(recorder.calls));
            assertNothingIsLeft();
        }
    }

    @Test
    void whatOnErrorThrowsAndWhatNobodyHandlesGoesToTheUncaughtHandler() throws InterruptedException {
        IOException first = new IOException("first");
        Error second = new AssertionError("second");
        try (Publisher publisher = publisher();
                AsyncSubscriber silent = subscriber().start(frame -> {
                    throw first;
                });
                AsyncSubscriber loud = subscriber().start(new FrameHandler() {
                    @Override
                    public void onFrame(Frame frame) throws Exception {
                        throw first;
                    }

                    @Override
                    public void onError(Throwable failure) {
                        throw second;
                    }
                })) {
            publish(publisher);
            assertTrue(silent.awaitEnd(PATIENCE));
            assertTrue(loud.awaitEnd(PATIENCE));
            assertEquals(2, uncaught.size());
            assertTrue(uncaught.removeAll(List.of(first, second)));
        }
        assertNothingIsLeft();
    }

    @Test
    void closeWaitsForTheHandlerWhichIsNotCalledAgain() throws InterruptedException {
        CountDownLatch entered = new CountDownLatch(1);
        CountDownLatch leave = new CountDownLatch(1);
        Recorder recorder = new Recorder() {
            @Override
            public void onFrame(Frame frame) throws Exception {
                entered.countDown();
                leave.await();
                super.onFrame(frame); // still open
            }
        };
        try (Publisher publisher = publisher()) {
            AsyncSubscriber frames = subscriber().start(recorder);
            publish(publisher);
            publish(publisher);
            entered.await();
            Thread closer = Thread.ofPlatform().start(frames::close);
            assertFalse(closer.join(Duration.ofMillis(200)), "it waits");
            leave.countDown();
            assertTrue(closer.join(PATIENCE));
            assertTrue(frames.awaitEnd(Duration.ZERO));
            assertEquals(1L, recorder.call());
            frames.close();
        }
        assertEquals(List.of(), List.copyOf(recorder.calls));
        assertNothingIsLeft();
    }

    @Test
    void theHandlerMayClose() throws InterruptedException {
        AtomicReference<AsyncSubscriber> self = new AtomicReference<>();
        CountDownLatch started = new CountDownLatch(1);
        List<Throwable> waiting = new ArrayList<>();
        Recorder recorder = new Recorder() {
            @Override
            public void onFrame(Frame frame) throws Exception {
                started.await();
                waiting.add(assertThrows(
                        IllegalStateException.class, () -> self.get().awaitEnd(PATIENCE)));
                self.get().close();
                assertEquals(-1, new FramePattern(frame.format()).firstFault(frame, 1)); // its frame stays
                super.onFrame(frame);
            }
        };
        try (Publisher publisher = publisher()) {
            self.set(subscriber().start(recorder));
            started.countDown();
            publish(publisher);
            publish(publisher);
            assertTrue(self.get().awaitEnd(PATIENCE));
            assertEquals(List.of(1L), List.copyOf(recorder.calls));
            assertEquals(1, waiting.size());
        }
        assertNothingIsLeft();
    }

    @Test
    void whatTheHandlerThrowsAfterCloseIsNotLost() throws InterruptedException {
        RuntimeException late = new RuntimeException("late");
        AtomicReference<AsyncSubscriber> self = new AtomicReference<>();
        CountDownLatch started = new CountDownLatch(1);
        Recorder recorder = new Recorder() {
            @Override
            public void onFrame(Frame frame) throws Exception {
                started.await();
                self.get().close();
                throw late;
            }
        };
        try (Publisher publisher = publisher()) {
            self.set(subscriber().start(recorder));
            started.countDown();
            publish(publisher);
            assertTrue(self.get().awaitEnd(PATIENCE));
        }
        assertSame(late, uncaught.poll());
        assertEquals(List.of(), List.copyOf(recorder.calls));
        assertNothingIsLeft();
    }

    @Test
    void closeEndsTheWaitForAFrameAndForAPublisher() {
        Recorder recorder = new Recorder();
        Publisher publisher = publisher();
        AsyncSubscriber frames = subscriber().start(recorder);
        AsyncSubscriber searching =
                subscriber().reconnect(Backoff.every(Duration.ofMinutes(1))).start(recorder);
        frames.close();
        publisher.close();
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (searching.subscriber().isConnected() && System.nanoTime() - deadline < 0) {
            Thread.onSpinWait();
        }
        assertFalse(searching.subscriber().isConnected());
        searching.close();
        assertEquals(List.of(), List.copyOf(recorder.calls));
        assertNothingIsLeft();
    }

    @Test
    void aCloserThatIsInterruptedDoesNotWaitAndNothingIsLeftAllTheSame() throws InterruptedException {
        CountDownLatch entered = new CountDownLatch(1);
        CountDownLatch leave = new CountDownLatch(1);
        try (Publisher publisher = publisher()) {
            AsyncSubscriber frames = subscriber().start(frame -> {
                entered.countDown();
                leave.await();
                assertEquals(-1, new FramePattern(frame.format()).firstFault(frame, 1));
            });
            publish(publisher);
            entered.await();
            Thread.currentThread().interrupt();
            frames.close();
            assertTrue(Thread.interrupted());
            leave.countDown();
            assertTrue(frames.awaitEnd(PATIENCE));
        }
        assertNothingIsLeft();
    }

    @Test
    void anInterruptThatTheHandlerLeavesBehindChangesNothing() throws InterruptedException {
        Recorder recorder = new Recorder() {
            @Override
            public void onFrame(Frame frame) throws Exception {
                assertFalse(Thread.currentThread().isInterrupted());
                super.onFrame(frame);
                Thread.currentThread().interrupt();
            }
        };
        try (Publisher publisher = publisher();
                AsyncSubscriber frames = subscriber().start(recorder)) {
            publish(publisher);
            assertEquals(1L, recorder.call());
            publish(publisher);
            assertEquals(2L, recorder.call());
            assertTrue(frames.isRunning());
        }
    }

    @Test
    void aSubscriberThatReconnectsGoesOnWithTheNextPublisher() throws InterruptedException {
        Recorder recorder = new Recorder();
        Child first = process();
        try (AsyncSubscriber frames =
                subscriber().reconnect(Backoff.every(Duration.ofMillis(10))).start(recorder)) {
            long epoch = frames.subscriber().epoch();
            first.ask("publish 1");
            assertEquals(1L, recorder.call());
            first.tell("close");
            first.awaitExit();
            try (Publisher second = publisher()) {
                publish(second);
                assertEquals(1L, recorder.call());
                assertNotEquals(epoch, frames.subscriber().epoch());
                assertEquals(1, frames.subscriber().reconnects());
                assertEquals(2, frames.subscriber().received());
            }
        }
        assertEquals(List.of(), List.copyOf(recorder.calls));
        assertNothingIsLeft();
    }

    @Test
    void givingUpIsAnErrorAlsoWhenThePublisherEndedInOrder() throws InterruptedException {
        Recorder recorder = new Recorder();
        Publisher publisher = publisher();
        try (AsyncSubscriber frames = subscriber()
                .reconnect(Backoff.every(Duration.ofMillis(1)).giveUpAfter(2))
                .start(recorder)) {
            publisher.close();
            PublisherGoneException gone = (PublisherGoneException) recorder.call();
            assertTrue(gone.getMessage().contains("given up after 2 attempts"), gone::toString);
            assertTrue(frames.awaitEnd(PATIENCE));
        }
        assertNothingIsLeft();
    }

    @Test
    void aHandlerMayEndTheLeaseItself() throws InterruptedException {
        Recorder recorder = new Recorder() {
            @Override
            public void onFrame(Frame frame) throws Exception {
                super.onFrame(frame);
                if (frame.seq() % 2 == 0) {
                    frame.close();
                } else {
                    frame.closeOn(0);
                }
            }
        };
        try (Publisher publisher = publisher();
                AsyncSubscriber frames = subscriber().start(recorder)) {
            for (long seq = 1; seq <= 20; seq++) {
                publish(publisher);
                assertEquals(seq, recorder.call());
            }
            assertEquals(0, publisher.dropped());
            assertEquals(20, frames.subscriber().received());
        }
    }

    @Test
    void whatKeepsItFromConnectingIsThrownAndTheHandlerIsNotCalled() {
        Recorder recorder = new Recorder();
        CuframesException absent = assertThrows(
                CuframesException.class,
                () -> subscriber().connectTimeout(Duration.ZERO).start(recorder));
        assertEquals(ErrorCode.NOT_FOUND, absent.code());
        assertThrows(NullPointerException.class, () -> subscriber().start(null));
        assertEquals(List.of(), List.copyOf(recorder.calls));
        assertNothingIsLeft();
    }

    @Test
    void nobodyElseTakesFramesAndClosingTheSubscriberStopsTheHandler() throws InterruptedException {
        Recorder recorder = new Recorder();
        try (Publisher publisher = publisher()) {
            AsyncSubscriber frames = subscriber().start(recorder);
            IllegalStateException refused = assertThrows(
                    IllegalStateException.class, () -> frames.subscriber().next(Duration.ZERO));
            assertTrue(refused.getMessage().contains("go to its handler"), refused.getMessage());
            frames.subscriber().close();
            assertTrue(frames.awaitEnd(PATIENCE));
            assertNull(recorder.calls.poll());
            assertEquals(0, publisher.published());
        }
        assertNothingIsLeft();
    }
}
