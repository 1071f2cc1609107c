// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.Child;
import io.cuframes.testing.FakePublisher;
import io.cuframes.testing.FramePattern;
import io.cuframes.testing.PublisherProcess;
import io.cuframes.testing.StreamFixture;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Frames for reactive receivers: what the rules of Reactive Streams do not say, see {@link FramePublisherRulesTest} for those. */
class FramePublisherTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final StreamFixture stream = new StreamFixture();
    private final List<Child> children = new ArrayList<>();
    private final BlockingQueue<Throwable> uncaught = new LinkedBlockingQueue<>();
    private final Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
    private final List<String> mappings = StreamFixture.mappings();
    private final List<String> descriptors = StreamFixture.descriptors();

    /** Takes what is asked for, and keeps it. */
    private static class Receiver implements Flow.Subscriber<Frame> {
        final BlockingQueue<Object> signals = new LinkedBlockingQueue<>();
        volatile Flow.Subscription subscription;

        @Override
        public void onSubscribe(Flow.Subscription given) {
            subscription = given;
            signals.add("subscribed");
        }

        @Override
        public void onNext(Frame frame) {
            signals.add(frame);
        }

        @Override
        public void onError(Throwable failure) {
            signals.add(failure);
        }

        @Override
        public void onComplete() {
            signals.add("complete");
        }

        Object signal() throws InterruptedException {
            return signals.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }

        Frame frame() throws InterruptedException {
            return (Frame) signal();
        }

        /** Subscribes, and returns once that is known. */
        Receiver to(Flow.Publisher<Frame> frames) throws InterruptedException {
            frames.subscribe(this);
            assertEquals("subscribed", signal());
            return this;
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

    private Publisher publisher(int slots) {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .size(64, 48)
                .slots(slots)
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

    private static int freeSlots(Publisher publisher) {
        List<WritableFrame> taken = new ArrayList<>();
        for (WritableFrame frame = publisher.acquire(); frame != null; frame = publisher.acquire()) {
            taken.add(frame);
        }
        taken.forEach(WritableFrame::close);
        return taken.size();
    }

    private static void await(String what, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - deadline < 0, what);
            Thread.sleep(1);
        }
    }

    private boolean isReaderThere() {
        return Thread.getAllStackTraces().keySet().stream()
                .anyMatch(thread -> thread.getName().equals("cuframes-" + stream.key() + "-reader"));
    }

    private void assertNothingIsLeft() throws InterruptedException {
        await("a thread is left", () -> !isReaderThere());
        assertEquals(mappings, StreamFixture.mappings());
        assertEquals(descriptors, StreamFixture.descriptors());
    }

    @Test
    void noFrameIsLeasedThatWasNotRequested() throws InterruptedException {
        try (Publisher publisher = publisher(6)) {
            Receiver receiver = new Receiver().to(subscriber().toFlowPublisher());
            await("not connected", () -> publisher.subscribers() == 1);
            for (int i = 0; i < 4; i++) {
                publish(publisher);
            }
            receiver.subscription.request(2);
            try (Frame first = receiver.frame();
                    Frame second = receiver.frame()) {
                assertEquals(List.of(1L, 2L), List.of(first.seq(), second.seq()));
                assertNull(receiver.signals.poll(200, TimeUnit.MILLISECONDS));
                assertEquals(4, freeSlots(publisher), "leased: what was requested, and no more");
            }
            receiver.subscription.cancel();
        }
        assertNothingIsLeft();
    }

    @Test
    void aReceiverThatHoldsAllItMayGetsTheNextWhenItClosesOne() throws InterruptedException {
        try (Publisher publisher = publisher(6)) { // four leases for each
            Receiver receiver = new Receiver().to(subscriber().toFlowPublisher());
            await("not connected", () -> publisher.subscribers() == 1);
            receiver.subscription.request(Long.MAX_VALUE);
            receiver.subscription.request(Long.MAX_VALUE); // more than can be counted is no limit
            List<Frame> held = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                publish(publisher);
                held.add(receiver.frame());
            }
            publish(publisher);
            assertNull(receiver.signals.poll(200, TimeUnit.MILLISECONDS));
            held.get(2).close();
            try (Frame next = receiver.frame()) {
                assertEquals(5, next.seq());
            }
            receiver.subscription.cancel();
            await("the thread goes on", () -> !isReaderThere());
            for (int i : List.of(0, 1, 3)) {
                assertEquals(-1, new FramePattern(publisher.format()).firstFault(held.get(i), i + 1L), "still whole");
                held.get(i).close();
            }
        }
        assertNothingIsLeft();
    }

    @Test
    void aFullReceiverCanCancelAndTheStreamCanEnd() throws InterruptedException {
        for (boolean cancel : List.of(true, false)) {
            Publisher publisher = publisher(3); // one lease for each
            Receiver receiver = new Receiver().to(subscriber().toFlowPublisher());
            await("not connected", () -> publisher.subscribers() == 1);
            receiver.subscription.request(10);
            publish(publisher);
            Frame held = receiver.frame();
            if (cancel) {
                receiver.subscription.cancel();
            } else {
                publisher.close();
                assertEquals("complete", receiver.signal());
            }
            await("the thread goes on", () -> !isReaderThere());
            assertEquals(-1, new FramePattern(held.format()).firstFault(held, 1));
            publisher.close();
            held.close();
            assertNull(receiver.signals.poll());
            assertNothingIsLeft();
        }
    }

    @Test
    void theEndComesAfterTheLastFrameAndWithoutDemand() throws InterruptedException {
        Publisher publisher = publisher(6);
        Receiver receiver = new Receiver().to(subscriber().toFlowPublisher());
        await("not connected", () -> publisher.subscribers() == 1);
        publish(publisher);
        publish(publisher);
        publisher.close();
        assertNull(receiver.signals.poll(200, TimeUnit.MILLISECONDS), "two frames are left");
        receiver.subscription.request(2);
        receiver.frame().close();
        receiver.frame().close();
        assertEquals("complete", receiver.signal());
        receiver.subscription.request(1);
        receiver.subscription.request(-1);
        receiver.subscription.cancel();
        assertNull(receiver.signals.poll(100, TimeUnit.MILLISECONDS));
        assertNothingIsLeft();
    }

    @Test
    void aDeadPublisherIsAnErrorAndItsFramesAreTheReceiversStill() throws InterruptedException {
        Child publisher = process();
        Receiver receiver = new Receiver().to(subscriber().toFlowPublisher());
        await("not connected", () -> publisher.ask("stats").startsWith("stats 1"));
        receiver.subscription.request(5);
        publisher.ask("publish 1");
        Frame held = receiver.frame();
        publisher.kill();
        PublisherGoneException gone = (PublisherGoneException) receiver.signal();
        assertEquals(PublisherGoneException.Reason.DIED, gone.reason());
        await("the thread goes on", () -> !isReaderThere());
        assertFalse(mappings.equals(StreamFixture.mappings()));
        assertEquals(-1, new FramePattern(held.format()).firstFault(held, 1));
        held.close();
        assertNothingIsLeft();
    }

    @Test
    void thatThereIsNoPublisherIsToldAfterTheSubscription() throws InterruptedException {
        Receiver receiver = new Receiver()
                .to(subscriber().connectTimeout(Duration.ofMillis(1)).toFlowPublisher());
        assertEquals(ErrorCode.NOT_FOUND, ((CuframesException) receiver.signal()).code());
        assertNothingIsLeft();
    }

    @Test
    void aReceiverMayCancelWhileItIsBeingConnected() throws InterruptedException {
        Flow.Publisher<Frame> frames =
                subscriber().connectTimeout(Duration.ofMinutes(1)).toFlowPublisher();
        Receiver waiting = new Receiver().to(frames);
        waiting.subscription.cancel();
        await("it goes on waiting for a publisher", () -> !isReaderThere());
        try (FakePublisher silent = new FakePublisher(stream)) {
            Receiver greeting = new Receiver().to(frames);
            try (FakePublisher.Guest guest = silent.accept()) {
                greeting.subscription.cancel();
                guest.awaitEnd();
            }
            await("it goes on with the handshake", () -> !isReaderThere());
            assertNull(greeting.signals.poll());
        }
        assertNull(waiting.signals.poll());
        assertNothingIsLeft();
    }

    @Test
    void anEndlessViewFollowsThePublishers() throws InterruptedException {
        Child first = process();
        Receiver receiver = new Receiver()
                .to(subscriber().reconnect(Backoff.every(Duration.ofMillis(10))).toFlowPublisher());
        receiver.subscription.request(Long.MAX_VALUE);
        await("not connected", () -> first.ask("stats").startsWith("stats 1"));
        first.ask("publish 1");
        Frame held = receiver.frame();
        first.kill();
        try (Publisher second = publisher(4)) {
            publish(second);
            try (Frame frame = receiver.frame()) {
                assertEquals(second.epoch(), frame.epoch());
                assertFalse(held.epoch() == frame.epoch());
                assertEquals(-1, new FramePattern(held.format()).firstFault(held, 1));
            }
            receiver.subscription.cancel();
            held.close();
        }
        assertNothingIsLeft();
    }

    @Test
    void everyReceiverHasAConnectionOfItsOwn() throws InterruptedException {
        try (Publisher publisher = publisher(6)) {
            Flow.Publisher<Frame> frames = subscriber().toFlowPublisher();
            Receiver one = new Receiver().to(frames);
            Receiver two = new Receiver().to(frames);
            await("not connected", () -> publisher.subscribers() == 2);
            one.subscription.request(1);
            two.subscription.request(1);
            publish(publisher);
            try (Frame first = one.frame();
                    Frame second = two.frame()) {
                assertEquals(first.seq(), second.seq());
            }
            one.subscription.cancel();
            await("not disconnected", () -> publisher.subscribers() == 1);
            two.subscription.request(1);
            publish(publisher);
            two.frame().close();
            two.subscription.cancel();
        }
        assertNothingIsLeft();
    }

    @Test
    void anOnNextThatThrowsCancelsAndItsFrameIsClosed() throws InterruptedException {
        RuntimeException thrown = new RuntimeException("a bug of the receiver");
        Receiver receiver = new Receiver() {
            @Override
            public void onNext(Frame frame) {
                super.onNext(frame);
                throw thrown;
            }
        };
        try (Publisher publisher = publisher(6)) {
            receiver.to(subscriber().toFlowPublisher());
            receiver.subscription.request(2);
            await("not connected", () -> publisher.subscribers() == 1);
            publish(publisher);
            publish(publisher);
            Frame frame = receiver.frame();
            assertSame(thrown, uncaught.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS));
            assertThrows(IllegalStateException.class, frame::seq);
            await("not disconnected", () -> publisher.subscribers() == 0);
            assertNull(receiver.signals.poll());
        }
        assertNothingIsLeft();
    }

    @Test
    void aReceiverMayCancelAndCloseFromOnNextAndLeaveAnInterrupt() throws InterruptedException {
        Receiver receiver = new Receiver() {
            @Override
            public void onNext(Frame frame) {
                try (frame) {
                    signals.add(frame.seq());
                    Thread.currentThread().interrupt();
                    if (frame.seq() == 3) {
                        subscription.cancel();
                    }
                }
            }
        };
        try (Publisher publisher = publisher(6)) {
            receiver.to(subscriber().toFlowPublisher());
            receiver.subscription.request(10);
            await("not connected", () -> publisher.subscribers() == 1);
            for (long seq = 1; seq <= 3; seq++) {
                publish(publisher);
                assertEquals(seq, receiver.signal());
            }
            await("not disconnected", () -> publisher.subscribers() == 0);
            publish(publisher);
            assertNull(receiver.signals.poll(100, TimeUnit.MILLISECONDS));
        }
        assertNothingIsLeft();
    }

    @Test
    void aRequestOfNothingIsAnErrorAlsoWhileAFrameIsAwaited() throws InterruptedException {
        try (Publisher publisher = publisher(6)) {
            Receiver receiver = new Receiver().to(subscriber().toFlowPublisher());
            receiver.subscription.request(1);
            await("not connected", () -> publisher.subscribers() == 1);
            receiver.subscription.request(0);
            IllegalArgumentException illegal = (IllegalArgumentException) receiver.signal();
            assertTrue(illegal.getMessage().contains("requested 0 frames"), illegal.getMessage());
            await("not disconnected", () -> publisher.subscribers() == 0);
        }
        assertNothingIsLeft();
    }

    @Test
    void settingsThatCannotBeAreRefusedAtOnce() {
        assertThrows(
                NullPointerException.class, () -> subscriber().toFlowPublisher().subscribe(null));
        Subscriber.Builder badName = subscriber().name("\n");
        assertEquals(
                ErrorCode.INVALID_ARGUMENT,
                assertThrows(CuframesException.class, badName::toFlowPublisher).code());
    }
}
