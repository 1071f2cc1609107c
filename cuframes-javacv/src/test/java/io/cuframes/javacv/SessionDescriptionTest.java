// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.Transport;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.Loader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A session description in a file leads to RTP: it is a camera, and is waited for as one. */
@Timeout(120)
class SessionDescriptionTest {
    @TempDir
    private Path directory;

    private static int freePort() throws Exception {
        try (DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort() & ~1; // RTP's is even
        }
    }

    private Path description(int port) throws Exception {
        return Files.writeString(
                directory.resolve("cam.sdp"),
                "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=cam\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video " + port
                        + " RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\n");
    }

    private static Process sender(Path clip, int port) throws Exception {
        return new ProcessBuilder(
                        Loader.load(org.bytedeco.ffmpeg.ffmpeg.class),
                        "-v",
                        "error",
                        "-re",
                        "-stream_loop",
                        "-1",
                        "-i",
                        clip.toString(),
                        "-c",
                        "copy",
                        "-bsf:v",
                        "dump_extra",
                        "-f",
                        "rtp",
                        "rtp://127.0.0.1:" + port)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    @Test
    void itsFramesArriveAndItsSilenceIsALoss() throws Exception {
        int port = freePort();
        Path clip = Clips.make(directory.resolve("clip.h264"), "libx264", 50);
        Process sender = sender(clip, port);
        try (VideoSource source = VideoSource.builder(description(port).toString())
                .decoder(VideoSource.Decoder.CPU)
                .openTimeout(Duration.ofSeconds(60))
                .readTimeout(Duration.ofSeconds(2))
                .reconnect(false)
                .open()) {
            try (Playback playback = new Playback(source, directory, Transport.HOST)) {
                for (int i = 0; i < 10; i++) {
                    assertEquals(VideoSource.Status.PUBLISHED, source.publishNext(playback.publisher()));
                }
                sender.destroyForcibly().waitFor();
                CuframesException lost = assertThrows(CuframesException.class, () -> {
                    VideoSource.Status status;
                    do {
                        status = source.publishNext(playback.publisher());
                    } while (status != VideoSource.Status.END);
                });
                assertEquals(ErrorCode.DISCONNECTED, lost.code(), lost.getMessage());
            }
        } finally {
            sender.destroyForcibly().waitFor(60, TimeUnit.SECONDS);
        }
    }

    @Test
    void itWaitsForASender() throws Exception {
        String description = description(freePort()).toString();
        assertTrue(VideoSource.isNetwork(description));
        CuframesException error = assertThrows(
                CuframesException.class,
                () -> VideoSource.builder(description)
                        .openTimeout(Duration.ofMillis(500))
                        .open());
        assertEquals(ErrorCode.TIMEOUT, error.code(), error.getMessage());
    }
}
