// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.Publisher;
import io.cuframes.Transport;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A camera that pushes over RTSP, comes and goes. */
@Timeout(60)
class RtspLoopbackTest {
    @TempDir
    private Path directory;

    private final String url = "rtsp://127.0.0.1:" + RtspPort.free() + "/cam";

    /** Writes down what it hears. */
    private static final class Notes implements VideoSource.Listener {
        final List<String> heard = new CopyOnWriteArrayList<>();

        @Override
        public void lost(String reason, Duration retryIn) {
            heard.add("lost");
        }

        @Override
        public void restored(String description) {
            heard.add("restored");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"libopenh264", "libx264", "libx265"})
    void everyFrameArrivesInOrder(String codec) {
        try (Pusher pusher = new Pusher(url, codec);
                VideoSource source = listener().open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            assertEquals(VideoSource.Status.PUBLISHED, playback.play());
            long number = playback.number();
            long pts = playback.pts();
            assertTrue(number >= 0, "the first stamp gave " + number);
            for (int i = 0; i < 30; i++) {
                assertEquals(VideoSource.Status.PUBLISHED, playback.play());
                assertEquals(++number, playback.number());
                assertTrue(playback.pts() > pts, "pts do not rise");
                pts = playback.pts();
            }
            assertEquals(null, pusher.failure());
        }
    }

    @Test
    void framesResumeWhenTheCameraComesBack() {
        Notes notes = new Notes();
        Pusher first = new Pusher(url, "libx264");
        try (VideoSource source = listener().listener(notes).open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            playUntilNumber(playback, 20);
            long pts = playback.pts();
            first.close();
            try (Pusher second = new Pusher(url, "libx264")) {
                while (notes.heard.isEmpty() || !notes.heard.getLast().equals("restored")) {
                    assertEquals(VideoSource.Status.PUBLISHED, playback.play());
                    assertTrue(playback.pts() > pts, "pts do not rise");
                    pts = playback.pts();
                }
                playUntilNumber(playback, 10);
                assertTrue(playback.pts() > pts, "pts do not rise");
                assertEquals("lost", notes.heard.getFirst());
                assertEquals(null, second.failure());
            }
        } finally {
            first.close();
        }
    }

    @Test
    void aSilentCameraIsLostAfterTheReadTimeout() {
        try (SilentCamera camera = new SilentCamera(url);
                VideoSource source = listener()
                        .reconnect(false)
                        .readTimeout(Duration.ofMillis(700))
                        .open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            CuframesException error = assertThrows(CuframesException.class, () -> {
                while (true) {
                    playback.play();
                }
            });
            assertEquals(ErrorCode.DISCONNECTED, error.code());
            assertTrue(error.getMessage().contains("no video came for 700 ms"), error.getMessage());
            assertTrue(camera.written() > 0, "the camera wrote nothing");
        }
    }

    @Test
    void interruptEndsAReadThatWaits() throws Exception {
        try (SilentCamera camera = new SilentCamera(url);
                VideoSource source =
                        listener().readTimeout(Duration.ofMinutes(1)).open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            interruptAndAwait(source, playback.publisher());
            assertTrue(camera.written() > 0, "the camera wrote nothing");
        }
    }

    @Test
    void interruptEndsAWaitForACameraThatIsGone() throws Exception {
        Notes notes = new Notes();
        Pusher camera = new Pusher(url, "libx264");
        try (VideoSource source = listener().listener(notes).open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            playUntilNumber(playback, 5);
            camera.close();
            interruptAndAwait(source, playback.publisher());
            assertEquals("lost", notes.heard.getFirst());
        } finally {
            camera.close();
        }
    }

    private static void interruptAndAwait(VideoSource source, Publisher publisher) throws Exception {
        CompletableFuture<Void> ended = CompletableFuture.runAsync(() -> {
            while (source.publishNext(publisher) != VideoSource.Status.END) {
                Thread.onSpinWait();
            }
        });
        TimeUnit.MILLISECONDS.sleep(1500); // by now it mostly waits; where it does not yet, it ends all the same
        assertFalse(ended.isDone());
        source.interrupt();
        ended.get(40, TimeUnit.SECONDS); // the read timeout would end it later
    }

    private static void playUntilNumber(Playback playback, long number) {
        do {
            assertEquals(VideoSource.Status.PUBLISHED, playback.play());
        } while (playback.number() < number);
    }

    private VideoSource.Builder listener() {
        return VideoSource.builder(url).decoder(VideoSource.Decoder.CPU).listen(true);
    }
}
