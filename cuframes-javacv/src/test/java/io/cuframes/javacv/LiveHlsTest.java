// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.Await;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** HLS as it comes from a live source: a segment now and then, all its frames at once. */
@Timeout(120)
class LiveHlsTest {
    private static final int FPS = 5;

    @TempDir
    private Path directory;

    /** Segments of one length, five frames in a second, numbered from 0 on. */
    private List<Path> segments(int seconds, int count) throws Exception {
        Path clip = directory.resolve("clip.mp4");
        try (TestPatternWriter writer = TestPatternWriter.builder(clip.toString())
                .size(Clips.WIDTH, Clips.HEIGHT)
                .fps(FPS)
                .codec("libx264")
                .gop(FPS * seconds)
                .open()) {
            while (writer.number() < (long) FPS * seconds * count) {
                writer.write();
            }
        }
        Path folder = Files.createDirectory(directory.resolve("segments"));
        Clips.remux(
                clip,
                folder.resolve("%03d.ts"),
                List.of(),
                "-f",
                "segment",
                "-segment_time",
                Integer.toString(seconds));
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> segments = files.sorted().toList();
            assertEquals(count, segments.size());
            return segments;
        }
    }

    private static void assertEachOnce(Viewing viewing, long first, long last) {
        assertEquals(LongStream.rangeClosed(first, last).boxed().toList(), viewing.numbers());
    }

    /** Longer than other inputs may be silent. */
    @Test
    void segmentsOfSevenSeconds() throws Exception {
        try (HlsServer server = new HlsServer(segments(7, 3), 7, ".ts", 1).revealEach(Duration.ofSeconds(7));
                Viewing viewing = new Viewing(Viewing.cpu(server.url()), directory)) {
            viewing.playUntil(() -> viewing.numbers().getLast() >= 7 * FPS + 5);
            viewing.assertNoLoss();
            viewing.assertTimesRise();
            assertEachOnce(viewing, 0, 7 * FPS + 5);
        }
    }

    /** Segments that were played are in the playlist still when the source is back. */
    @Test
    void noPictureIsShownTwiceAfterAServerFails() throws Exception {
        try (HlsServer server = new HlsServer(segments(1, 40), 1, ".ts", 4).revealEach(Duration.ofSeconds(1));
                Viewing viewing =
                        new Viewing(Viewing.cpu(server.url()).readTimeout(Duration.ofSeconds(3)), directory)) {
            viewing.playUntil(() -> viewing.numbers().getLast() >= 3 * FPS);
            server.fail(true);
            CompletableFuture<Void> repair = CompletableFuture.runAsync(() -> {
                Await.await(() -> !viewing.news().lines().isEmpty(), "no loss was told");
                server.fail(false);
            });
            viewing.playUntilRestored();
            repair.get(60, TimeUnit.SECONDS);
            assertTrue(server.requests().contains("/live.m3u8 503"), "nobody saw it fail");
            viewing.assertLostAndRestored();
            viewing.assertTimesRise();
            viewing.assertNumbersRise();
        }
    }

    @Test
    void noPictureIsShownTwiceAfterSegmentsFailedToCome() throws Exception {
        try (HlsServer server = new HlsServer(segments(1, 40), 1, ".ts", 4).revealEach(Duration.ofSeconds(1));
                Viewing viewing =
                        new Viewing(Viewing.cpu(server.url()).readTimeout(Duration.ofSeconds(2)), directory)) {
            viewing.playUntil(() -> viewing.numbers().getLast() >= 3 * FPS);
            long before = viewing.numbers().getLast();
            server.hold(true);
            CompletableFuture<Void> release = CompletableFuture.runAsync(
                    () -> server.hold(false), CompletableFuture.delayedExecutor(5, TimeUnit.SECONDS));
            viewing.playUntil(() -> release.isDone() && viewing.numbers().getLast() >= before + 5 * FPS);
            viewing.assertTimesRise();
            viewing.assertNumbersRise();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {".ts", ".dat", ""})
    void theirNamesDoNotMatterAndAnEndIsTheEnd(String ending) throws Exception {
        try (HlsServer server = new HlsServer(segments(1, 5), 1, ending, 3).revealEach(Duration.ofMillis(500));
                Viewing viewing = new Viewing(Viewing.cpu(server.url()), directory)) {
            VideoSource.Status status = viewing.play();
            while (status == VideoSource.Status.PUBLISHED) {
                status = viewing.play();
            }
            assertEquals(VideoSource.Status.END, status);
            viewing.assertNoLoss();
            viewing.assertTimesRise();
            assertEachOnce(viewing, 0, 5 * FPS - 1);
        }
    }
}
