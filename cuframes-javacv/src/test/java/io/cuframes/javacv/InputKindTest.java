// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an address leads to shows before it is opened. */
class InputKindTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "clip.mp4 FILE false",
                "/videos/clip.mp4 FILE false",
                "file:///videos/clip.mp4 FILE false",
                "concat:a.ts|b.ts FILE false",
                "data:,x FILE false",
                "gate:main.mp4 FILE false",
                "image%03d.png FILE false",
                "rtsp://cam/stream LIVE true",
                "RTSP://cam/stream LIVE true",
                "rtsps://cam/stream LIVE true",
                "rtsp:cam/stream LIVE true",
                "rtmp://cam/live/1 LIVE true",
                "udp://@239.0.0.1:5000 LIVE true",
                "rtp://239.0.0.1:5000 LIVE true",
                "tcp://cam:5000 LIVE true",
                "srt://cam:9000?mode=caller LIVE true",
                "/etc/cam.sdp LIVE true",
                "http://cam/one.SDP LIVE true",
                "http://cam/clip.mp4 HTTP true",
                "HTTPS://cam/video?x=a.m3u8 HTTP true",
                "cache:http://cam/clip.mp4 HTTP true",
                "http://cam/live.m3u8?token=1.2 SEGMENTED true",
                "https://cam/live.mpd SEGMENTED true",
                "playlist.M3U8 SEGMENTED false",
                "/dev/video0 PIPE false",
                "/dev/null PIPE false",
                "unix:/run/video PIPE false"
            })
    void ofAddresses(String address, InputKind kind, boolean network) {
        SourceUrl url = new SourceUrl(address);
        assertEquals(kind, url.kind());
        assertEquals(network, url.isNetwork());
    }

    @Test
    void ofAFifoAndWhatLeadsToIt() throws Exception {
        Path fifo = directory.resolve("video:fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        assertEquals(InputKind.PIPE, new SourceUrl(fifo.toString()).kind());
        assertEquals(InputKind.PIPE, new SourceUrl("file://" + fifo).kind());
        Path link = Files.createSymbolicLink(directory.resolve("link.m3u8"), fifo);
        assertEquals(InputKind.PIPE, new SourceUrl(link.toString()).kind());
    }

    @Test
    void whatExistsIsAFileWhateverItsNameLooksLike() throws Exception {
        String name = "rtsp:kind-" + ProcessHandle.current().pid();
        assertEquals(InputKind.LIVE, new SourceUrl(name).kind());
        Path file =
                Files.writeString(Path.of(name), "x"); // only in the working directory does a name begin with a scheme
        try {
            assertEquals(InputKind.FILE, new SourceUrl(name).kind());
        } finally {
            Files.delete(file);
        }
    }

    @Test
    void rtspAndHttpAreTold() {
        assertTrue(new SourceUrl("RTSPS://cam/1").isRtsp());
        assertFalse(new SourceUrl("http://cam/1").isRtsp());
        assertTrue(new SourceUrl("http://cam/live.m3u8").isHttp());
        assertFalse(new SourceUrl("rtmp://cam/1").isHttp());
    }
}
