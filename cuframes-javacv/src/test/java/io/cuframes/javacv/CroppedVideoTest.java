// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the coded stream crops is not published, on whichever side it is. */
@Timeout(120)
class CroppedVideoTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource({
        "libx264, h264_metadata, yuv420p, 6, 2, 2, 12",
        "libx264, h264_metadata, yuv420p, 18, 34, 0, 0",
        "libx264, h264_metadata, yuv444p, 3, 1, 1, 1",
        "libx264, h264_metadata, yuv422p10le, 2, 3, 0, 0",
        "libx265, hevc_metadata, yuv420p, 6, 2, 2, 12",
        "libx265, hevc_metadata, yuv444p, 5, 7, 0, 0"
    })
    void thePictureIsTheVisiblePart(
            String codec, String filter, String samples, int left, int top, int right, int bottom) throws Exception {
        Path whole = whole(directory, codec, samples);
        Path cropped = crop(directory, whole, filter, left, top, right, bottom);
        int width = 320 - left - right;
        int height = 240 - top - bottom;
        try (VideoSource source = VideoSource.builder(cropped.toString())
                .decoder(VideoSource.Decoder.CPU)
                .open()) {
            assertEquals(width & ~1, source.format().width(), "as announced");
            assertEquals(height & ~1, source.format().height(), "as announced");
        }
        List<Pictures.Picture> all = Pictures.of(whole, directory, 3);
        List<Pictures.Picture> visible = Pictures.of(cropped, directory, 3);
        assertEquals(3, visible.size());
        int tolerance = samples.endsWith("10le") ? 1 : 0; // the pattern of the rounding begins with the picture
        for (int i = 0; i < 3; i++) {
            assertEquals(width & ~1, visible.get(i).width());
            assertEquals(height & ~1, visible.get(i).height());
            assertPart(all.get(i), visible.get(i), left, top, tolerance);
            assertEquals(
                    (width | height) % 2 != 0,
                    visible.get(i).description().contains("cropped from " + width + "x" + height + " to even"));
        }
    }

    static Path whole(Path directory, String codec, String samples) throws Exception {
        return Clips.program(
                directory.resolve("whole.mp4"),
                "testsrc2=s=320x240:r=25",
                3,
                "-c:v",
                codec,
                "-preset",
                "ultrafast",
                "-x265-params",
                "log-level=error",
                "-pix_fmt",
                samples);
    }

    static Path crop(Path directory, Path whole, String filter, int left, int top, int right, int bottom)
            throws Exception {
        return Clips.remux(
                whole,
                directory.resolve("cropped.mp4"),
                List.of(),
                "-bsf:v",
                filter + "=crop_left=" + left + ":crop_top=" + top + ":crop_right=" + right + ":crop_bottom=" + bottom);
    }

    private static void assertPart(Pictures.Picture all, Pictures.Picture part, int left, int top, int tolerance) {
        for (int row = 0; row < part.height(); row++) {
            for (int column = 0; column < part.width(); column++) {
                int wanted = all.y(left + column, top + row);
                assertEquals(wanted, part.y(column, row), tolerance, "luma at " + column + "," + row);
            }
        }
        boolean isAligned = left % 2 == 0 && top % 2 == 0; // else other samples meet in a pair of chroma
        for (int row = 0; isAligned && row < part.height() / 2; row++) {
            for (int column = 1; column < part.width() / 2 - 1; column++) {
                assertEquals(all.u(left / 2 + column, top / 2 + row), part.u(column, row), tolerance, "U");
                assertEquals(all.v(left / 2 + column, top / 2 + row), part.v(column, row), tolerance, "V");
            }
        }
    }

    /** A surface of a GPU: FFmpeg has cropped it right and bottom. */
    @Test
    void theVisiblePartOfASurfaceBeginsBehindWhatIsCropped() {
        VisiblePart part = VisiblePart.of(318, 228, 6, 2, 0, 0);
        assertEquals(new VisiblePart(6, 2, 312, 226), part);
        assertEquals(2 * 512 + 6, part.lumaOffset(512));
        assertEquals(512 + 6, part.chromaOffset(512), "a row of chroma belongs to two of luma, a pair to two columns");
        assertEquals(4L * 1_000_000_000, new VisiblePart(0, 4, 2, 2).lumaOffset(1_000_000_000), "beyond 2 GiB");
        assertEquals(new VisiblePart(2, 4, 92, 90), VisiblePart.of(100, 100, 2, 4, 6, 6));
    }

    @Test
    void croppingThatLeavesNothingIsNone() {
        assertEquals(new VisiblePart(0, 0, 320, 240), VisiblePart.of(320, 240, 160, 0, 160, 0));
        assertEquals(new VisiblePart(0, 0, 320, 240), VisiblePart.of(320, 240, 0, Long.MAX_VALUE, 0, 0));
        assertEquals(1, VisiblePart.of(320, 240, 159, 0, 160, 0).width());
    }
}
