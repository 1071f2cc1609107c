// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.Transport;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Playlists of HLS play, whatever their segments are called, and cannot make this machine read its own files. */
@Timeout(120)
class SegmentedInputTest {
    private static final int FRAMES = 20;

    @TempDir
    private Path directory;

    private static VideoSource.Builder cpu(String address) {
        return VideoSource.builder(address).decoder(VideoSource.Decoder.CPU).reconnect(false);
    }

    private Path playlist(String... segments) throws Exception {
        StringBuilder text =
                new StringBuilder("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n");
        for (String segment : segments) {
            text.append("#EXTINF:0.8,\n").append(segment).append('\n');
        }
        return Files.writeString(directory.resolve("live.m3u8"), text.append("#EXT-X-ENDLIST\n"));
    }

    private void segment(String name) throws Exception {
        Path clip = Clips.make(directory.resolve("clip.ts"), "libx264", FRAMES);
        Files.createDirectories(directory.resolve(name).getParent());
        Files.move(clip, directory.resolve(name));
    }

    private void assertPlays(VideoSource.Builder builder) {
        try (VideoSource source = builder.open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            for (int number = 0; number < FRAMES; number++) {
                assertEquals(VideoSource.Status.PUBLISHED, playback.play());
                assertEquals(number, playback.number());
            }
            assertEquals(VideoSource.Status.END, playback.play());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"one.ts", "one.dat", "one", "segments/1/video.jpg", "one.php?x=1"})
    void segmentsOverHttpMayBeCalledAnything(String name) throws Exception {
        segment(name.replaceFirst("\\?.*", ""));
        playlist(name);
        try (HttpFiles http = new HttpFiles(directory)) {
            assertPlays(cpu(http.url("live.m3u8")));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "file://%s",
                "file:%s",
                "%s",
                "concat:%s",
                "subfile,,start,0,end,0,,:%s",
                "crypto:%s",
                "cache:file:%s"
            })
    void aPlaylistOverHttpCannotNameAFileOfThisMachine(String form) throws Exception {
        segment("secret.ts");
        Path secret = directory.resolve("secret.ts");
        playlist(form.formatted(secret));
        Path served = Files.createDirectory(directory.resolve("served"));
        Files.move(directory.resolve("live.m3u8"), served.resolve("live.m3u8"));
        try (HttpFiles http = new HttpFiles(served)) {
            CuframesException error = assertThrows(
                    CuframesException.class, () -> cpu(http.url("live.m3u8")).open());
            assertTrue(error.getMessage().startsWith("cannot open http://"), error.getMessage());
        }
    }

    @Test
    void onlyAProgramCanAllowAPlaylistOverHttpToNameAFile() throws Exception {
        segment("secret.ts");
        playlist("file://" + directory.resolve("secret.ts"));
        try (HttpFiles http = new HttpFiles(directory)) {
            String url = http.url("live.m3u8");
            assertThrows(CuframesException.class, () -> cpu(url).open());
            assertPlays(cpu(url).inputOption("protocol_whitelist", "file,http,tcp,crypto"));
        }
    }

    @Test
    void aPlaylistOverHttpThatNamesEtcPasswdFails() throws Exception {
        playlist("file:///etc/passwd");
        try (HttpFiles http = new HttpFiles(directory)) {
            CuframesException error = assertThrows(
                    CuframesException.class, () -> cpu(http.url("live.m3u8")).open());
            assertEquals(ErrorCode.UNSUPPORTED, error.code(), error.getMessage());
            assertFalse(error.getMessage().contains("root:"), error.getMessage());
        }
    }

    @Test
    void aPlaylistOfAFileKeepsFfmpegsRulesUntilAnOptionLiftsThem() throws Exception {
        segment("one.dat");
        String playlist = playlist("one.dat").toString();
        CuframesException error =
                assertThrows(CuframesException.class, () -> cpu(playlist).open());
        assertEquals(ErrorCode.UNSUPPORTED, error.code(), error.getMessage());
        assertTrue(error.getMessage().contains("allowed_extensions"), error.getMessage());
        assertPlays(cpu(playlist).inputOption("allowed_extensions", "ALL").inputOption("extension_picky", "0"));
    }

    @Test
    void aPlaylistOfAFileLeadsToTheNetworkOnceAnOptionAllowsIt() throws Exception {
        segment("one.ts");
        try (HttpFiles http = new HttpFiles(directory)) {
            String playlist = playlist(http.url("one.ts")).toString();
            CuframesException error =
                    assertThrows(CuframesException.class, () -> cpu(playlist).open());
            assertTrue(error.getMessage().contains("protocol_whitelist"), error.getMessage());
            assertPlays(cpu(playlist).inputOption("protocol_whitelist", "file,crypto,data,http,https,tcp,tls"));
        }
    }

    @ParameterizedTest
    @CsvSource({"user_agent, camera-reader/1, User-Agent: camera-reader/1", "headers, X-Key: hunter2, X-Key: hunter2"})
    void anOptionReachesTheProtocolOfPlaylistAndSegments(String name, String value, String line) throws Exception {
        segment("one.ts");
        playlist("one.ts");
        try (HttpFiles http = new HttpFiles(directory)) {
            assertPlays(cpu(http.url("live.m3u8")).inputOption(name, value));
            assertEquals(
                    http.requests().stream().filter(l -> l.startsWith("GET ")).count(),
                    http.requests().stream().filter(line::equals).count(),
                    http.requests().toString());
        }
    }

    @Test
    void theProgramsOptionCountsForPlaylistsOverHttpToo() throws Exception {
        segment("one.dat");
        playlist("one.dat");
        try (HttpFiles http = new HttpFiles(directory)) {
            CuframesException error = assertThrows(
                    CuframesException.class,
                    () -> cpu(http.url("live.m3u8"))
                            .inputOption("extension_picky", "1")
                            .open());
            assertEquals(ErrorCode.UNSUPPORTED, error.code(), error.getMessage());
        }
    }
}
