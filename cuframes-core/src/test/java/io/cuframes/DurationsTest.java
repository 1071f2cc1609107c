// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.internal.os.Timeout;
import io.cuframes.testing.StreamFixture;
import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every time that a caller gives: the least, the most, and what is less than nothing. */
class DurationsTest {
    private static final Duration LEAST = Duration.ofSeconds(Long.MIN_VALUE);
    private static final Duration MOST = Duration.ofSeconds(Long.MAX_VALUE, 999_999_999);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final StreamFixture stream = new StreamFixture();

    @AfterEach
    void removeStream() {
        stream.close();
    }

    static Stream<Duration> noTime() {
        return Stream.of(
                LEAST,
                Duration.ofNanos(Long.MIN_VALUE),
                Duration.ofNanos(Long.MIN_VALUE + 1),
                Duration.ofNanos(-1),
                Duration.ZERO);
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

    private static void publish(Publisher publisher) {
        try (WritableFrame frame = publisher.acquire()) {
            frame.publish(0);
        }
    }

    @ParameterizedTest
    @MethodSource("noTime")
    void noTimeAndLessLooksOnce(Duration timeout) {
        try (Publisher publisher = publisher().open();
                Subscriber subscriber = subscriber().connectTimeout(timeout).open()) {
            assertTimeoutPreemptively(PATIENCE, () -> assertNull(subscriber.next(timeout)));
            assertEquals(1, subscriber.stats().timeouts());
            publish(publisher);
            try (Frame frame = subscriber.next(timeout)) {
                assertEquals(1, frame.seq());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("noTime")
    void noTimeAndLessTriesToConnectOnce(Duration timeout) {
        CuframesException missing = assertTimeoutPreemptively(
                PATIENCE,
                () -> assertThrows(
                        CuframesException.class,
                        () -> subscriber().connectTimeout(timeout).open()));
        assertEquals(ErrorCode.NOT_FOUND, missing.code());
        assertTrue(missing.getMessage().contains("within 0 ms"), missing.getMessage());
    }

    @ParameterizedTest
    @MethodSource("noTime")
    void aSubscriberThatReconnectsTriesOnceToo(Duration timeout) {
        Subscriber.Builder builder = subscriber().reconnect(Backoff.every(Duration.ofNanos(1)));
        Publisher publisher = publisher().open();
        try (Subscriber subscriber = builder.open()) {
            publisher.close();
            for (int i = 0; i < 3; i++) {
                assertTimeoutPreemptively(PATIENCE, () -> assertNull(subscriber.next(timeout)));
            }
            assertFalse(subscriber.isConnected());
        } finally {
            publisher.close();
        }
    }

    @Test
    void theMostIsAsLongAsItTakes() throws Exception {
        try (Publisher publisher = publisher()
                        .policy(PublishPolicy.STRICT_WAIT)
                        .waitTimeout(Duration.ofDays(365))
                        .gracePeriod(Duration.ofDays(365))
                        .open();
                Subscriber subscriber = subscriber()
                        .connectTimeout(MOST)
                        .stallAfter(MOST)
                        .reconnect(new Backoff(Duration.ZERO, 1, MOST, 3))
                        .open()) {
            Thread late = Thread.ofPlatform().start(() -> {
                try {
                    Thread.sleep(100);
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                publish(publisher);
            });
            assertTimeoutPreemptively(PATIENCE, () -> {
                try (Frame frame = subscriber.next(MOST)) {
                    assertEquals(1, frame.seq());
                }
            });
            late.join();
            assertEquals(0, subscriber.publisherStalledNanos());
        }
    }

    @Test
    void anEndIsWaitedForAsLong() throws Exception {
        CountDownLatch seen = new CountDownLatch(1);
        try (Publisher publisher = publisher().open();
                AsyncSubscriber frames = subscriber().start(frame -> seen.countDown())) {
            publish(publisher);
            seen.await();
            assertFalse(frames.awaitEnd(LEAST));
            assertFalse(frames.awaitEnd(Duration.ZERO));
            publisher.close();
            assertTrue(frames.awaitEnd(MOST));
            assertTrue(frames.awaitEnd(LEAST));
        }
    }

    @Test
    void whatHasARangeIsRefusedOutOfIt() {
        assertRefused("waitTimeout", (builder, time) -> builder.waitTimeout(time), LEAST, Duration.ofNanos(-1), MOST);
        assertRefused("gracePeriod", (builder, time) -> builder.gracePeriod(time), LEAST, Duration.ZERO, MOST);
        for (Duration silence : new Duration[] {LEAST, Duration.ZERO}) {
            assertEquals(
                    ErrorCode.INVALID_ARGUMENT,
                    assertThrows(CuframesException.class, () -> subscriber().stallAfter(silence))
                            .code());
        }
    }

    private void assertRefused(
            String what, BiFunction<Publisher.Builder, Duration, Publisher.Builder> setter, Duration... times) {
        for (Duration time : times) {
            CuframesException refused = assertThrows(
                    CuframesException.class,
                    () -> setter.apply(publisher().policy(PublishPolicy.STRICT_WAIT), time)
                            .open());
            assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code());
            assertTrue(refused.getMessage().contains(what), refused.getMessage());
        }
    }

    @Test
    void aTimeoutIsWithinTheRangeOfDeadlines() {
        assertEquals(0, Timeout.nanos(LEAST));
        assertEquals(0, Timeout.nanos(Duration.ofNanos(-1)));
        assertEquals(Long.MAX_VALUE, Timeout.nanos(MOST));
        assertEquals(1, Timeout.nanos(Duration.ofNanos(1)));
    }

    /** A method that takes a time has a test above; one that is new does not. */
    @Test
    void noPublicMethodIsForgotten() {
        Set<String> found = new TreeSet<>();
        for (Class<?> type : new Class<?>[] {
            Subscriber.class,
            Subscriber.Builder.class,
            Publisher.class,
            Publisher.Builder.class,
            AsyncSubscriber.class,
            FramePublisher.class,
            Frame.class,
            WritableFrame.class,
            Backoff.class,
            Cuframes.class,
            DlpackTensor.class
        }) {
            Arrays.stream(type.getMethods())
                    .filter(method -> Arrays.asList(method.getParameterTypes()).contains(Duration.class))
                    .forEach(method -> found.add(type.getSimpleName() + "." + method.getName()));
        }
        assertEquals(
                Set.of(
                        "AsyncSubscriber.awaitEnd",
                        "Backoff.every",
                        "Builder.connectTimeout",
                        "Builder.gracePeriod",
                        "Builder.stallAfter",
                        "Builder.waitTimeout",
                        "Subscriber.next"),
                found);
    }
}
