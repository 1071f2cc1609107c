// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ColorInfo;
import io.cuframes.Frame;
import io.cuframes.FrameFormat;
import io.cuframes.PixelFormat;
import io.cuframes.Publisher;
import io.cuframes.Subscriber;
import io.cuframes.TimeBase;
import io.cuframes.Transport;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Frames go to publishers of their own format alone. */
class FormatChangeTest {
    private static final String PICTURE = "testsrc2=s=320x240:r=25";

    @TempDir
    private Path directory;

    private final String key = "javacv-format-" + ProcessHandle.current().pid();

    @Test
    void otherColoursOfTheSameSizeAreAnotherFormat() throws Exception {
        Path first = Clips.program(directory.resolve("first.h264"), PICTURE, 10, colours("bt709", "off"));
        Path second = Clips.program(directory.resolve("second.h264"), PICTURE, 10, colours("smpte170m", "on"));
        Path both = Clips.concatenate(directory.resolve("both.h264"), first, second);
        try (VideoSource source = cpu(both).open()) {
            Publisher publisher = open(source.format());
            try {
                assertEquals(
                        new ColorInfo(1, 1, 1, ColorInfo.Range.LIMITED),
                        publisher.format().color());
                publish(source, publisher, 10);
                assertEquals(VideoSource.Status.FORMAT_CHANGED, source.publishNext(publisher));
                assertEquals(VideoSource.Status.FORMAT_CHANGED, source.publishNext(publisher));
                assertEquals(10, publisher.published());
                publisher = publisher.reopen(source.format());
                assertEquals(
                        new ColorInfo(6, 6, 6, ColorInfo.Range.FULL),
                        publisher.format().color());
                publish(source, publisher, 10);
                assertEquals(VideoSource.Status.END, source.publishNext(publisher));
            } finally {
                publisher.close();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = PixelFormat.class, mode = EnumSource.Mode.EXCLUDE, names = "NV12")
    void aRingOfAnotherPixelFormatGetsNoFrame(PixelFormat other) {
        Path clip = Clips.make(directory.resolve("clip.mp4"), "libx264", 2);
        try (VideoSource source = cpu(clip).open()) {
            FrameFormat format = source.format();
            Publisher publisher = open(FrameFormat.of(other, format.width(), format.height(), format.color()));
            try {
                assertEquals(VideoSource.Status.FORMAT_CHANGED, source.publishNext(publisher));
                assertEquals(0, publisher.published());
                publisher = publisher.reopen(source.format());
                publish(source, publisher, 2);
            } finally {
                publisher.close();
            }
        }
    }

    private static String[] colours(String standard, String fullRange) {
        return new String[] {
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-x264-params",
            "colorprim=" + standard + ":transfer=" + standard + ":colormatrix=" + standard + ":fullrange=" + fullRange
        };
    }

    /** VP8 says in its frames alone what their colours are. */
    @Test
    void aPublisherOfTheFirstFramesFormatSuitsWhereTheStreamAnnouncesLess() throws Exception {
        Path clip = Clips.program(directory.resolve("clip.webm"), PICTURE, 5, "-c:v", "libvpx");
        try (VideoSource source = cpu(clip).open()) {
            FrameFormat announced = source.format();
            assertTrue(source.awaitFrame());
            assertTrue(source.awaitFrame());
            assertNotEquals(announced.color(), source.format().color());
            try (Publisher publisher = open(source.format())) {
                publish(source, publisher, 5);
                assertEquals(VideoSource.Status.END, source.publishNext(publisher));
            }
        }
    }

    /** What is coded is full-range, and what becomes of it in NV12 is not. */
    @ParameterizedTest
    @ValueSource(strings = {"rgb24", "pal8"})
    void convertedFramesSayTheRangeThatTheyAreConvertedTo(String format) throws Exception {
        Path clip = Clips.program(
                directory.resolve("white.mov"), "color=white:s=320x240", 1, "-c:v", "png", "-pix_fmt", format);
        try (VideoSource source = cpu(clip).open();
                Publisher publisher = open(source.format());
                Subscriber subscriber =
                        Subscriber.builder(key).socketDirectory(directory).open()) {
            publish(source, publisher, 1);
            assertEquals(ColorInfo.Range.LIMITED, publisher.format().color().range());
            try (Frame frame = subscriber.next(Duration.ofSeconds(60))) {
                int white = frame.plane(0).segment().get(ValueLayout.JAVA_BYTE, 0) & 255;
                assertTrue(white > 200 && white <= 235, "white is " + white); // the palette has no better one than 224
            }
        }
    }

    /** The ring stays, and what is done to the frames does not. */
    @Test
    void otherSamplesOfTheSameFormatAreSaid() throws Exception {
        Path both = ofTwoSamples();
        List<Pictures.Picture> pictures = Pictures.of(both, directory, 20);
        assertEquals(20, pictures.size());
        String first = pictures.get(9).description();
        String second = pictures.get(10).description();
        assertTrue(first.endsWith(", CPU, yuv420p converted to NV12"), first);
        assertTrue(second.endsWith(", CPU, yuv422p10le converted to NV12"), second);
    }

    @Test
    void otherSizesAreSaidWithWhatIsLeftOut() throws Exception {
        Path small = Clips.program(directory.resolve("small.h264"), PICTURE, 5, colours("bt709", "off"));
        Path odd = Clips.program(
                directory.resolve("odd.h264"), "color=red:s=321x241:r=25", 5, "-c:v", "libx264", "-pix_fmt", "yuv444p");
        Path all = Clips.concatenate(directory.resolve("both.h264"), small, odd);
        List<Pictures.Picture> pictures = Pictures.of(all, directory, 10);
        assertTrue(
                pictures.get(9)
                        .description()
                        .endsWith(" 320x240 25 fps, CPU, yuv444p converted to NV12, cropped from 321x241 to even"),
                pictures.get(9).description());
        assertFalse(pictures.get(4).description().contains("cropped"));
    }

    /** A GPU converts nothing; a size that is not even is cropped there, too. */
    @Test
    void aGpuIsSaidToCropAndNotToConvert() throws Exception {
        Path odd = Clips.program(
                directory.resolve("odd.mkv"), "color=red:s=321x241:r=25", 5, "-c:v", "libvpx-vp9", "-cpu-used", "8");
        try (HardwareDouble hardware = new HardwareDouble();
                VideoSource source = VideoSource.builder(odd.toString())
                        .hardware(hardware::open)
                        .open()) {
            String announced = source.describe();
            List<Pictures.Picture> pictures = Pictures.of(source, directory, Transport.HOST, 5);
            String said = pictures.getLast().description();
            assertTrue(said.endsWith(", NVDEC on device 0, cropped from 321x241 to even"), said);
            assertEquals(announced, said);
        }
    }

    private Path ofTwoSamples() throws Exception {
        Path first = Clips.program(directory.resolve("first.h264"), PICTURE, 10, "-c:v", "libx264");
        Path second = Clips.program(
                directory.resolve("second.h264"), PICTURE, 10, "-c:v", "libx264", "-pix_fmt", "yuv422p10le");
        return Clips.concatenate(directory.resolve("both.h264"), first, second);
    }

    @Test
    void theTimeBaseIsTheStreams() throws Exception {
        Path clip = Clips.make(directory.resolve("clip.ts"), "libx264", 3);
        try (VideoSource source = cpu(clip).open()) {
            assertEquals(new TimeBase(1, 90_000), source.timeBase());
        }
    }

    private static void publish(VideoSource source, Publisher publisher, int frames) {
        for (int i = 0; i < frames; i++) {
            assertEquals(VideoSource.Status.PUBLISHED, source.publishNext(publisher), "frame " + i);
        }
    }

    private Publisher open(FrameFormat format) {
        return Publisher.builder(key)
                .size(format.width(), format.height())
                .format(format.pixelFormat())
                .color(format.color())
                .transport(Transport.HOST)
                .socketDirectory(directory)
                .open();
    }

    private static VideoSource.Builder cpu(Path clip) {
        return VideoSource.builder(clip.toString()).decoder(VideoSource.Decoder.CPU);
    }
}
