// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.Transport;
import java.nio.file.Path;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A camera that sends RTCP sender reports, as FFmpeg does from the first packet on: its frames carry when they were taken. */
@Timeout(60)
class CaptureTimeTest {
    private static final int FRAMES = 25;
    private static final long SECOND = 1_000_000_000;

    @TempDir
    private Path directory;

    private final String url = "rtsp://127.0.0.1:" + RtspPort.free() + "/cam";

    /** The camera leaves frames out, unevenly: the time of a neighbour would be wrong by another amount at each. */
    @ParameterizedTest
    @ValueSource(strings = {"libx264", "libx265", "mpeg4", "libvpx"})
    void everyFrameHasItsOwnTime(String codec) {
        try (Pusher pusher = new Pusher(url, codec, number -> number % 7 == 3 || number % 7 == 5);
                VideoSource source = VideoSource.builder(url)
                        .decoder(VideoSource.Decoder.CPU)
                        .listen(true)
                        .open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            int timed = 0;
            long ahead = 0;
            for (int i = 0; i < FRAMES; i++) {
                assertEquals(VideoSource.Status.PUBLISHED, playback.play());
                if (playback.hasCaptureTime()) {
                    ahead = timed == 0 ? playback.captureTime() - playback.pts() : ahead;
                    long error = playback.captureTime() - playback.pts() - ahead;
                    assertTrue(Math.abs(error) < SECOND / 200, codec + ": frame " + i + " is " + error + " ns off");
                    timed++;
                }
            }
            assertTrue(timed > FRAMES - 5, timed + " of " + FRAMES + " frames had a time");
            long late = System.currentTimeMillis() * 1_000_000 - playback.captureTime();
            assertTrue(Math.abs(late) < 5 * SECOND, "the last frame came " + late + " ns after it was taken");
            assertEquals(null, pusher.failure());
        }
    }
}
