// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_BGRA;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_NV12;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_RGB24;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ColorInfo;
import io.cuframes.FrameFormat;
import io.cuframes.PixelFormat;
import io.cuframes.Publisher;
import io.cuframes.PublisherGoneException;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ShortBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.bytedeco.javacv.Frame;
import org.bytedeco.javacv.FrameGrabber;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.aggregator.AggregateWith;
import org.junit.jupiter.params.aggregator.ArgumentsAccessor;
import org.junit.jupiter.params.aggregator.ArgumentsAggregator;
import org.junit.jupiter.params.provider.CsvSource;

/** A grabber keeps JavaCV's conventions, and gives the ring's pictures in their colours. */
@Timeout(120)
class FrameGrabberTest {
    private static final ColorInfo BT709 = new ColorInfo(1, 1, 1, ColorInfo.Range.LIMITED);
    private static final int WIDTH = 160;
    private static final int HEIGHT = 96;

    @TempDir
    private Path sockets;

    private final String key = "grabber-" + ProcessHandle.current().pid();
    private Publisher publisher;

    @AfterEach
    void end() {
        if (publisher != null) {
            publisher.close();
        }
    }

    private Publisher.Builder ring() {
        return Publisher.builder(key)
                .size(WIDTH, HEIGHT)
                .transport(Transport.HOST)
                .socketDirectory(sockets);
    }

    private CuframesFrameGrabber grabber(String words) {
        return new CuframesFrameGrabber("cuframes://" + key + "?socketDir=" + sockets + words);
    }

    /** Publishes a frame, its planes filled with one value each, or with the bytes of a sample. */
    private void publish(long pts, int... samples) {
        try (WritableFrame frame = publisher.acquire()) {
            int next = 0;
            PixelFormat pixels = publisher.format().pixelFormat();
            for (int i = 0; i < pixels.planeCount(); i++) {
                for (long at = 0; at < frame.plane(i).segment().byteSize(); at++) {
                    frame.plane(i).segment().set(ValueLayout.JAVA_BYTE, at, (byte)
                            samples[next + (int) (at % pixels.sampleBytes(i))]);
                }
                next += pixels.sampleBytes(i);
            }
            frame.keyFrame(pts == 0).publish(pts);
        }
    }

    private static int value(Frame frame, int x, int y, int channel) {
        ByteBuffer bytes = (ByteBuffer) frame.image[0];
        return bytes.get(y * frame.imageStride + x * frame.imageChannels + channel) & 255;
    }

    private static void assertNear(int wanted, int got, String what) { // libswscale computes in few bits
        assertTrue(Math.abs(wanted - got) <= 3, what + " is " + got + ", not " + wanted);
    }

    @Test
    void framesComeAsJavaCvGivesThem() throws Exception {
        publisher = ring().color(BT709).open();
        try (CuframesFrameGrabber grabber = grabber("&mode=strict&timeout=60s&name=test")) {
            assertEquals(0, grabber.getImageWidth());
            grabber.start();
            assertEquals(WIDTH, grabber.getImageWidth());
            assertEquals(HEIGHT, grabber.getImageHeight());
            assertEquals(0, grabber.getLengthInFrames());
            assertEquals(0, grabber.getLengthInTime());
            assertEquals(0.0, grabber.getFrameRate());
            publish(0, 235, 128, 128);
            publish(40_000_000, 16, 128, 128);
            Frame frame = grabber.grab();
            assertEquals(WIDTH, frame.imageWidth);
            assertEquals(HEIGHT, frame.imageHeight);
            assertEquals(Frame.DEPTH_UBYTE, frame.imageDepth);
            assertEquals(3, frame.imageChannels);
            assertEquals(0, frame.timestamp);
            assertTrue(frame.keyFrame);
            assertEquals(Frame.Type.VIDEO, frame.type);
            assertEquals(1, grabber.getFrameNumber());
            assertNear(255, value(frame, 3, 3, 0), "white");
            Frame kept = frame.clone();
            io.cuframes.Frame first = assertInstanceOf(io.cuframes.Frame.class, frame.opaque);
            assertEquals(1, first.seq());
            assertSame(frame, grabber.grabFrame(), "JavaCV's grabbers give one object again and again");
            assertThrows(IllegalStateException.class, first::seq, "the lease of the frame before is over");
            assertEquals(40_000, frame.timestamp);
            assertEquals(40_000, grabber.getTimestamp());
            assertEquals(2, grabber.getFrameNumber());
            assertFalse(frame.keyFrame);
            assertEquals(25.0, grabber.getFrameRate(), 1e-9);
            assertNear(0, value(frame, 3, 3, 0), "black");
            assertNear(255, value(kept, 3, 3, 0), "the white that was kept");
            kept.close();
            publisher.close();
            assertNull(grabber.grab());
            assertNull(grabber.grab(), "and it stays so");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1, LIMITED, 63, 102, 240, 255, 0, 0", // BT.709 red is 63, 102, 240
        "5, LIMITED, 81, 90, 240, 255, 0, 0",
        "1, FULL, 54, 99, 255, 255, 0, 0",
        "5, FULL, 76, 85, 255, 255, 0, 0",
        "1, LIMITED, 200, 128, 128, 214, 214, 214",
        "1, FULL, 200, 128, 128, 200, 200, 200",
        "2, UNKNOWN, 81, 90, 240, 255, 0, 0" // of so few rows, BT.601
    })
    void coloursFollowMatrixAndRange(
            int matrix, ColorInfo.Range range, int y, int u, int v, int red, int green, int blue) throws Exception {
        publisher = ring().color(new ColorInfo(2, 2, matrix, range)).open();
        try (CuframesFrameGrabber grabber = grabber("&timeout=60s")) {
            grabber.setPixelFormat(AV_PIX_FMT_RGB24);
            grabber.start();
            publish(0, y, u, v);
            Frame frame = grabber.grab();
            assertNear(red, value(frame, 80, 48, 0), "red");
            assertNear(green, value(frame, 80, 48, 1), "green");
            assertNear(blue, value(frame, 80, 48, 2), "blue");
        }
    }

    @ParameterizedTest
    @CsvSource({"LIMITED, 235, 255", "LIMITED, 16, 0", "FULL, 200, 200"})
    void greyHasTheWholeRange(ColorInfo.Range range, int luma, int grey) throws Exception {
        publisher = ring().color(new ColorInfo(1, 1, 1, range)).open();
        try (CuframesFrameGrabber grabber = grabber("&timeout=60s")) {
            grabber.setImageMode(FrameGrabber.ImageMode.GRAY);
            grabber.start();
            publish(0, luma, 100, 160);
            Frame frame = grabber.grab();
            assertEquals(1, frame.imageChannels);
            assertNear(grey, value(frame, 10, 10, 0), "grey");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "COLOR, RAW, COLOR, GRAY, RAW, GRAY, COLOR",
        "RAW, COLOR, RAW, GRAY, COLOR, GRAY, RAW",
        "GRAY, COLOR, GRAY, RAW, COLOR, RAW, GRAY",
        "RAW, RAW, GRAY, GRAY, RAW, COLOR, COLOR"
    })
    void theModeMayChangeOnAStartedGrabberAtAnyFrame(@AggregateWith(Modes.class) List<FrameGrabber.ImageMode> modes)
            throws Exception {
        publisher = ring().color(new ColorInfo(1, 1, 1, ColorInfo.Range.FULL)).open();
        try (CuframesFrameGrabber grabber = grabber("&timeout=60s")) {
            grabber.setImageMode(modes.getFirst());
            grabber.start();
            int grey = 40;
            for (FrameGrabber.ImageMode mode : modes) {
                grabber.setImageMode(mode);
                publish(0, grey, 128, 128);
                assertShows(grabber.grab(), mode, grey);
                grey += 20;
            }
        }
    }

    private static final class Modes implements ArgumentsAggregator {
        @Override
        public Object aggregateArguments(ArgumentsAccessor accessor, ParameterContext context) {
            return accessor.toList().stream()
                    .map(word -> FrameGrabber.ImageMode.valueOf(word.toString()))
                    .toList();
        }
    }

    private static void assertShows(Frame frame, FrameGrabber.ImageMode mode, int grey) {
        boolean raw = mode == FrameGrabber.ImageMode.RAW;
        int channels = mode == FrameGrabber.ImageMode.COLOR ? 3 : 1;
        assertEquals(raw ? 2 : 1, frame.image.length, mode + ": planes");
        assertEquals(raw, frame.image[0].isReadOnly(), mode + ": the ring's own");
        assertEquals(channels, frame.imageChannels, mode.toString());
        assertEquals(WIDTH, frame.imageWidth);
        assertEquals(HEIGHT, frame.imageHeight);
        for (int channel = 0; channel < channels; channel++) {
            assertNear(grey, value(frame, WIDTH - 1, HEIGHT - 1, channel), mode + ", channel " + channel);
        }
    }

    @Test
    void whatTheRingHasIsNotShownOnceStoppedWhateverTheModeIsThen() throws Exception {
        publisher = ring().open();
        try (CuframesFrameGrabber grabber = grabber("&timeout=60s")) {
            grabber.setImageMode(FrameGrabber.ImageMode.RAW);
            grabber.start();
            publish(0, 100, 128, 128);
            Frame frame = grabber.grab();
            grabber.setImageMode(FrameGrabber.ImageMode.COLOR);
            grabber.stop();
            assertNull(frame.image);
            assertNull(frame.opaque);
        }
    }

    @Test
    void aModeThatDoesNotSuitTheSettingsIsSaidAtTheNextFrame() throws Exception {
        publisher = ring().open();
        try (CuframesFrameGrabber grabber = grabber("&timeout=60s")) {
            grabber.setImageWidth(50);
            grabber.start();
            grabber.setImageMode(FrameGrabber.ImageMode.RAW);
            publish(0, 100, 128, 128);
            FrameGrabber.Exception refused = assertThrows(FrameGrabber.Exception.class, grabber::grab);
            assertTrue(refused.getMessage().contains("are not scaled"), refused.getMessage());
            grabber.setImageMode(FrameGrabber.ImageMode.GRAY);
            publish(0, 100, 128, 128);
            assertEquals(50, grabber.grab().imageWidth);
        }
    }

    @Test
    void picturesAreScaledAndArrangedAsAskedFor() throws Exception {
        publisher = ring().color(BT709).open();
        try (CuframesFrameGrabber grabber = grabber("&timeout=60s")) {
            grabber.setImageWidth(50);
            grabber.setImageHeight(31);
            grabber.setPixelFormat(AV_PIX_FMT_BGRA);
            grabber.start();
            publish(0, 63, 102, 240);
            Frame frame = grabber.grab();
            assertEquals(50, grabber.getImageWidth());
            assertEquals(50, frame.imageWidth);
            assertEquals(31, frame.imageHeight);
            assertEquals(4, frame.imageChannels);
            assertNear(255, value(frame, 49, 30, 2), "red");
            assertEquals(255, value(frame, 49, 30, 3), "opacity");
        }
    }

    @Test
    void rawPlanesAreTheRingsOwn() throws Exception {
        publisher = ring().open();
        try (CuframesFrameGrabber grabber = grabber("&timeout=60s")) {
            grabber.setImageMode(FrameGrabber.ImageMode.RAW);
            grabber.start();
            assertEquals(AV_PIX_FMT_NV12, grabber.getPixelFormat());
            publish(0, 10, 20, 30);
            Frame frame = grabber.grab();
            assertEquals(2, frame.image.length);
            ByteBuffer chroma = (ByteBuffer) frame.image[1];
            assertTrue(chroma.isDirect() && chroma.isReadOnly());
            assertEquals(10, ((ByteBuffer) frame.image[0]).get(0));
            assertEquals(20, chroma.get(0));
            assertEquals(30, chroma.get(1));
            io.cuframes.Frame behind = (io.cuframes.Frame) frame.opaque;
            assertEquals(
                    behind.plane(1).segment().address(),
                    java.lang.foreign.MemorySegment.ofBuffer(chroma).address(),
                    "no copy");
            assertEquals(behind.plane(0).pitch(), frame.imageStride);
            grabber.stop();
            assertNull(frame.image);
        }
    }

    @Test
    void valuesOf16BitsAreCountedAsSuch() throws Exception {
        publisher = ring().format(PixelFormat.P010).open();
        try (CuframesFrameGrabber grabber = grabber("&timeout=60s")) {
            grabber.setImageMode(FrameGrabber.ImageMode.RAW);
            grabber.start();
            publish(0, 0x40, 0x12, 1, 2, 3, 4);
            Frame frame = grabber.grab();
            assertEquals(Frame.DEPTH_USHORT, frame.imageDepth);
            assertEquals(0x1240, ((ShortBuffer) frame.image[0]).get(frame.imageStride * 5 + 7));
        }
    }

    @ParameterizedTest
    @CsvSource({"RGB24, 10, 20, 30, 0", "RGBA, 10, 20, 30, 255", "GRAY8, 77, 0, 0, 0"})
    void ringsOfOtherFormatsAreReadToo(PixelFormat format, int a, int b, int c, int d) throws Exception {
        publisher = ring().format(format).size(161, 97).open();
        try (CuframesFrameGrabber grabber = grabber("&timeout=60s")) {
            grabber.start();
            publish(0, a, b, c, d);
            Frame frame = grabber.grab();
            assertEquals(161, frame.imageWidth);
            assertNear(format == PixelFormat.GRAY8 ? a : c, value(frame, 160, 96, 0), "blue");
            assertNear(a, value(frame, 160, 96, 2), "red");
        }
    }

    @Test
    void withoutAnImageNothingIsCopied() throws Exception {
        publisher = ring().open();
        try (CuframesFrameGrabber grabber = grabber("&timeout=60s&image=none")) {
            grabber.start();
            publish(0, 10, 20, 30);
            Frame frame = grabber.grab();
            assertNull(frame.image);
            assertEquals(WIDTH, frame.imageWidth);
            assertEquals(
                    10, ((io.cuframes.Frame) frame.opaque).plane(0).segment().get(ValueLayout.JAVA_BYTE, 0));
        }
    }

    @Test
    void theModeSaysWhichFramesAreGrabbed() throws Exception {
        publisher = ring().open();
        try (CuframesFrameGrabber newest = grabber("&timeout=60s");
                CuframesFrameGrabber strict = grabber("&mode=strict&timeout=60s")) {
            newest.start();
            strict.start();
            for (int i = 0; i < 3; i++) {
                publish(i * 40_000_000L, 16, 128, 128);
            }
            newest.grab();
            assertEquals(3, newest.getFrameNumber());
            strict.grab();
            assertEquals(1, strict.getFrameNumber());
            strict.trigger();
            publish(120_000_000, 16, 128, 128);
            strict.grab();
            assertEquals(4, strict.getFrameNumber(), "after trigger, what was in the ring is not grabbed");
        }
    }

    @Test
    void aGrabThatFindsNoFrameInTimeThrowsAndMayBeCalledAgain() throws Exception {
        publisher = ring().open();
        try (CuframesFrameGrabber grabber = grabber("")) {
            grabber.setTimeout(50);
            grabber.start();
            FrameGrabber.Exception late = assertThrows(FrameGrabber.Exception.class, grabber::grab);
            assertTrue(late.getMessage().contains("no frame within 50 ms"), late.getMessage());
            publish(0, 16, 128, 128);
            grabber.stop();
            grabber.setTimeout(20_000);
            grabber.restart();
            publish(0, 16, 128, 128);
            assertNotNull(grabber.grab());
        }
    }

    @Test
    void aPublisherThatDiesIsAnExceptionAtEveryGrab() throws Exception {
        Process process = OtherPublisher.start(key, sockets);
        try (CuframesFrameGrabber grabber = grabber("&connect=60s&timeout=60s")) {
            grabber.start();
            assertNotNull(grabber.grab());
            process.destroyForcibly().waitFor();
            FrameGrabber.Exception gone = null;
            for (int i = 0; gone == null; i++) {
                assertTrue(i < 100, "frames of a dead publisher");
                gone = grabOrFailure(grabber);
            }
            assertDied(gone);
            assertDied(assertThrows(FrameGrabber.Exception.class, grabber::grab));
        } finally {
            process.destroyForcibly();
        }
    }

    private static FrameGrabber.Exception grabOrFailure(FrameGrabber grabber) {
        try {
            assertNotNull(grabber.grab(), "a publisher that died has not ended the stream");
            return null;
        } catch (FrameGrabber.Exception e) {
            return e;
        }
    }

    private static void assertDied(FrameGrabber.Exception gone) {
        PublisherGoneException cause = assertInstanceOf(PublisherGoneException.class, gone.getCause());
        assertEquals(PublisherGoneException.Reason.DIED, cause.reason());
        assertEquals(cause.getMessage(), gone.getMessage());
    }

    @Test
    void aGrabberThatReconnectsReadsOnWithFramesOfAnotherSize() throws Exception {
        publisher = ring().open();
        try (CuframesFrameGrabber grabber = grabber("&timeout=60s&reconnect=true")) {
            grabber.start();
            publish(0, 16, 128, 128);
            assertEquals(WIDTH, grabber.grab().imageWidth);
            publisher = publisher.reopen(FrameFormat.of(PixelFormat.NV12, 64, 48, BT709));
            publish(0, 63, 102, 240);
            Frame frame = grabber.grab();
            assertEquals(64, frame.imageWidth);
            assertEquals(48, grabber.getImageHeight());
            assertNear(255, value(frame, 63, 47, 2), "red");
        }
    }

    @Test
    void withoutReconnectingAChangeOfFormatIsAnException() throws Exception {
        publisher = ring().open();
        try (CuframesFrameGrabber grabber = grabber("&timeout=60s")) {
            grabber.start();
            publisher = publisher.reopen(FrameFormat.of(PixelFormat.NV12, 64, 48, BT709));
            assertInstanceOf(
                    PublisherGoneException.class,
                    assertThrows(FrameGrabber.Exception.class, grabber::grab).getCause());
            grabber.restart();
            publish(0, 16, 128, 128);
            assertEquals(64, grabber.grab().imageWidth);
        }
    }

    @Test
    void stoppingEndsAGrabThatWaits() throws Exception {
        publisher = ring().open();
        CuframesFrameGrabber grabber = grabber("");
        grabber.setTimeout(0);
        grabber.start();
        AtomicReference<Throwable> end = new AtomicReference<>();
        Thread waiting = Thread.ofPlatform().start(() -> {
            try {
                grabber.grab();
            } catch (FrameGrabber.Exception e) {
                end.set(e);
            }
        });
        while (waiting.getState() == Thread.State.NEW) {
            Thread.onSpinWait();
        }
        grabber.close();
        waiting.join(60_000);
        assertFalse(waiting.isAlive());
        assertTrue(end.get().getMessage().contains("stopped")
                || end.get().getMessage().contains("start()"));
        grabber.close();
    }

    @Test
    void anInterruptedGrabThrowsAndTheThreadStaysInterrupted() throws Exception {
        publisher = ring().open();
        try (CuframesFrameGrabber grabber = grabber("")) {
            grabber.start();
            Thread.currentThread().interrupt();
            FrameGrabber.Exception interrupted = assertThrows(FrameGrabber.Exception.class, grabber::grab);
            assertTrue(Thread.interrupted());
            assertTrue(interrupted.getMessage().contains("interrupted"), interrupted.getMessage());
        }
    }

    @Test
    void whatIsWrongIsSaidAtTheStart() {
        assertSays(
                "start() comes before grab()",
                assertThrows(FrameGrabber.Exception.class, () -> grabber("").grab()));
        assertSays("none of the words known here: connect, device", startFails("&mod=strict"));
        assertSays("no publisher", startFails("&connect=10ms"));
        CuframesFrameGrabber grabber = grabber("");
        grabber.setImageMode(FrameGrabber.ImageMode.RAW);
        grabber.setImageWidth(100);
        assertSays("not scaled", assertThrows(FrameGrabber.Exception.class, grabber::start));
        CuframesFrameGrabber format = grabber("");
        format.setPixelFormat(AV_PIX_FMT_NV12);
        assertSays("AV_PIX_FMT_BGR24", assertThrows(FrameGrabber.Exception.class, format::start));
        CuframesFrameGrabber interlaced = grabber("");
        interlaced.setDeinterlace(true);
        assertSays("deinterlace", assertThrows(FrameGrabber.Exception.class, interlaced::start));
        assertSays(
                "live stream",
                assertThrows(FrameGrabber.Exception.class, () -> grabber("").setTimestamp(5)));
        assertSays(
                "live stream",
                assertThrows(FrameGrabber.Exception.class, () -> grabber("").setFrameNumber(5)));
    }

    private FrameGrabber.Exception startFails(String words) {
        return assertThrows(FrameGrabber.Exception.class, () -> grabber(words).start());
    }

    private static void assertSays(String text, FrameGrabber.Exception error) {
        assertTrue(error.getMessage().contains(text), error.getMessage());
    }

    @Test
    void anOptionOfAnotherGrabberIsNoError() throws Exception {
        publisher = ring().open();
        try (CuframesFrameGrabber grabber = grabber("")) {
            grabber.setOption("rtsp_transport", "tcp");
            grabber.setOption("mode", "strict");
            grabber.setOption("timeout", "20s");
            grabber.start();
            publish(0, 16, 128, 128);
            publish(1, 16, 128, 128);
            grabber.grab();
            assertEquals(1, grabber.getFrameNumber());
            assertEquals(1, grabber.subscriber().received());
        }
    }
}
