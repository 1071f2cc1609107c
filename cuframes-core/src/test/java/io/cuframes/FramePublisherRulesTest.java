// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.FramePattern;
import io.cuframes.testing.StreamFixture;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Flow;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.reactivestreams.tck.TestEnvironment;
import org.reactivestreams.tck.flow.FlowPublisherVerification;

/** The rules of Reactive Streams for publishers, by the specification's own test kit: one test for each rule that can be tested. */
class FramePublisherRulesTest {
    @TestFactory
    Stream<DynamicTest> rules() {
        return Arrays.stream(FlowPublisherVerification.class.getMethods())
                .filter(method -> method.isAnnotationPresent(org.testng.annotations.Test.class))
                .filter(method -> !method.getName().startsWith("untested"))
                .filter(method ->
                        !method.getName().contains("spec111")) // several receivers: each has frames of its own
                .sorted(Comparator.comparing(Method::getName))
                .map(rule -> DynamicTest.dynamicTest(rule.getName(), () -> verify(rule)));
    }

    private static void verify(Method rule) throws Throwable {
        try (Cameras cameras = new Cameras()) {
            Verification verification = new Verification(cameras);
            verification.setUp();
            rule.invoke(verification);
        } catch (InvocationTargetException e) {
            throw e.getCause(); // also of a rule that the kit skips: none is
        }
    }

    private static final class Verification extends FlowPublisherVerification<Frame> {
        /**
         * For a signal that must come, generous since machines are busy; for one that must not; and between looks, in milliseconds. The kit (1.0.4) looks
         * only once for an error, after the last of these: it counts the time that is left with a wrong sign.
         */
        private static final TestEnvironment TIMES = new TestEnvironment(5000, 100, 1000);

        private static final long COLLECTION_MILLIS = 2000;

        private final Cameras cameras;

        Verification(Cameras cameras) {
            super(TIMES, COLLECTION_MILLIS);
            this.cameras = cameras;
        }

        @Override
        public Flow.Publisher<Frame> createFlowPublisher(long frames) {
            return cameras.start(frames);
        }

        @Override
        public Flow.Publisher<Frame> createFailedFlowPublisher() {
            return cameras.absent();
        }
    }

    /** Publishers that each have so many frames for the first who connects. */
    private static final class Cameras implements AutoCloseable {
        private static final long FRAME_NANOS = 100_000;

        private final List<Thread> threads = new ArrayList<>();
        private final List<StreamFixture> streams = new ArrayList<>();

        Flow.Publisher<Frame> absent() {
            StreamFixture stream = new StreamFixture();
            streams.add(stream);
            Flow.Publisher<Frame> frames = Subscriber.builder(stream.key())
                    .socketDirectory(stream.directory())
                    .mode(SubscriberMode.STRICT_ORDER)
                    .connectTimeout(Duration.ofMillis(100))
                    .toFlowPublisher();
            return receiver -> frames.subscribe(receiver == null ? null : new Closing(receiver)); // null is a rule, too
        }

        Flow.Publisher<Frame> start(long count) {
            Flow.Publisher<Frame> frames = absent();
            StreamFixture stream = streams.getLast();
            Publisher publisher = Publisher.builder(stream.key())
                    .socketDirectory(stream.directory())
                    .transport(Transport.HOST)
                    .size(16, 16)
                    .slots(64) // more than any rule wants at a time, so that none is lost
                    .open();
            threads.add(Thread.ofPlatform().start(() -> feed(publisher, count)));
            return frames;
        }

        private static void feed(Publisher publisher, long count) {
            try (publisher) {
                FramePattern pattern = new FramePattern(publisher.format());
                while (publisher.subscribers() == 0 && !Thread.currentThread().isInterrupted()) {
                    LockSupport.parkNanos(FRAME_NANOS);
                }
                for (long i = 0; i < count && !Thread.currentThread().isInterrupted(); i++) {
                    try (WritableFrame frame = publisher.acquire()) {
                        pattern.write(frame, i + 1);
                        frame.publish(i);
                    }
                    LockSupport.parkNanos(FRAME_NANOS);
                }
            }
        }

        @Override
        public void close() throws InterruptedException {
            threads.forEach(Thread::interrupt);
            for (Thread thread : threads) {
                thread.join();
            }
            streams.forEach(StreamFixture::close);
        }
    }

    /** The test kit's receivers close no frames. */
    private record Closing(Flow.Subscriber<? super Frame> receiver) implements Flow.Subscriber<Frame> {
        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            receiver.onSubscribe(subscription);
        }

        @Override
        public void onNext(Frame frame) {
            receiver.onNext(frame);
            frame.close();
        }

        @Override
        public void onError(Throwable failure) {
            receiver.onError(failure);
        }

        @Override
        public void onComplete() {
            receiver.onComplete();
        }
    }
}
