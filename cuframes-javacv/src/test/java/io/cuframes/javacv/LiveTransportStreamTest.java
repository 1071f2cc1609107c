// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An MPEG transport stream that somebody sends over TCP, live. */
@Timeout(120)
class LiveTransportStreamTest {
    private static final long FRAME = 40_000_000;
    private static final int FRAMES_BEFORE = 20;

    @TempDir
    private static Path directory;

    private static Path clip;

    @BeforeAll
    static void makeClip() {
        clip = Clips.make(directory.resolve("clip.mp4"), "libx264", 250);
    }

    private static TransportStream stream(String name, List<String> inputs, String... options) throws Exception {
        return TransportStream.of(Clips.remux(clip, directory.resolve(name), inputs, options));
    }

    /** After 2^33 ticks of 90 kHz, which is 95443.7 s. */
    @Test
    void itsTimestampsWrap() throws Exception {
        TransportStream wrapping = stream("wrapping.ts", List.of(), "-output_ts_offset", "95440");
        try (TransportStreamServer server = new TransportStreamServer(100, connection -> wrapping);
                Viewing viewing = new Viewing(Viewing.cpu(server.url()), directory)) {
            viewing.frames(200);
            viewing.assertNoLoss();
            viewing.assertNumbersRise();
            for (int i = 1; i < 200; i++) {
                long step = viewing.times().get(i) - viewing.times().get(i - 1);
                assertTrue(Math.abs(step - FRAME) <= 2_000_000, "frame " + i + " comes after " + step + " ns");
            }
        }
    }

    /** Slower than its timestamps say, so that whoever waits for the audio waits longer than a sender may take to answer. */
    @Test
    void itsAudioIsSilent() throws Exception {
        List<String> silence = List.of("-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono");
        TransportStream silent = stream("audio.ts", silence, "-map", "1:v", "-map", "0:a", "-c:a", "aac", "-shortest")
                .without(TransportStream.AUDIO);
        try (TransportStreamServer server = new TransportStreamServer(5, connection -> silent);
                Viewing viewing = new Viewing(Viewing.cpu(server.url()), directory)) {
            viewing.frames(5);
            viewing.assertNoLoss();
            viewing.assertTimesRise();
            viewing.assertNumbersRise();
        }
    }

    /** The noise goes on for longer than the test waits, so that it is not the stream's end that is noticed. */
    @Test
    void itsPicturesTurnToNoise() throws Exception {
        TransportStream good = TransportStream.of(Clips.make(directory.resolve("long.ts"), "libx264", 1200));
        TransportStream noisy = good.withNoiseFrom(FRAMES_BEFORE);
        try (TransportStreamServer server =
                        new TransportStreamServer(Clips.FPS, connection -> connection == 1 ? noisy : good);
                Viewing viewing =
                        new Viewing(Viewing.cpu(server.url()).readTimeout(Duration.ofSeconds(1)), directory)) {
            viewing.playUntilRestored();
            viewing.assertLostAndRestored();
            viewing.assertTimesRise();
            assertTrue(server.connections() > 1, "it was not connected to again");
            assertTrue(viewing.source().errors() > 0, "no error was counted");
        }
    }

    @Test
    void itEndsAndBeginsAgain() throws Exception {
        TransportStream whole = stream("whole.ts", List.of());
        try (TransportStreamServer server = new TransportStreamServer(200, connection -> whole);
                Viewing viewing = new Viewing(Viewing.cpu(server.url()), directory)) {
            viewing.playUntilRestored();
            viewing.assertLostAndRestored();
            viewing.assertTimesRise();
            assertEquals(249, viewing.numbers().stream().mapToLong(n -> n).max().orElseThrow());
        }
    }
}
