// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.cuframes.testing.Child;
import io.cuframes.testing.PublisherProcess;
import io.cuframes.testing.ShiftedClock;
import io.cuframes.testing.StreamFixture;
import io.cuframes.testing.SubscriberProcess;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Publisher and reader on monotonic clocks that are eleven days apart, as containers may have them. */
class TimeNamespaceTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int FRAMES = 20;

    private final StreamFixture stream = new StreamFixture();

    @AfterEach
    void removeStream() {
        stream.close();
    }

    private Object[] publisherArguments() {
        return new Object[] {stream.key(), stream.directory(), Transport.HOST, 8, 64, 48};
    }

    @Test
    void aReaderBehindItsPublisherTellsItsLatencyAndItsSilence() {
        try (Child publisher = Child.startBy(ShiftedClock.program(), PublisherProcess.class, publisherArguments())) {
            assertEquals("ready HOST", publisher.answer());
            try (Subscriber subscriber = Subscriber.builder(stream.key())
                    .socketDirectory(stream.directory())
                    .stallAfter(Duration.ofNanos(1))
                    .open()) {
                long begin = System.nanoTime();
                for (int i = 1; i <= FRAMES; i++) { // enough for a forecast
                    long before = System.nanoTime();
                    assertEquals("published " + i, publisher.ask("publish 1"));
                    try (Frame frame = subscriber.next(PATIENCE)) {
                        assertTrue(
                                frame.publishTimeNanos() >= before && frame.publishTimeNanos() <= System.nanoTime(),
                                () -> frame.publishTimeNanos() - before + " ns after it was asked for");
                    }
                }
                LatencyStats latency = subscriber.stats().latency();
                assertTrue(latency.min() > 0 && latency.max() < System.nanoTime() - begin, latency::toString);
                assertNull(subscriber.next(Duration.ofMillis(20)));
                long silent = subscriber.publisherStalledNanos();
                assertTrue(silent >= 20_000_000 && silent < System.nanoTime() - begin, silent + " ns of silence");
                assertTrue(subscriber.stats().lastFrameAgeNanos() >= silent);
            }
        }
    }

    @Test
    void aReaderAheadOfItsPublisherTellsItsLatencyAndItsSilence() {
        try (Child publisher = Child.start(PublisherProcess.class, publisherArguments())) {
            assertEquals("ready HOST", publisher.answer());
            long begin = System.nanoTime();
            try (Child reader = Child.startBy(
                    ShiftedClock.program(),
                    SubscriberProcess.class,
                    stream.key(),
                    stream.directory(),
                    SubscriberMode.STRICT_ORDER)) {
                assertEquals("ready HOST", reader.answer());
                for (int i = 1; i <= FRAMES; i++) {
                    assertEquals("published " + i, publisher.ask("publish 1"));
                    assertEquals("read " + i + " 0 " + i + " 0 true", reader.ask("read 1"));
                }
                reader.ask("timeout 1");
                JsonObject health = JsonParser.parseString(reader.ask("health")).getAsJsonObject();
                long elapsed = System.nanoTime() - begin;
                JsonObject latency = health.getAsJsonObject("latency_ns");
                assertTrue(latency.get("min").getAsLong() > 0, latency::toString);
                assertTrue(latency.get("max").getAsLong() < elapsed, latency::toString);
                assertTrue(health.get("publisher_stalled_ns").getAsLong() < elapsed, health::toString);
                assertTrue(health.get("last_frame_age_ns").getAsLong() < elapsed, health::toString);
            }
        }
    }
}
