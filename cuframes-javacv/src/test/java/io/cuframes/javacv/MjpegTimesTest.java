// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pictures that come over HTTP without times have those at which they come. */
@Timeout(120)
class MjpegTimesTest {
    private static final int FRAMES = 7;
    private static final double FPS = 2;

    @TempDir
    private static Path directory;

    private static List<Path> pictures;

    @BeforeAll
    static void makePictures() throws Exception {
        Path clip = Clips.make(directory.resolve("clip.mp4"), "libx264", 50);
        Path folder = Files.createDirectory(directory.resolve("pictures"));
        Clips.remux(clip, folder.resolve("%03d.jpg"), List.of(), "-c:v", "mjpeg", "-q:v", "3");
        pictures = sorted(folder);
    }

    private static List<Path> sorted(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    /** The first ones may come together, out of what was read while the stream was probed. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void twoPicturesInASecond(boolean saysLength) {
        try (MjpegServer server = new MjpegServer(pictures, FPS, saysLength);
                Viewing viewing = new Viewing(Viewing.cpu(server.url()), directory)) {
            viewing.frames(FRAMES);
            viewing.assertNoLoss();
            viewing.assertTimesRise();
            viewing.assertNumbersRise();
            long took = viewing.times().getLast() - viewing.times().getFirst();
            assertTrue(took > (FRAMES - 1) / FPS / 2 * 1e9, () -> "they took " + took + " ns: " + viewing.times());
            assertFalse(
                    viewing.source().describe().contains("25 fps"),
                    viewing.source().describe());
        }
    }
}
