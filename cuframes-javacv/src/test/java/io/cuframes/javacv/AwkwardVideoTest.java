// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ColorInfo;
import io.cuframes.Frame;
import io.cuframes.Publisher;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import io.cuframes.Transport;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What comes of video that is not progressive 8-bit 4:2:0 of even size at a steady rate: as the table in docs/integration.md says. */
@Timeout(120)
class AwkwardVideoTest {
    private static final long SECOND = 1_000_000_000;

    /** Of one colour: Y 63, U 102, V 240 in BT.709, limited range, is red. */
    private static final String RED = "color=red:r=25:s=";

    @TempDir
    private Path directory;

    private final String key = "awkward-" + ProcessHandle.current().pid();

    /** What was read of a stream. */
    private record Played(
            String description,
            int width,
            int height,
            ColorInfo color,
            List<Long> times,
            int y,
            int u,
            int v,
            long errors) {}

    private static VideoSource.Builder cpu(Path clip) {
        return VideoSource.builder(clip.toString()).decoder(VideoSource.Decoder.CPU);
    }

    /** Plays it all; the samples are those at the last pixel of the first frame. */
    private Played play(Path clip) {
        try (VideoSource source = cpu(clip).open()) {
            assertTrue(source.awaitFrame());
            try (Publisher publisher = Publisher.builder(key)
                            .size(source.format().width(), source.format().height())
                            .color(source.format().color())
                            .transport(Transport.HOST)
                            .socketDirectory(directory)
                            .open();
                    Subscriber subscriber = Subscriber.builder(key)
                            .mode(SubscriberMode.STRICT_ORDER)
                            .socketDirectory(directory)
                            .open()) {
                List<Long> times = new ArrayList<>();
                int[] samples = new int[3];
                while (source.publishNext(publisher) == VideoSource.Status.PUBLISHED) {
                    try (Frame frame = subscriber.next(Duration.ofSeconds(60))) {
                        if (times.isEmpty()) {
                            samples[0] = last(frame, 0, 0);
                            samples[1] = last(frame, 1, 0);
                            samples[2] = last(frame, 1, 1);
                        }
                        times.add(frame.ptsNanos());
                        assertFalse(frame.isPtsBackward());
                    }
                }
                return new Played(
                        source.describe(),
                        publisher.format().width(),
                        publisher.format().height(),
                        publisher.format().color(),
                        times,
                        samples[0],
                        samples[1],
                        samples[2],
                        source.errors());
            }
        }
    }

    private static int last(Frame frame, int plane, int component) {
        int size = frame.plane(plane).layout().sampleBytes();
        long at = (long) (frame.plane(plane).height() - 1) * frame.plane(plane).pitch()
                + (long) (frame.plane(plane).width() - 1) * size
                + component;
        return frame.plane(plane).segment().get(ValueLayout.JAVA_BYTE, at) & 255;
    }

    private static void assertNear(int wanted, int got, String what) {
        assertTrue(Math.abs(wanted - got) <= 4, what + " is " + got + ", not " + wanted);
    }

    private static void assertRed(Played played) {
        assertNear(81, played.y(), "Y"); // FFmpeg's picture is in BT.601
        assertNear(90, played.u(), "U");
        assertNear(240, played.v(), "V");
    }

    @ParameterizedTest
    @CsvSource({
        "321x241, yuv444p, 320, 240, 'yuv444p converted to NV12, cropped from 321x241 to even'",
        "320x241, yuv444p, 320, 240, 'yuv444p converted to NV12, cropped from 320x241 to even'",
        "322x242, yuv422p, 322, 242, 'yuv422p converted to NV12'",
        "322x242, yuv420p10le, 322, 242, 'yuv420p10le converted to NV12'",
        "322x242, yuv422p10le, 322, 242, 'yuv422p10le converted to NV12'",
        "322x242, yuv444p10le, 322, 242, 'yuv444p10le converted to NV12'"
    })
    void otherSizesAndSamplesAreConvertedAndItIsSaid(
            String size, String samples, int width, int height, String conversion) throws Exception {
        Path clip = Clips.program(
                directory.resolve("clip.mp4"),
                RED + size,
                5,
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-pix_fmt",
                samples);
        Played played = play(clip);
        assertEquals(width, played.width());
        assertEquals(height, played.height());
        assertEquals(5, played.times().size());
        assertEquals(0, played.errors());
        assertTrue(played.description().endsWith(", CPU, " + conversion), played.description());
        assertRed(played);
    }

    /** Without a GPU, or where NVDEC cannot: somebody reads it in the log, if nobody listens. */
    @Test
    void theCpuInsteadOfNvdecIsInTheLog() {
        Path clip = directory.resolve("clip.avi");
        try (TestPatternWriter writer = TestPatternWriter.builder(clip.toString())
                .size(320, 240)
                .codec("flv")
                .open()) {
            writer.write();
        }
        List<String> said = new CopyOnWriteArrayList<>();
        Handler handler = new Handler() {
            @Override
            public void publish(LogRecord line) {
                said.add(line.getLevel() + " " + line.getMessage());
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger log = Logger.getLogger(VideoSource.class.getName());
        log.addHandler(handler);
        log.setUseParentHandlers(false);
        try (VideoSource source = VideoSource.builder(clip.toString()).open()) {
            assertEquals(VideoSource.Decoder.CPU, source.decoder());
            assertEquals(List.of("WARNING " + clip + " is decoded on the CPU: NVDEC does not decode flv1"), said);
        } finally {
            log.removeHandler(handler);
            log.setUseParentHandlers(true);
        }
    }

    /** An odd picture of 4:2:0 has half a chroma sample at its edge: the last column and row go. */
    @Test
    void anOddPictureIsCropped() throws Exception {
        Path clip =
                Clips.program(directory.resolve("clip.mkv"), RED + "321x241", 3, "-c:v", "ffv1", "-pix_fmt", "yuv420p");
        Played played = play(clip);
        assertEquals(320, played.width());
        assertEquals(240, played.height());
        assertRed(played);
    }

    @Test
    void interlacedFramesStayWoven() throws Exception {
        Path clip = Clips.program(
                directory.resolve("clip.ts"),
                RED + "320x240",
                10,
                "-vf",
                "setfield=tff",
                "-c:v",
                "mpeg2video",
                "-flags",
                "+ildct+ilme");
        Played played = play(clip);
        assertEquals(10, played.times().size(), "a frame of both fields for each pair");
        assertEquals(240, played.height());
        assertRed(played);
        assertTrue(played.description().contains("interlaced"), played.description());
    }

    @Test
    void rotationIsSaidAndNotDone() throws Exception {
        Path upright = Clips.program(directory.resolve("upright.mp4"), RED + "320x240", 5, "-c:v", "libx264");
        Path rotated = Clips.remux(upright, directory.resolve("rotated.mp4"), List.of("-display_rotation", "90"));
        Played played = play(rotated);
        assertEquals(320, played.width(), "as coded");
        assertEquals(240, played.height());
        assertTrue(
                played.description().contains("to be shown rotated by 90 degrees counter-clockwise"),
                played.description());
        assertFalse(play(upright).description().contains("rotated"));
    }

    @Test
    void aVariableFrameRateKeepsItsTimes() throws Exception {
        Path clip = Clips.program(
                directory.resolve("clip.mkv"),
                RED + "320x240",
                6,
                "-vf",
                "setpts='N*N*0.04/TB'", // 0, 40, 160, 360 ms and so on
                "-fps_mode",
                "passthrough",
                "-c:v",
                "libx264");
        Played played = play(clip);
        for (int i = 0; i < 6; i++) {
            assertEquals(40_000_000L * i * i, played.times().get(i));
        }
    }

    /** Three pieces: from 0 s, from 1000 s, and from 0 s again. */
    @Test
    void timestampsThatJumpBackGoOnAndForwardAreKept() throws Exception {
        Path early = Clips.program(
                directory.resolve("early.ts"),
                RED + "320x240",
                5,
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-bf",
                "0");
        Path late = Clips.remux(early, directory.resolve("late.ts"), List.of(), "-copyts", "-output_ts_offset", "1000");
        Path two = Clips.concatenate(directory.resolve("two.ts"), early, late);
        Played played = play(Clips.concatenate(directory.resolve("three.ts"), two, early));
        assertEquals(15, played.times().size());
        for (int i = 1; i < 15; i++) {
            long step = played.times().get(i) - played.times().get(i - 1);
            assertTrue(step > 0, "time never goes back: frame " + i);
            if (i == 5) { // nobody knows that a jump ahead is none
                assertTrue(Math.abs(step - 1000 * SECOND) < 5 * SECOND, "frame 5 comes " + step + " ns later");
            } else {
                assertTrue(Math.abs(step - SECOND / 25) <= 1_000_000, "frame " + i + " comes " + step + " ns later");
            }
        }
    }
}
