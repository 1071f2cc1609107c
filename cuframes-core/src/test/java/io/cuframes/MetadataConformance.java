// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What is said of a frame besides its pixels belongs to that frame alone. */
abstract class MetadataConformance extends StreamTest {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final long WALL = 1_790_000_000_123_456_789L;

    MetadataConformance(Transport transport) {
        super(transport);
    }

    private static byte[] bytes(int length) {
        byte[] data = new byte[length];
        new Random(length).nextBytes(data);
        return data;
    }

    @Test
    void whatIsSaidOfAFrameArrivesWithItAndNotWithTheNext() {
        try (Publisher publisher = localPublisher().slots(2).open();
                Subscriber subscriber =
                        localSubscriber().mode(SubscriberMode.STRICT_ORDER).open()) {
            for (int round = 0; round < 6; round++) { // several laps: what a slot held before is not seen again
                boolean told = round % 2 == 0;
                byte[] data = bytes(round * 51);
                try (WritableFrame frame = publisher.acquire()) {
                    if (told) {
                        frame.captureTimeNanos(WALL + round)
                                .keyFrame(true)
                                .damaged(true)
                                .userData(data);
                    }
                    frame.publish(round * 40_000_000L);
                }
                try (Frame frame = subscriber.next(PATIENCE)) {
                    assertEquals(round * 40_000_000L, frame.ptsNanos());
                    assertEquals(told, frame.hasCaptureTime());
                    assertEquals(told ? WALL + round : 0, frame.captureTimeNanos());
                    assertEquals(told, frame.isKeyFrame());
                    assertEquals(told, frame.isDamaged());
                    assertEquals(told ? data.length : 0, frame.userDataLength());
                    assertArrayEquals(
                            told ? data : new byte[0], frame.userData().toArray(ValueLayout.JAVA_BYTE));
                    assertTrue(frame.publishTimeNanos() <= System.nanoTime());
                }
            }
        }
    }

    @Test
    void aTimeThatGoesBackwardsIsKeptAndMarked() {
        try (Publisher publisher = localPublisher().slots(8).open();
                Subscriber subscriber =
                        localSubscriber().mode(SubscriberMode.STRICT_ORDER).open()) {
            long[] times = {-5, 100, 100, 40, 41, Long.MIN_VALUE, Long.MAX_VALUE};
            for (int i = 0; i < times.length; i++) {
                try (WritableFrame frame = publisher.acquire()) {
                    frame.publish(times[i]);
                }
                try (Frame frame = subscriber.next(PATIENCE)) {
                    assertEquals(times[i], frame.ptsNanos());
                    assertEquals(i > 0 && times[i] < times[i - 1], frame.isPtsBackward(), "frame " + i);
                }
            }
        }
    }

    @Test
    void damagedFramesAreCountedOnBothSides() {
        try (Publisher publisher = localPublisher().slots(4).open();
                Subscriber subscriber =
                        localSubscriber().mode(SubscriberMode.STRICT_ORDER).open()) {
            publisher.acquire().damaged(true).close(); // given back: nobody is shown it
            for (int i = 1; i <= 10; i++) {
                try (WritableFrame frame = publisher.acquire()) {
                    frame.damaged(true).damaged(i % 5 == 0).publish(i);
                }
                try (Frame frame = subscriber.next(PATIENCE)) {
                    assertEquals(i % 5 == 0, frame.isDamaged(), "frame " + i);
                    assertFalse(frame.isKeyFrame());
                }
                assertEquals(i / 5, publisher.damaged());
                assertEquals(i / 5, subscriber.damaged());
            }
            assertEquals(2, publisher.stats().damaged());
            assertEquals(2, subscriber.stats().damaged());
            assertEquals(10, subscriber.received());
        }
    }

    @Test
    void userDataFitsOrIsRefusedAndTheFrameGoesOn() {
        try (Publisher publisher = localPublisher().open();
                Subscriber subscriber = localSubscriber().open()) {
            byte[] most = bytes(WritableFrame.MAX_USER_DATA);
            try (WritableFrame frame = publisher.acquire()) {
                frame.userData(most);
                CuframesException refused = assertThrows(
                        CuframesException.class, () -> frame.userData(Arrays.copyOf(most, most.length + 1)));
                assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code());
                assertEquals("user data of 257 bytes: a frame carries at most 256", refused.getMessage());
                frame.publish(1);
            }
            try (Frame frame = subscriber.next(PATIENCE)) {
                MemorySegment data = frame.userData();
                assertArrayEquals(most, data.toArray(ValueLayout.JAVA_BYTE));
                assertTrue(data.isReadOnly());
            }
        }
    }

    @Test
    void aFrameGivenBackTakesWhatWasSaidOfItAlong() {
        try (Publisher publisher = localPublisher().slots(2).open();
                Subscriber subscriber = localSubscriber().open()) {
            publisher
                    .acquire()
                    .keyFrame(true)
                    .damaged(true)
                    .captureTimeNanos(WALL)
                    .userData(bytes(9))
                    .close();
            try (WritableFrame frame = publisher.acquire()) {
                frame.publish(1);
            }
            try (Frame frame = subscriber.next(PATIENCE)) {
                assertFalse(frame.isKeyFrame());
                assertFalse(frame.isDamaged());
                assertFalse(frame.hasCaptureTime());
                assertEquals(0, frame.userDataLength());
            }
        }
    }
}
