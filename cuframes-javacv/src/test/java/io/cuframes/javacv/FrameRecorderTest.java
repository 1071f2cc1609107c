// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_BGR24;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GRAY8;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_NV12;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_RGB24;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV422P;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ColorInfo;
import io.cuframes.PixelFormat;
import io.cuframes.PublishPolicy;
import io.cuframes.Publisher;
import io.cuframes.PublisherGoneException;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import java.lang.foreign.ValueLayout;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ShortBuffer;
import java.nio.file.Path;
import java.time.Duration;
import org.bytedeco.javacv.Frame;
import org.bytedeco.javacv.FrameGrabber;
import org.bytedeco.javacv.FrameRecorder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a JavaCV program records is what subscribers read. */
@Timeout(120)
class FrameRecorderTest {
    private static final int WIDTH = 160;
    private static final int HEIGHT = 96;

    @TempDir
    private Path sockets;

    private final String key = "recorder-" + ProcessHandle.current().pid();

    private CuframesFrameRecorder recorder(String words) {
        return new CuframesFrameRecorder(
                "cuframes://" + key + "?transport=host&socketDir=" + sockets + words, WIDTH, HEIGHT);
    }

    private Subscriber subscriber() {
        return Subscriber.builder(key)
                .mode(SubscriberMode.STRICT_ORDER)
                .socketDirectory(sockets)
                .open();
    }

    /** A picture of one colour. */
    private static Frame picture(int width, int height, int... values) {
        Frame frame = new Frame(width, height, Frame.DEPTH_UBYTE, values.length);
        ByteBuffer bytes = (ByteBuffer) frame.image[0];
        for (int at = 0; at < bytes.capacity(); at++) {
            bytes.put(at, (byte) values[at % frame.imageStride % values.length]);
        }
        return frame;
    }

    private static int sample(io.cuframes.Frame frame, int plane, int x, int y, int component) {
        int size = frame.plane(plane).layout().sampleBytes();
        long at = (long) y * frame.plane(plane).pitch() + (long) x * size + component;
        return frame.plane(plane).segment().get(ValueLayout.JAVA_BYTE, at) & 255;
    }

    private static void assertNear(int wanted, int got, String what) {
        assertTrue(Math.abs(wanted - got) <= 2, what + " is " + got + ", not " + wanted);
    }

    @Test
    void aPictureArrivesInTheRingsColours() throws Exception {
        try (CuframesFrameRecorder recorder = recorder("&slots=8&policy=drop_newest")) {
            recorder.start();
            try (Subscriber subscriber = subscriber()) {
                assertEquals(8, subscriber.slots());
                assertEquals(PublishPolicy.DROP_NEWEST, subscriber.policy());
                assertEquals(
                        new ColorInfo(2, 2, 1, ColorInfo.Range.LIMITED),
                        subscriber.format().color());
                Frame red = picture(WIDTH, HEIGHT, 0, 0, 255);
                red.timestamp = 40_000;
                red.keyFrame = true;
                recorder.record(red);
                try (io.cuframes.Frame frame = subscriber.next(Duration.ofSeconds(60))) {
                    assertEquals(PixelFormat.NV12, frame.format().pixelFormat());
                    assertEquals(40_000_000, frame.ptsNanos());
                    assertTrue(frame.isKeyFrame());
                    assertNear(63, sample(frame, 0, 159, 95, 0), "Y");
                    assertNear(102, sample(frame, 1, 79, 47, 0), "U");
                    assertNear(240, sample(frame, 1, 79, 47, 1), "V");
                }
                recorder.stop();
                PublisherGoneException end =
                        assertThrows(PublisherGoneException.class, () -> subscriber.next(Duration.ofSeconds(60)));
                assertEquals(PublisherGoneException.Reason.ENDED, end.reason());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 200, 0, 0, 0", "3, 10, 20, 30, 0", "4, 30, 20, 10, 255"})
    void whatARecorderOfAnRgbRingTakesIsWhatJavaCvMeans(int channels, int a, int b, int c, int d) throws Exception {
        try (CuframesFrameRecorder recorder = recorder("")) {
            recorder.setPixelFormat(AV_PIX_FMT_RGB24);
            recorder.start();
            try (Subscriber subscriber = subscriber()) {
                int[] values = java.util.Arrays.copyOf(new int[] {a, b, c, d}, channels);
                recorder.record(picture(WIDTH / 2, HEIGHT / 2, values)); // and scaled
                try (io.cuframes.Frame frame = subscriber.next(Duration.ofSeconds(60))) {
                    assertNear(channels == 1 ? 200 : 30, sample(frame, 0, 100, 50, 0), "red");
                    assertNear(channels == 1 ? 200 : 20, sample(frame, 0, 100, 50, 1), "green");
                    assertNear(channels == 1 ? 200 : 10, sample(frame, 0, 100, 50, 2), "blue");
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {AV_PIX_FMT_NV12, AV_PIX_FMT_YUV420P})
    void planesInOneBufferAreTakenWhereSaid(int format) throws Exception {
        try (CuframesFrameRecorder recorder = recorder("")) {
            recorder.start();
            try (Subscriber subscriber = subscriber()) {
                Frame frame = picture(WIDTH, HEIGHT, 50);
                ByteBuffer planes = ByteBuffer.allocate(WIDTH * HEIGHT * 3 / 2); // on the heap, at that
                for (int at = 0; at < planes.capacity(); at++) {
                    int chroma = at - WIDTH * HEIGHT;
                    boolean isU = format == AV_PIX_FMT_NV12 ? chroma % 2 == 0 : chroma < WIDTH * HEIGHT / 4;
                    planes.put(at, (byte) (chroma < 0 ? 50 : isU ? 60 : 70));
                }
                frame.image = new Buffer[] {planes};
                recorder.record(frame, format);
                try (io.cuframes.Frame read = subscriber.next(Duration.ofSeconds(60))) {
                    assertEquals(50, sample(read, 0, 159, 95, 0));
                    assertEquals(60, sample(read, 1, 79, 47, 0));
                    assertEquals(70, sample(read, 1, 79, 47, 1));
                }
            }
        }
    }

    @Test
    void timesComeFromTheProgramTheFrameOrTheRate() throws Exception {
        try (CuframesFrameRecorder recorder = recorder("&slots=8")) {
            recorder.setFrameRate(25);
            recorder.start();
            try (Subscriber subscriber = subscriber()) {
                Frame frame = picture(WIDTH, HEIGHT, 1);
                recorder.record(frame);
                recorder.record(frame);
                recorder.setTimestamp(500_000);
                frame.timestamp = 7;
                recorder.record(frame);
                frame.timestamp = 900_000;
                recorder.record(frame);
                long[] wanted = {0, 40_000_000, 500_000_000, 900_000_000};
                for (long pts : wanted) {
                    try (io.cuframes.Frame read = subscriber.next(Duration.ofSeconds(60))) {
                        assertEquals(pts, read.ptsNanos());
                    }
                }
                assertEquals(4, recorder.getFrameNumber());
            }
        }
    }

    /** From one ring to another, as JavaCV programs copy from a grabber to a recorder. */
    @ParameterizedTest
    @CsvSource({"COLOR, host", "RAW, host", "COLOR, none"})
    void aGrabberFeedsARecorder(FrameGrabber.ImageMode mode, String image) throws Exception {
        String second = key + "-copy";
        ColorInfo color = new ColorInfo(2, 2, 5, ColorInfo.Range.FULL);
        try (CuframesFrameRecorder first = recorder("");
                CuframesFrameGrabber grabber = new CuframesFrameGrabber(
                        "cuframes://" + key + "?timeout=60s&image=" + image + "&socketDir=" + sockets);
                CuframesFrameRecorder copy = new CuframesFrameRecorder(
                        "cuframes://" + second + "?transport=host&socketDir=" + sockets, WIDTH, HEIGHT)) {
            first.setColor(color);
            first.start();
            grabber.setImageMode(mode);
            grabber.start();
            copy.setColor(color);
            copy.start();
            try (Subscriber subscriber = Subscriber.builder(second)
                    .mode(SubscriberMode.STRICT_ORDER)
                    .socketDirectory(sockets)
                    .open()) {
                Frame red = picture(WIDTH, HEIGHT, 0, 0, 255);
                red.timestamp = 80_000;
                first.record(red);
                copy.record(grabber.grab());
                try (io.cuframes.Frame frame = subscriber.next(Duration.ofSeconds(60))) {
                    assertEquals(80_000_000, frame.ptsNanos());
                    assertEquals(color, frame.format().color());
                    assertNear(76, sample(frame, 0, 159, 95, 0), "Y");
                    assertNear(85, sample(frame, 1, 79, 47, 0), "U");
                    assertNear(255, sample(frame, 1, 79, 47, 1), "V");
                }
            }
        }
    }

    @Test
    void aCopyKeepsTheMarkOfADamagedFrame() throws Exception {
        try (Publisher first = Publisher.builder(key)
                        .size(WIDTH, HEIGHT)
                        .transport(Transport.HOST)
                        .socketDirectory(sockets)
                        .open();
                CuframesFrameGrabber grabber = new CuframesFrameGrabber(
                        "cuframes://" + key + "?timeout=60s&mode=strict&image=none&socketDir=" + sockets);
                CuframesFrameRecorder copy = new CuframesFrameRecorder(
                        "cuframes://" + key + "-copy?transport=host&slots=8&socketDir=" + sockets, WIDTH, HEIGHT)) {
            grabber.start();
            copy.start();
            try (Subscriber subscriber = Subscriber.builder(key + "-copy")
                    .mode(SubscriberMode.STRICT_ORDER)
                    .socketDirectory(sockets)
                    .open()) {
                for (int i = 1; i <= 4; i++) {
                    try (WritableFrame frame = first.acquire()) {
                        frame.damaged(i % 2 == 0).publish(i * 40_000_000L);
                    }
                    Frame grabbed = grabber.grab();
                    assertEquals(i % 2 == 0, ((io.cuframes.Frame) grabbed.opaque).isDamaged(), "frame " + i);
                    copy.record(grabbed);
                    try (io.cuframes.Frame frame = subscriber.next(Duration.ofSeconds(60))) {
                        assertEquals(i % 2 == 0, frame.isDamaged(), "copy of frame " + i);
                    }
                }
                copy.record(picture(WIDTH, HEIGHT, 0, 0, 255)); // in a slot that a damaged frame may have had
                try (io.cuframes.Frame frame = subscriber.next(Duration.ofSeconds(60))) {
                    assertFalse(frame.isDamaged());
                }
            }
        }
    }

    /** The samples are not called what they are not. */
    @Test
    void planesOfOtherColoursAreConverted() throws Exception {
        try (CuframesFrameRecorder first = recorder("");
                CuframesFrameGrabber grabber =
                        new CuframesFrameGrabber("cuframes://" + key + "?timeout=60s&image=none&socketDir=" + sockets);
                CuframesFrameRecorder copy = new CuframesFrameRecorder(
                        "cuframes://" + key + "-copy?transport=host&socketDir=" + sockets, WIDTH, HEIGHT)) {
            first.setColor(new ColorInfo(2, 2, 5, ColorInfo.Range.FULL));
            first.start();
            grabber.start();
            copy.start();
            try (Subscriber subscriber = Subscriber.builder(key + "-copy")
                    .mode(SubscriberMode.STRICT_ORDER)
                    .socketDirectory(sockets)
                    .open()) {
                first.record(picture(WIDTH, HEIGHT, 0, 0, 255));
                copy.record(grabber.grab());
                try (io.cuframes.Frame frame = subscriber.next(Duration.ofSeconds(60))) {
                    assertNear(63, sample(frame, 0, 159, 95, 0), "Y");
                    assertNear(102, sample(frame, 1, 79, 47, 0), "U");
                    assertNear(240, sample(frame, 1, 79, 47, 1), "V");
                }
            }
        }
    }

    @Test
    void whatIsWrongIsSaid() throws Exception {
        assertSays(
                "start() comes before record()",
                assertThrows(FrameRecorder.Exception.class, () -> recorder("").record(picture(8, 8, 0))));
        assertSays(
                "none of the words",
                assertThrows(
                        FrameRecorder.Exception.class,
                        () -> recorder("&mode=strict").start()));
        CuframesFrameRecorder unsized = new CuframesFrameRecorder("cuframes://" + key);
        assertSays("set imageWidth", assertThrows(FrameRecorder.Exception.class, unsized::start));
        CuframesFrameRecorder odd = recorder("");
        odd.setImageWidth(161);
        assertSays("even", assertThrows(FrameRecorder.Exception.class, odd::start));
        CuframesFrameRecorder loud = recorder("");
        loud.setAudioChannels(2);
        assertSays("sound", assertThrows(FrameRecorder.Exception.class, loud::start));
        CuframesFrameRecorder strange = recorder("");
        strange.setPixelFormat(AV_PIX_FMT_BGR24);
        assertSays("bgr24", assertThrows(FrameRecorder.Exception.class, strange::start));
        try (CuframesFrameRecorder recorder = recorder("")) {
            recorder.start();
            assertSays("stop() comes before", assertThrows(FrameRecorder.Exception.class, recorder::start));
            assertSays(
                    "already",
                    assertThrows(
                            FrameRecorder.Exception.class, () -> recorder("").start()));
            Frame sound = new Frame();
            sound.samples = new Buffer[] {ShortBuffer.allocate(8)};
            assertSays("sound", refused(recorder, sound, -1));
            assertSays("no image", refused(recorder, new Frame(), -1));
            assertSays("channels", refused(recorder, picture(8, 8, 1, 2), -1));
            Frame lying = picture(8, 8, 0, 0, 0);
            lying.imageHeight = 4000;
            assertSays("its image has", refused(recorder, lying, -1));
            assertSays("its image has", refused(recorder, picture(WIDTH, HEIGHT, 0), AV_PIX_FMT_NV12));
            assertSays("yuv422p", refused(recorder, picture(WIDTH, HEIGHT, 0), AV_PIX_FMT_YUV422P));
            assertEquals(0, recorder.publisher().published());
            recorder.record(null);
            recorder.record(picture(WIDTH, HEIGHT, 0), AV_PIX_FMT_GRAY8);
            assertEquals(1, recorder.publisher().published(), "and it goes on");
        }
    }

    private static FrameRecorder.Exception refused(CuframesFrameRecorder recorder, Frame frame, int format) {
        return assertThrows(FrameRecorder.Exception.class, () -> recorder.record(frame, format));
    }

    private static void assertSays(String text, FrameRecorder.Exception error) {
        assertTrue(error.getMessage().contains(text), error.getMessage());
    }

    @Test
    void aRecorderMayBeginAgain() throws Exception {
        try (CuframesFrameRecorder recorder = recorder("")) {
            recorder.start();
            assertEquals(Transport.HOST, recorder.publisher().transport());
            long epoch = recorder.publisher().epoch();
            recorder.stop();
            recorder.stop();
            assertNull(recorder.publisher());
            recorder.start();
            assertTrue(epoch != recorder.publisher().epoch());
            recorder.record(picture(WIDTH, HEIGHT, 0, 0, 0));
            assertNotNull(recorder.publisher());
        }
    }
}
