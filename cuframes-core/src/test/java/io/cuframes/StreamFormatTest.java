// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.FramePattern;
import io.cuframes.testing.StreamFixture;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a publisher says of its frames is what a subscriber reads, also after it was opened anew. */
class StreamFormatTest {
    private static final ColorInfo BT709 = new ColorInfo(1, 1, 1, ColorInfo.Range.LIMITED);
    private static final TimeBase NTSC = new TimeBase(1001, 30_000);

    private final StreamFixture stream = new StreamFixture();

    @AfterEach
    void cleanUp() {
        stream.close();
    }

    private Publisher.Builder publisher() {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .slots(3)
                .size(64, 48);
    }

    private Subscriber subscriber() {
        return Subscriber.builder(stream.key())
                .socketDirectory(stream.directory())
                .open();
    }

    @ParameterizedTest
    @EnumSource
    void formatColoursAndTimeBaseArrive(PixelFormat pixelFormat) {
        ColorInfo color = new ColorInfo(9, 16, pixelFormat.code(), ColorInfo.Range.FULL);
        try (Publisher publisher = publisher()
                        .format(pixelFormat)
                        .color(color)
                        .timeBase(NTSC)
                        .open();
                Subscriber subscriber = subscriber()) {
            FrameFormat expected = FrameFormat.of(pixelFormat, 64, 48, color);
            assertEquals(expected, publisher.format());
            assertEquals(expected, subscriber.format());
            assertEquals(NTSC, subscriber.timeBase());
            publishOne(publisher);
            try (Frame frame = subscriber.next(Duration.ofSeconds(5))) {
                assertEquals(expected, frame.format());
                assertEquals(pixelFormat.planeCount(), frame.planeCount());
                assertEquals(expected.frameBytes(), frame.sizeBytes());
                for (int i = 0; i < frame.planeCount(); i++) {
                    assertEquals(expected.planes().get(i), frame.plane(i).layout());
                    assertEquals(
                            expected.planes().get(i).bytes(),
                            frame.plane(i).segment().byteSize());
                }
            }
        }
    }

    @Test
    void anUnknownTimeBaseStaysUnknown() {
        try (Publisher publisher = publisher().open();
                Subscriber subscriber = subscriber()) {
            assertEquals(TimeBase.UNKNOWN, subscriber.timeBase());
            assertEquals(ColorInfo.UNKNOWN, subscriber.format().color());
            assertEquals(publisher.epoch(), subscriber.epoch());
        }
    }

    @Test
    void aReopenedPublisherHasTheNewFormatANewEpochAndTheOldSettings() {
        Publisher old = publisher()
                .timeBase(NTSC)
                .color(BT709)
                .maxSubscribers(1)
                .maxLeases(2)
                .open();
        publishOne(old);
        FrameFormat rgb = FrameFormat.of(PixelFormat.RGB24, 33, 21, ColorInfo.UNKNOWN);
        try (Publisher renewed = old.reopen(rgb);
                Subscriber subscriber = subscriber()) {
            assertThrows(IllegalStateException.class, old::acquire);
            assertThrows(IllegalStateException.class, () -> old.reopen(rgb));
            assertEquals(old.key(), renewed.key());
            assertNotEquals(old.epoch(), renewed.epoch());
            assertEquals(rgb, renewed.format());
            assertEquals(0, renewed.published(), "frames are counted anew");
            assertEquals(renewed.epoch(), subscriber.epoch());
            assertEquals(rgb, subscriber.format());
            assertEquals(NTSC, subscriber.timeBase());
            assertEquals(3, subscriber.slots());
            CuframesException full = assertThrows(CuframesException.class, this::subscriber);
            assertEquals(ErrorCode.NO_SLOT, full.code());
            old.close();
            publishOne(renewed); // and closing the old one has not ended the new
        }
        assertEquals(List.of(), stream.remains());
    }

    @Test
    void aPublisherIsReopenedAgainAndAgain() {
        Publisher publisher = publisher().open();
        for (int round = 1; round <= 20; round++) {
            PixelFormat format = PixelFormat.ofCode(round % 8 + 1);
            publisher = publisher.reopen(FrameFormat.of(format, 64, 2 * round, BT709));
            publishOne(publisher);
            assertEquals(1, publisher.published());
        }
        publisher.close();
        assertEquals(List.of(), stream.remains());
    }

    @Test
    void aReopenThatFailsLeavesNothingBehind() {
        List<String> descriptors = StreamFixture.descriptors();
        List<String> mappings = StreamFixture.mappings();
        Publisher publisher = publisher().slots(64).open();
        FrameFormat huge = FrameFormat.of(PixelFormat.RGBA, 16384, 16384, ColorInfo.UNKNOWN);
        CuframesException refused = assertThrows(CuframesException.class, () -> publisher.reopen(huge));
        assertEquals(ErrorCode.SYSTEM, refused.code());
        assertTrue(refused.getMessage().contains("65536 MiB"), refused.getMessage());
        assertThrows(IllegalStateException.class, publisher::acquire);
        assertEquals(List.of(), stream.remains());
        assertEquals(descriptors, StreamFixture.descriptors());
        assertEquals(mappings, StreamFixture.mappings());
    }

    @Test
    void reopeningWithNoFormatDoesNotEndTheStream() {
        try (Publisher publisher = publisher().open()) {
            assertThrows(NullPointerException.class, () -> publisher.reopen(null));
            publishOne(publisher);
        }
    }

    private static void publishOne(Publisher publisher) {
        try (WritableFrame frame = publisher.acquire()) {
            new FramePattern(publisher.format()).write(frame, 1);
            frame.publish(1);
        }
    }
}
