// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The rate that a description says is that of the frames. */
@Timeout(120)
class FrameRateTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource({
        "0, ''",
        "0.000277777, 0.000278 fps",
        "0.04, 0.04 fps",
        "0.5, 0.5 fps",
        "1, 1 fps",
        "5, 5 fps",
        "10, 10 fps",
        "12.5, 12.5 fps",
        "23.976023, 23.976 fps",
        "25, 25 fps",
        "29.97003, 29.97 fps",
        "50, 50 fps",
        "59.94006, 59.94 fps",
        "100, 100 fps",
        "119.88012, 119.88 fps",
        "1000, 1000 fps"
    })
    void isSaidInFewDigits(double rate, String text) {
        assertEquals(text, FrameRate.text(rate));
    }

    @ParameterizedTest
    @CsvSource({
        "mp4, 5, 5 fps",
        "mkv, 5, 5 fps",
        "ts, 5, 5 fps",
        "flv, 5, 5 fps",
        "h264, 5, 5 fps",
        "mp4, 1, 1 fps",
        "mkv, 1, 1 fps",
        "ts, 1, 1 fps",
        "h264, 1, 1 fps",
        "mkv, 12.5, 12.5 fps",
        "h264, 12.5, 12.5 fps",
        "mp4, 24000/1001, 23.976 fps",
        "h264, 24000/1001, 23.976 fps",
        "ts, 30000/1001, 29.97 fps",
        "mkv, 60000/1001, 59.94 fps",
        "h264, 60000/1001, 59.94 fps"
    })
    void isThatOfTheStream(String ending, String rate, String text) throws Exception {
        Path clip = Clips.program(
                directory.resolve("clip." + ending),
                "testsrc2=s=64x48:r=" + rate,
                20,
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast");
        assertRate(clip, text);
        List<Pictures.Picture> pictures = Pictures.of(clip, directory, 20);
        double perSecond =
                19e9 / (pictures.getLast().pts() - pictures.getFirst().pts());
        double wanted = Double.parseDouble(text.replace(" fps", ""));
        assertEquals(wanted, perSecond, wanted / 50, "the frames' times are at that rate");
    }

    @ParameterizedTest
    @CsvSource({
        "libx264, mp4",
        "libx264, mkv",
        "libx264, ts",
        "libx264, h264",
        "mpeg2video, ts",
        "mpeg2video, mkv",
        "mpeg2video, m2v"
    })
    void ofInterlacedFramesCountsFrames(String codec, String ending) throws Exception {
        Path clip = Clips.program(
                directory.resolve("clip." + ending),
                "testsrc2=s=320x240:r=25",
                25,
                "-vf",
                "setfield=tff",
                "-c:v",
                codec,
                "-flags",
                "+ildct+ilme",
                "-bf",
                "0");
        assertRate(clip, "25 fps");
        assertTrue(Pictures.of(clip, directory, 1).getFirst().description().contains(", interlaced"));
    }

    /** Frames at 0, 4, 16, 36 ms and so on. */
    @ParameterizedTest
    @CsvSource({"mp4"})
    void ofUnsteadyFramesIsTheMean(String ending) throws Exception {
        Path clip = Clips.program(
                directory.resolve("clip." + ending),
                "testsrc2=s=64x48:r=25",
                50,
                "-vf",
                "setpts='N*N*0.004/TB'",
                "-fps_mode",
                "passthrough",
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast");
        assertRate(clip, "5.187 fps"); // 50 frames in 9.604 s, and the last for 36 ms
    }

    private static void assertRate(Path clip, String text) {
        try (VideoSource source = VideoSource.builder(clip.toString())
                .decoder(VideoSource.Decoder.CPU)
                .open()) {
            assertTrue(source.describe().contains(" " + text + ", CPU"), source.describe());
        }
    }
}
