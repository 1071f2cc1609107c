// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.Transport;
import io.cuframes.testing.Needs;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Reads from an RTSP server that is not ours: GStreamer's. Debian's packages for it are gir1.2-gst-rtsp-server-1.0, python3-gi and
 * gstreamer1.0-plugins-good, -bad.
 */
@Tag("rtsp-server")
@Timeout(60)
class RtspServerTest {
    private static final String PYTHON = "/usr/bin/python3";

    @TempDir
    private Path directory;

    /** The server as a process. */
    private static final class Server implements AutoCloseable {
        private final Process process;
        private final String url;

        Server(Path clip, String codec) throws IOException {
            process = new ProcessBuilder(PYTHON, script().toString(), clip.toString(), codec)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            BufferedReader output = process.inputReader();
            url = "rtsp://127.0.0.1:" + output.readLine() + "/cam";
        }

        private static Path script() throws IOException {
            try {
                return Path.of(
                        RtspServerTest.class.getResource("/rtsp_server.py").toURI());
            } catch (URISyntaxException e) {
                throw new IOException(e);
            }
        }

        @Override
        public void close() {
            process.destroyForcibly();
        }
    }

    @BeforeAll
    static void gstreamerIsThere() throws Exception {
        Needs.that(Files.isExecutable(Path.of(PYTHON)), PYTHON + ", of Debian's package python3");
        Process probe = new ProcessBuilder(
                        PYTHON,
                        "-c",
                        "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer; Gst.init(None);"
                                + " assert Gst.ElementFactory.find('rtph264pay') and Gst.ElementFactory.find('h265parse')")
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        Needs.that(
                probe.waitFor(20, TimeUnit.SECONDS) && probe.exitValue() == 0,
                "GStreamer's RTSP server, of Debian's packages gir1.2-gst-rtsp-server-1.0, python3-gi, gstreamer1.0-plugins-good and -bad");
    }

    @ParameterizedTest
    @CsvSource({"libx264, h264, TCP", "libx265, h265, TCP", "libx264, h264, UDP", "libx265, h265, UDP"})
    void everyFrameArrivesInOrder(String encoder, String codec, VideoSource.RtspTransport transport) throws Exception {
        Path clip = Clips.make(directory.resolve("clip." + codec), encoder, 100);
        try (Server server = new Server(clip, codec);
                VideoSource source = VideoSource.builder(server.url)
                        .decoder(VideoSource.Decoder.CPU)
                        .rtspTransport(transport)
                        .reconnect(false)
                        .open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            assertTrue(source.describe().startsWith(codec.equals("h265") ? "hevc 320x240" : "h264 320x240"));
            long number = -1;
            long pts = -1;
            while (number < 60) {
                assertEquals(VideoSource.Status.PUBLISHED, playback.play());
                assertTrue(playback.number() > number, playback.number() + " after " + number);
                assertTrue(playback.pts() > pts, "pts do not rise");
                if (transport == VideoSource.RtspTransport.TCP && number >= 0) {
                    assertEquals(number + 1, playback.number()); // over UDP frames may be lost
                }
                number = playback.number();
                pts = playback.pts();
            }
        }
    }

    /** Its frames reach the decoder in another order than they are shown in, and have the time of their own all the same. */
    @Test
    void framesCarryTheTimeOfTheServersReports() throws Exception {
        Path clip = Clips.program(
                directory.resolve("clip.mp4"),
                "testsrc2=s=320x240:r=5",
                60,
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-bf",
                "2");
        try (Server server = new Server(clip, "h264");
                VideoSource source = VideoSource.builder(server.url)
                        .decoder(VideoSource.Decoder.CPU)
                        .reconnect(false)
                        .open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            do {
                assertEquals(VideoSource.Status.PUBLISHED, playback.play());
            } while (!playback.hasCaptureTime());
            long ahead = playback.captureTime() - playback.pts();
            for (int frame = 0; frame < 15; frame++) {
                assertEquals(VideoSource.Status.PUBLISHED, playback.play());
                assertTrue(playback.hasCaptureTime());
                long error = playback.captureTime() - playback.pts() - ahead;
                assertTrue(Math.abs(error) < 100_000_000, error + " ns off where a frame takes 200,000,000");
            }
            long late = System.currentTimeMillis() * 1_000_000 - playback.captureTime();
            assertTrue(Math.abs(late) < 60_000_000_000L, "the last frame came " + late + " ns after it was taken");
        }
    }

    @Test
    void probingALiveStreamDoesNotTakeSeconds() throws Exception {
        Path clip = Clips.make(directory.resolve("clip.h264"), "libx264", 250);
        try (Server server = new Server(clip, "h264")) {
            long start = System.nanoTime();
            try (VideoSource source = VideoSource.builder(server.url).open()) {
                long took = System.nanoTime() - start;
                assertTrue(took < 5_000_000_000L, source.describe() + " took " + took + " ns to open");
            }
        }
    }

    @Test
    void comesBackWhenTheServerEndsTheStream() throws Exception {
        Path clip = Clips.make(directory.resolve("clip.h264"), "libx264", 50);
        StringBuilder heard = new StringBuilder();
        VideoSource.Listener listener = new VideoSource.Listener() {
            @Override
            public void restored(String description) {
                heard.append(description);
            }
        };
        try (Server server = new Server(clip, "h264");
                VideoSource source = VideoSource.builder(server.url)
                        .decoder(VideoSource.Decoder.CPU)
                        .readTimeout(Duration.ofSeconds(2))
                        .listener(listener)
                        .open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            long pts = -1;
            while (heard.isEmpty()) {
                assertEquals(VideoSource.Status.PUBLISHED, playback.play());
                assertTrue(playback.pts() > pts, "pts do not rise");
                pts = playback.pts();
            }
            assertTrue(playback.number() >= 0 && playback.number() < 50, "the stamp gave " + playback.number());
        }
    }
}
