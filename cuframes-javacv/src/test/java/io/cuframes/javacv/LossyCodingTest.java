// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cuframes.Transport;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Stamps survive lossy coding, at bit rates far below the default too. */
class LossyCodingTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource({
        "libx264, 160, 96, 40000",
        "libx264, 640, 360, 100000",
        "libx264, 1280, 720, 300000",
        "libx265, 160, 96, 40000",
        "libx265, 640, 360, 100000",
        "libx265, 1280, 720, 300000",
        "libopenh264, 640, 360, 150000",
        "libopenh264, 1280, 720, 500000",
        "mpeg4, 160, 96, 60000",
        "mpeg4, 640, 360, 200000",
        "mpeg4, 1280, 720, 600000"
    })
    void everyStampIsReadable(String codec, int width, int height, long bitRate) {
        Path clip = directory.resolve("clip.mp4");
        try (TestPatternWriter writer = TestPatternWriter.builder(clip.toString())
                .size(width, height)
                .fps(25)
                .codec(codec)
                .bitRate(bitRate)
                .open()) {
            while (writer.number() < 75) {
                writer.write();
            }
        }
        try (VideoSource source = VideoSource.builder(clip.toString())
                        .decoder(VideoSource.Decoder.CPU)
                        .open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            for (int number = 0; number < 75; number++) {
                assertEquals(VideoSource.Status.PUBLISHED, playback.play());
                assertEquals(number, playback.number());
            }
        }
    }
}
