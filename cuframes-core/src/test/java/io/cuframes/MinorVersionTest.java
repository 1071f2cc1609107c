// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.internal.protocol.SlotDescriptor;
import io.cuframes.testing.FakePublisher;
import io.cuframes.testing.StreamFixture;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A subscriber of this version reads a publisher of any minor version (docs/protocol.md, section 11). The other direction is {@link CClientTest}'s, and
 * observers' is {@code ObserverTest}'s.
 */
@Timeout(60)
class MinorVersionTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final StreamFixture stream = new StreamFixture();

    @AfterEach
    void removeStream() {
        stream.close();
    }

    private CompletableFuture<Subscriber> subscriber() {
        return CompletableFuture.supplyAsync(
                () -> Subscriber.builder(stream.key())
                        .socketDirectory(stream.directory())
                        .mode(SubscriberMode.STRICT_ORDER)
                        .connectTimeout(PATIENCE)
                        .open(),
                Thread.ofPlatform()::start);
    }

    @Test
    void aPublisherOfVersion10IsReadAndMarksNothing() {
        try (FakePublisher publisher = new FakePublisher(stream, 0)) {
            CompletableFuture<Subscriber> opening = subscriber();
            try (FakePublisher.Guest guest = publisher.accept()) {
                guest.welcome(FakePublisher.SLOTS, true);
                try (Subscriber subscriber = opening.join()) {
                    publisher.announce(1, 0, SlotDescriptor.KEY_FRAME);
                    try (Frame frame = subscriber.next(PATIENCE)) {
                        assertTrue(frame.isKeyFrame());
                        assertFalse(frame.isDamaged());
                    }
                    assertEquals(1, subscriber.received());
                    assertEquals(0, subscriber.damaged());
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 65535})
    void flagsThatThisVersionDoesNotKnowAreIgnored(int minor) {
        try (FakePublisher publisher = new FakePublisher(stream, minor)) {
            CompletableFuture<Subscriber> opening = subscriber();
            try (FakePublisher.Guest guest = publisher.accept()) {
                guest.welcome(FakePublisher.SLOTS, true);
                try (Subscriber subscriber = opening.join()) {
                    publisher.announce(1, 0, ~SlotDescriptor.DAMAGED);
                    publisher.announce(2, 1, SlotDescriptor.DAMAGED | 1 << 31);
                    try (Frame frame = subscriber.next(PATIENCE)) {
                        assertFalse(frame.isDamaged());
                    }
                    assertEquals(0, subscriber.damaged());
                    try (Frame frame = subscriber.next(PATIENCE)) {
                        assertTrue(frame.isDamaged());
                        assertFalse(frame.isKeyFrame());
                    }
                    assertEquals(1, subscriber.damaged());
                }
            }
        }
    }
}
