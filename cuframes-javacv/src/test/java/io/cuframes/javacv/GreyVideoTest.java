// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ColorInfo;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Grey keeps its values, reduced to 8 bits, and its range. */
@Timeout(120)
class GreyVideoTest {
    @TempDir
    private Path directory;

    /** A ramp of all 256 values from left to right. */
    private Path ramp(String file, String samples, String scale, String range, String... options) throws Exception {
        String picture =
                "nullsrc=s=256x16:r=25,format=" + samples + ",geq=lum='X*" + scale + "',setparams=range=" + range;
        return Clips.program(directory.resolve(file), picture, 1, options);
    }

    private void assertRamp(Path clip, ColorInfo.Range range, int tolerance) {
        Pictures.Picture picture = Pictures.of(clip, directory, 1).getFirst();
        assertEquals(range, picture.color().range());
        for (int column = 0; column < 256; column++) {
            int error = Math.abs(column - picture.y(column, 8));
            assertTrue(error <= tolerance, column + " has become " + picture.y(column, 8));
        }
        for (byte chroma : picture.chroma()) {
            assertEquals(128, chroma & 255);
        }
    }

    @ParameterizedTest
    @CsvSource({"tv, LIMITED", "pc, FULL"})
    void ofHevc(String range, ColorInfo.Range label) throws Exception {
        Path clip = ramp(
                "clip.mkv",
                "gray",
                "1",
                range,
                "-c:v",
                "libx265",
                "-preset",
                "ultrafast",
                "-x265-params",
                "lossless=1:log-level=error");
        assertRamp(clip, label, 0);
    }

    @ParameterizedTest
    @CsvSource({"tv, LIMITED", "pc, FULL"})
    void ofH264(String range, ColorInfo.Range label) throws Exception {
        Path clip = ramp("clip.mkv", "gray", "1", range, "-c:v", "libx264", "-qp", "0", "-preset", "ultrafast");
        assertRamp(clip, label, 0);
    }

    @ParameterizedTest
    @CsvSource({"tv, LIMITED", "pc, FULL"})
    void ofAv1(String range, ColorInfo.Range label) throws Exception {
        Path clip = ramp(
                "clip.mkv", "gray", "1", range, "-c:v", "libaom-av1", "-cpu-used", "8", "-aom-params", "lossless=1");
        assertRamp(clip, label, 0);
    }

    @ParameterizedTest
    @CsvSource({
        "gray, 1, tv, LIMITED",
        "gray10le, 4, tv, LIMITED",
        "gray10le, 4, pc, FULL",
        "gray12le, 16, tv, LIMITED",
        "gray16le, 256, tv, LIMITED",
        "gray16le, 256, pc, FULL"
    })
    void ofManyBits(String samples, String scale, String range, ColorInfo.Range label) throws Exception {
        assertRamp(ramp("clip.mkv", samples, scale, range, "-c:v", "ffv1", "-strict", "experimental"), label, 0);
    }

    /** FFmpeg reports a range for PNG, and none for the others. */
    @ParameterizedTest
    @CsvSource({
        "ramp.png, gray, 1",
        "ramp.png, gray16be, 256",
        "ramp.tiff, gray, 1",
        "ramp.tiff, gray16le, 256",
        "ramp.pgm, gray, 1",
        "ramp.pgm, gray16be, 256",
        "ramp.tga, gray, 1",
        "ramp.sgi, gray, 1"
    })
    void ofPictures(String file, String samples, String scale) throws Exception {
        assertRamp(ramp(file, samples, scale, "pc", "-pix_fmt", samples), ColorInfo.Range.FULL, 0);
    }

    @ParameterizedTest
    @CsvSource({"ya8, 1", "ya16be, 256"})
    void ofPicturesWithOpacity(String samples, String scale) throws Exception {
        String deep = samples.equals("ya8") ? "gray" : "gray16be";
        Path clip = ramp("ramp.png", deep, scale, "pc", "-pix_fmt", samples);
        assertTrue(Pictures.of(clip, directory, 1).getFirst().description().contains(samples), "it is what is tested");
        assertRamp(clip, ColorInfo.Range.FULL, 0);
    }

    /** Java writes JPEG of one component, which FFmpeg's encoder does not. */
    @Test
    void ofJpeg() throws Exception {
        BufferedImage image = new BufferedImage(256, 16, BufferedImage.TYPE_BYTE_GRAY);
        for (int row = 0; row < 16; row++) {
            for (int column = 0; column < 256; column++) {
                image.getRaster().setSample(column, row, 0, column);
            }
        }
        Path file = directory.resolve("ramp.jpg");
        assertTrue(ImageIO.write(image, "jpg", file.toFile()));
        assertTrue(Pictures.of(file, directory, 1).getFirst().description().contains(", gray converted"));
        assertRamp(file, ColorInfo.Range.FULL, 5);
    }

    @ParameterizedTest
    @ValueSource(strings = {"white.png", "white.pbm", "white.xbm", "white.tiff"})
    void ofOneBit(String file) throws Exception {
        Path white = Clips.program(
                directory.resolve(file), "color=white:s=64x16,format=gray,format=monob", 1, "-frames:v", "1");
        Pictures.Picture picture = Pictures.of(white, directory, 1).getFirst();
        assertTrue(picture.description().contains(", mono"), picture.description());
        assertEquals(255, picture.y(63, 15));
        assertEquals(ColorInfo.Range.FULL, picture.color().range());
    }
}
