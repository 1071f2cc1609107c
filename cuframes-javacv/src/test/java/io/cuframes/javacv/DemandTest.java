// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.CuframesException;
import io.cuframes.Transport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A source whose frames are not always wanted. */
@Timeout(60)
class DemandTest {
    @TempDir
    private Path directory;

    private final AtomicBoolean wanted = new AtomicBoolean(true);

    @Test
    void aFileIsClosedWhileNobodyWantsItAndBeginsAgainAfter() throws Exception {
        Path clip = Clips.make(directory.resolve("clip.mp4"), "libx264", 50);
        try (VideoSource source = VideoSource.builder(clip.toString())
                        .decoder(VideoSource.Decoder.CPU)
                        .demand(wanted::get)
                        .open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            for (int i = 0; i < 10; i++) {
                assertEquals(VideoSource.Status.PUBLISHED, playback.play());
            }
            long pts = playback.pts();
            assertTrue(opens(clip));
            assertFalse(source.decoderThreads().isEmpty(), "the CPU decodes with threads");
            wanted.set(false);
            for (int i = 0; i < 3; i++) {
                assertEquals(VideoSource.Status.IDLE, playback.play());
                assertFalse(opens(clip), "nothing stays open");
                assertEquals(List.of(), source.decoderThreads());
                assertFalse(source.awaitFrame());
            }
            assertEquals(10, playback.publisher().published());
            wanted.set(true);
            assertEquals(VideoSource.Status.PUBLISHED, playback.play());
            assertEquals(0, playback.number(), "it begins at the beginning");
            assertTrue(playback.pts() > pts, "pts do not rise");
        }
    }

    private static boolean opens(Path file) throws IOException {
        try (var descriptors = Files.list(Path.of("/proc/self/fd"))) {
            for (Path descriptor : descriptors.toList()) {
                if (Files.exists(descriptor) && Files.isSameFile(descriptor, file)) {
                    return true;
                }
            }
        }
        return false;
    }

    @Test
    void theEndOfAFileIsItsEndWhetherItIsWantedOrNot() {
        Path clip = Clips.make(directory.resolve("clip.mp4"), "libx264", 2);
        try (VideoSource source = VideoSource.builder(clip.toString())
                        .decoder(VideoSource.Decoder.CPU)
                        .demand(wanted::get)
                        .open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            assertEquals(VideoSource.Status.PUBLISHED, playback.play());
            assertEquals(VideoSource.Status.PUBLISHED, playback.play());
            assertEquals(VideoSource.Status.END, playback.play());
            wanted.set(false);
            assertEquals(VideoSource.Status.END, playback.play());
        }
    }

    @Test
    void aCameraIsConnectedToAgainWhenItIsWanted() throws Exception {
        String url = "rtsp://127.0.0.1:" + RtspPort.free() + "/cam";
        Pusher first = new Pusher(url, "libx264");
        try (VideoSource source = camera(url).open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            assertEquals(VideoSource.Status.PUBLISHED, playback.play());
            long pts = playback.pts();
            wanted.set(false);
            assertEquals(VideoSource.Status.IDLE, playback.play());
            first.close();
            wanted.set(true);
            try (Pusher second = new Pusher(url, "libx264")) {
                assertEquals(VideoSource.Status.PUBLISHED, playback.play());
                assertTrue(playback.pts() > pts, "pts do not rise");
                assertEquals(null, second.failure());
            }
        } finally {
            first.close();
        }
    }

    @Test
    void aReadThatWaitsEndsWithTheDemand() throws Exception {
        String url = "rtsp://127.0.0.1:" + RtspPort.free() + "/cam";
        try (SilentCamera camera = new SilentCamera(url);
                VideoSource source =
                        camera(url).readTimeout(Duration.ofMinutes(1)).open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            CompletableFuture<VideoSource.Status> last = CompletableFuture.supplyAsync(() -> {
                VideoSource.Status status = VideoSource.Status.PUBLISHED;
                while (status == VideoSource.Status.PUBLISHED) {
                    status = source.publishNext(playback.publisher());
                }
                return status;
            });
            while (camera.written() < 60) { // it falls silent after these
                TimeUnit.MILLISECONDS.sleep(20);
            }
            wanted.set(false);
            assertEquals(VideoSource.Status.IDLE, last.get(20, TimeUnit.SECONDS));
        }
    }

    @Test
    void whatNobodyWantsIsNotOpened() {
        wanted.set(false);
        VideoSource.Builder builder =
                camera("rtsp://127.0.0.1:" + RtspPort.free() + "/cam").openTimeout(Duration.ofMinutes(1));
        assertThrows(CuframesException.class, builder::open);
    }

    private VideoSource.Builder camera(String url) {
        return VideoSource.builder(url)
                .decoder(VideoSource.Decoder.CPU)
                .listen(true)
                .demand(wanted::get);
    }
}
