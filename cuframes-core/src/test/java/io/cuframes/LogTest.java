// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static io.cuframes.testing.Await.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.StreamFixture;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Flow;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is logged where readers hold up a stream or come and go: who it is, and no more than a few lines. */
class LogTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** Held, or it is collected, and its handler with it. */
    private static final Logger LOGGER = Logger.getLogger("io.cuframes");

    private final StreamFixture stream = new StreamFixture();
    private final List<String> lines = new ArrayList<>();

    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord line) {
            synchronized (lines) {
                lines.add(line.getLevel() + " " + line.getMessage());
            }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    @BeforeEach
    void listen() {
        handler.setLevel(Level.ALL);
        LOGGER.addHandler(handler);
    }

    @AfterEach
    void cleanUp() {
        LOGGER.removeHandler(handler);
        stream.close();
    }

    private List<String> lines(String with) {
        synchronized (lines) {
            return lines.stream()
                    .filter(line -> line.contains("\"" + stream.key() + "\"") && line.contains(with))
                    .toList();
        }
    }

    private Publisher.Builder publisher() {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .size(64, 64)
                .slots(4)
                .maxLeases(4);
    }

    private Subscriber.Builder subscriber(String name) {
        return Subscriber.builder(stream.key())
                .socketDirectory(stream.directory())
                .mode(SubscriberMode.STRICT_ORDER)
                .name(name);
    }

    private static void publish(Publisher publisher) {
        try (WritableFrame frame = publisher.acquire()) {
            frame.publish(0);
        }
    }

    @Test
    void aPublisherThatDropsFramesSaysOnceWhoHoldsTheSlots() throws InterruptedException {
        try (Publisher publisher = publisher().open();
                Subscriber hoarder = subscriber("hoarder").open();
                Subscriber visitor = subscriber("").open()) {
            List<Frame> held = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                publish(publisher);
                held.add(hoarder.next(PATIENCE));
            }
            Frame other = visitor.next(PATIENCE);
            for (int i = 0; i < 1000; i++) {
                assertNull(publisher.acquire());
            }
            await(() -> !lines("has dropped").isEmpty(), "nobody says who holds the slots");
            String line = lines("has dropped").getFirst();
            String process = "process " + ProcessHandle.current().pid();
            assertTrue(line.startsWith("WARNING "), line);
            assertTrue(line.contains("subscriber 1 (hoarder, " + process + ") holds 4, the oldest frame for "), line);
            assertTrue(line.contains("subscriber 2 (" + process + ") holds 1, the oldest frame for "), line);
            assertTrue(line.contains("all of its 4 slots"), line);
            assertEquals(1, lines("has dropped").size());
            assertTrue(publisher.stats().subscribers().getFirst().heldNanos() > 0);
            held.forEach(Frame::close);
            other.close();
        }
    }

    @Test
    void aReceiverThatClosesNoFrameIsToldThatItStopsItself() throws InterruptedException {
        List<Frame> kept = new ArrayList<>(); // guarded by itself, as is keeping
        boolean[] keeping = {true};
        try (Publisher publisher = publisher().maxLeases(2).open()) {
            subscriber("forgetful").toFlowPublisher().subscribe(new Flow.Subscriber<>() {
                @Override
                public void onSubscribe(Flow.Subscription subscription) {
                    subscription.request(Long.MAX_VALUE);
                }

                @Override
                public void onNext(Frame frame) {
                    synchronized (kept) {
                        if (keeping[0]) {
                            kept.add(frame);
                        } else {
                            frame.close();
                        }
                    }
                }

                @Override
                public void onError(Throwable failure) {}

                @Override
                public void onComplete() {}
            });
            await(() -> publisher.subscribers() == 1, "it does not connect");
            for (int i = 0; i < 3; i++) {
                publish(publisher);
            }
            await(() -> !lines("holds 2 frames, as many as it may").isEmpty(), "nobody tells it");
            String line = lines("holds 2 frames").getFirst();
            assertTrue(line.startsWith("WARNING subscriber \"forgetful\" of "), line);
            assertEquals(1, lines("holds 2 frames").size());
            synchronized (kept) { // another frame comes as soon as one is closed
                keeping[0] = false;
                kept.forEach(Frame::close);
            }
        }
    }

    @Test
    void aStormOfReadersIsAFewLinesAndACount() throws InterruptedException {
        try (Publisher publisher = publisher().open()) {
            for (int i = 0; i < 100; i++) {
                subscriber("storm").open().close();
            }
            await(() -> publisher.subscribers() == 0, "they are not let go");
        }
        List<String> about = lines(": subscriber ");
        assertTrue(about.size() >= 20 && about.size() < 100, about.size() + " lines");
        synchronized (lines) {
            assertTrue(
                    lines.stream().anyMatch(line -> line.matches("INFO \\d+ lines about subscribers .* were left out")),
                    lines.toString());
        }
    }
}
