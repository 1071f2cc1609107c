// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.av_display_matrix_flip;
import static org.bytedeco.ffmpeg.global.avutil.av_display_rotation_set;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.IntPointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is to be done for showing the frames is said, and not done. */
@Timeout(120)
class PresentationTest {
    @TempDir
    private Path directory;

    private Path clip(String file, String filter) throws Exception {
        return Clips.program(
                directory.resolve(file),
                "testsrc2=s=320x240:r=25",
                3,
                "-vf",
                filter,
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast");
    }

    private static String announced(Path clip) {
        try (VideoSource source = VideoSource.builder(clip.toString())
                .decoder(VideoSource.Decoder.CPU)
                .open()) {
            return source.describe();
        }
    }

    private String said(Path clip) {
        Pictures.Picture picture = Pictures.of(clip, directory, 1).getFirst();
        assertEquals(320, picture.width(), "as coded");
        assertEquals(240, picture.height(), "as coded");
        return picture.description();
    }

    /** A transport stream and a raw one have it in the coded stream alone. */
    @ParameterizedTest
    @ValueSource(strings = {"mp4", "mkv", "ts", "h264"})
    void pixelsThatAreNotSquareAreSaid(String ending) throws Exception {
        Path clip = clip("clip." + ending, "setsar=4/3");
        assertTrue(said(clip).endsWith(", pixels 4:3, to be shown as 427x240"), said(clip));
        assertFalse(said(clip("square." + ending, "setsar=1")).contains("pixels"));
        assertFalse(said(clip("unknown." + ending, "setsar=0")).contains("pixels"));
    }

    @Test
    void theContainersPixelsGoBeforeTheCodedOnes() throws Exception {
        Path clip = Clips.remux(
                clip("coded.mp4", "setsar=4/3"), directory.resolve("clip.mkv"), List.of(), "-aspect", "2:1");
        assertTrue(announced(clip).endsWith(", pixels 3:2, to be shown as 480x240"), announced(clip));
        assertTrue(said(clip).endsWith(", pixels 3:2, to be shown as 480x240"), said(clip));
    }

    @Test
    void pixelsThatBecomeOthersAreSaid() throws Exception {
        Path both = Clips.concatenate(
                directory.resolve("both.h264"), clip("first.h264", "setsar=4/3"), clip("second.h264", "setsar=6/11"));
        List<Pictures.Picture> pictures = Pictures.of(both, directory, 6);
        assertTrue(pictures.get(2).description().endsWith(", pixels 4:3, to be shown as 427x240"));
        assertTrue(pictures.get(3).description().endsWith(", pixels 6:11, to be shown as 175x240"));
        assertEquals(6, pictures.size());
    }

    @ParameterizedTest
    @CsvSource({
        "90, false, false, rotated by 90 degrees counter-clockwise",
        "180, false, false, rotated by 180 degrees counter-clockwise",
        "-90, false, false, rotated by 270 degrees counter-clockwise",
        "0, true, false, mirrored horizontally",
        "0, false, true, mirrored vertically",
        "0, true, true, rotated by 180 degrees counter-clockwise",
        "90, true, false, 'mirrored horizontally, then rotated by 270 degrees counter-clockwise'"
    })
    void aTurnIsSaid(String degrees, boolean horizontally, boolean vertically, String words) throws Exception {
        List<String> options = new ArrayList<>(List.of("-display_rotation", degrees));
        if (horizontally) {
            options.add("-display_hflip");
        }
        if (vertically) {
            options.add("-display_vflip");
        }
        Path turned = Clips.remux(clip("upright.mp4", "null"), directory.resolve("turned.mp4"), options);
        assertTrue(announced(turned).endsWith(", to be shown " + words), announced(turned));
        assertTrue(said(turned).endsWith(", to be shown " + words), said(turned));
    }

    /** A point of the picture is shown where the words take it: mirrored first, then rotated. */
    @Test
    void theWordsDoWhatTheMatrixDoes() {
        Ffmpeg.load();
        for (int clockwise = 0; clockwise < 360; clockwise += 45) {
            for (int flips = 0; flips < 4; flips++) {
                try (IntPointer matrix = new IntPointer(9)) {
                    av_display_rotation_set(matrix, clockwise);
                    av_display_matrix_flip(matrix, flips & 1, flips >> 1);
                    double a = matrix.get(0) / 65536.0;
                    double b = matrix.get(1) / 65536.0;
                    double c = matrix.get(3) / 65536.0;
                    double d = matrix.get(4) / 65536.0;
                    DisplayTurn turn = DisplayTurn.of(a, b, c, d);
                    assertTrue(turn.degrees() >= 0 && turn.degrees() < 360);
                    double x = turn.isMirrored() ? -3 : 3;
                    double y = 2;
                    double angle = Math.toRadians(turn.degrees());
                    assertEquals(a * 3 + c * 2, x * Math.cos(angle) + y * Math.sin(angle), 0.01, turn.toString());
                    assertEquals(b * 3 + d * 2, y * Math.cos(angle) - x * Math.sin(angle), 0.01, turn.toString());
                }
            }
        }
    }

    @Test
    void aMatrixOfNothingIsNoTurn() {
        assertEquals(DisplayTurn.NONE, DisplayTurn.of(0, 0, 0, 0));
        assertEquals(DisplayTurn.NONE, DisplayTurn.of(null, 36));
        assertEquals("", DisplayTurn.NONE.words());
    }

    /** As Exif counts them. */
    @ParameterizedTest
    @CsvSource({
        "2, mirrored horizontally",
        "3, rotated by 180 degrees counter-clockwise",
        "4, mirrored vertically",
        "5, 'mirrored horizontally, then rotated by 90 degrees counter-clockwise'",
        "6, rotated by 270 degrees counter-clockwise",
        "7, 'mirrored horizontally, then rotated by 270 degrees counter-clockwise'",
        "8, rotated by 90 degrees counter-clockwise"
    })
    void theOrientationOfAPhotographIsSaid(int orientation, String words) throws Exception {
        Path plain = Clips.program(directory.resolve("plain.jpg"), "testsrc2=s=320x240", 1);
        Path turned =
                Files.write(directory.resolve("turned.jpg"), withOrientation(Files.readAllBytes(plain), orientation));
        assertTrue(said(turned).endsWith(", to be shown " + words), said(turned));
        assertFalse(said(plain).contains("to be shown"), said(plain));
    }

    /** Exif of one entry, behind the start of the picture: big-endian TIFF, tag 0x0112 of type SHORT. */
    private static byte[] withOrientation(byte[] jpeg, int orientation) {
        byte[] exif = {
            (byte) 0xFF,
            (byte) 0xE1,
            0,
            34,
            'E',
            'x',
            'i',
            'f',
            0,
            0, // APP1, its length
            'M',
            'M',
            0,
            42,
            0,
            0,
            0,
            8, // the directory begins at 8
            0,
            1,
            1,
            0x12,
            0,
            3,
            0,
            0,
            0,
            1,
            0,
            (byte) orientation,
            0,
            0, // one entry
            0,
            0,
            0,
            0 // no other directory
        };
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.write(jpeg, 0, 2);
        all.write(exif, 0, exif.length);
        all.write(jpeg, 2, jpeg.length - 2);
        return all.toByteArray();
    }
}
