// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.Transport;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A looped input begins with its first frame again, however short it is. */
@Timeout(120)
class LoopedPictureTest {
    /** Each frame is of another grey. */
    private static final String CHANGING = "nullsrc=s=320x240:r=25,geq=lum='20+mod(N*40,210)':cb=128:cr=128";

    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource({
        "a.png, 1, rgb24",
        "a.jpg, 1, yuvj444p",
        "a.jpg, 1, yuvj422p",
        "a.jpg, 1, yuvj420p",
        "a.bmp, 1, bgr24",
        "a.webp, 1, yuv420p",
        "a.gif, 1, pal8",
        "a.gif, 5, pal8",
        "a.tiff, 1, rgb24",
        "a.tga, 1, bgr24",
        "a.ppm, 1, rgb24",
        "a.jp2, 1, rgb24",
        "a.apng, 4, rgb24",
        "a.mjpeg, 1, yuvj420p",
        "a.mjpeg, 3, yuvj420p",
        "a.avi, 1, yuv420p",
        "a.mp4, 1, yuv420p",
        "a.mkv, 1, yuv420p",
        "a.flv, 1, yuv420p",
        "a.h264, 1, yuv420p",
        "a.hevc, 1, yuv420p",
        "a.m2v, 1, yuv420p",
        "a.ts, 1, yuv420p",
        "a.ts, 20, yuv420p",
        "a.mpg, 20, yuv420p",
        "a.mp4, 20, yuv420p",
        "a.mkv, 20, yuv420p",
        "a.flv, 20, yuv420p"
    })
    void eachRoundIsTheSame(String file, int frames, String samples) throws Exception {
        List<String> options = new ArrayList<>(List.of("-pix_fmt", samples, "-g", "6"));
        if (file.endsWith(".ts")) {
            options.addAll(List.of("-c:v", "libx264"));
        }
        Path clip = Clips.program(directory.resolve(file), CHANGING, frames, options.toArray(new String[0]));
        assertRounds(clip, frames);
    }

    /** Java's writer makes what FFmpeg's does not: one component, and progressive. */
    @ParameterizedTest
    @ValueSource(ints = {BufferedImage.TYPE_BYTE_GRAY, BufferedImage.TYPE_INT_RGB})
    void ofProgressiveJpegToo(int type) throws Exception {
        BufferedImage image = new BufferedImage(64, 48, type);
        for (int at = 0; at < 64 * 48; at++) {
            image.setRGB(at % 64, at / 64, at * 1234);
        }
        Path file = directory.resolve("a.jpg");
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        try (ImageOutputStream out = ImageIO.createImageOutputStream(file.toFile())) {
            ImageWriteParam options = writer.getDefaultWriteParam();
            options.setProgressiveMode(ImageWriteParam.MODE_DEFAULT);
            writer.setOutput(out);
            writer.write(null, new IIOImage(image, null, null), options);
        } finally {
            writer.dispose();
        }
        assertRounds(file, 1);
    }

    private void assertRounds(Path clip, int frames) {
        try (VideoSource source = VideoSource.builder(clip.toString())
                .decoder(VideoSource.Decoder.CPU)
                .loop(true)
                .open()) {
            List<Pictures.Picture> pictures = Pictures.of(source, directory, Transport.HOST, 3 * frames + 1);
            assertEquals(3 * frames + 1, pictures.size());
            for (int i = frames; i < pictures.size(); i++) {
                assertArrayEquals(
                        pictures.get(i - frames).luma(), pictures.get(i).luma(), "frame " + i);
                assertTrue(pictures.get(i).pts() > pictures.get(i - 1).pts(), "time rises");
            }
            for (int i = 1; i < frames; i++) {
                assertNotEquals(pictures.get(i - 1).y(9, 9), pictures.get(i).y(9, 9), "frames can be told apart");
            }
            assertEquals(0, source.errors());
        }
    }
}
