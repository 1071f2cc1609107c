// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A file is found by its name, whatever the name has in it; what is no address is refused before anything is opened. */
@Timeout(120)
class AddressTest {
    @TempDir
    private Path directory;

    private static VideoSource.Builder cpu(String address) {
        return VideoSource.builder(address).decoder(VideoSource.Decoder.CPU);
    }

    private static void assertOpens(String address) {
        try (VideoSource source = cpu(address).open()) {
            assertEquals(Clips.WIDTH, source.format().width());
        }
    }

    private Path clip(String name) {
        try {
            Path plain = Clips.make(directory.resolve("plain.mp4"), "libx264", 3);
            Path named = directory.resolve(name);
            Files.createDirectories(named.getParent());
            return Files.move(plain, named);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a b.mp4",
                "100%.mp4",
                "a%20b.mp4",
                "what?.mp4",
                "x#1.mp4",
                "Hof Süd.mp4",
                "rtsp:/cam/1.mp4",
                "concat:a|b.mp4",
                "frame%03d.mp4",
                " blanks .mp4 "
            })
    void aFileOfThatVeryNameIsOpened(String name) {
        assertOpens(clip(name).toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"gate:main.mp4", "-gate.mp4", "http:gate", "file:gate", "pipe:7", "concat:gate.mp4"})
    void aFileInTheWorkingDirectoryWhoseNameLooksLikeAUrlIsOpened(String name) throws Exception {
        Path here = Path.of(name);
        assertFalse(Files.exists(here), "a test of this kind left it behind");
        Files.copy(clip("clip.mp4"), here);
        try {
            assertOpens(name);
        } finally {
            Files.delete(here);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"shot%d.png", "shot%03d.png", "shot*.png", "shot?[1].png", "shot%*.png", "{shot}.png"})
    void anImageWhoseNameIsAPatternIsThatImage(String name) throws Exception {
        Path image = Clips.program(directory.resolve("plain.png"), "testsrc2=s=320x240", 1);
        assertOpens(Files.move(image, directory.resolve(name)).toString());
    }

    @Test
    void aPatternOfNoFilesNameIsStillOne() throws Exception {
        Clips.program(directory.resolve("shot%d.png"), "testsrc2=s=320x240", 3);
        assertOpens(directory.resolve("shot%d.png").toString());
        assertOpens("file:" + directory.resolve("shot%d.png"));
    }

    @Test
    void fileUrlsAreDecoded() {
        String path = clip("a b%#ü.mp4").toString();
        String encoded =
                path.replace("%", "%25").replace(" ", "%20").replace("#", "%23").replace("ü", "%C3%BC");
        for (Function<String, String> url : List.<Function<String, String>>of(
                p -> "file:" + p, p -> "file://" + p, p -> "file://localhost" + p, p -> "FILE://LocalHost" + p)) {
            assertOpens(url.apply(encoded));
            assertOpens(url.apply(path));
        }
        Path relative = Path.of("").toAbsolutePath().relativize(Path.of(path));
        assertOpens("file:" + relative.toString().replace(" ", "%20"));
    }

    @Test
    void blanksAndLineEndsAroundAnAddressDoNotCount() {
        assertOpens("  " + clip("clip.mp4") + "\r\n");
        assertEquals("rtsp://cam/1", new SourceUrl(" rtsp://cam/1\n").raw());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "rtsp://cam:554x/1 port",
                "rtsp://cam:0/1 port",
                "rtsp://cam:65536/1 port",
                "rtsp://cam:/1 port",
                "rtsp://admin:hunter2/1 port",
                "rtsp://admin:pa@ss@cam:hunter2/1 port",
                "rtsp:///1 host",
                "rtsp: host",
                "RTSPS://:554/1 host",
                "http://user@/1 host",
                "http://admin:hunter2@/1 host",
                "rtmp:///live host",
                "https://?x host",
                "udp://239.0.0.1 port",
                "tcp://cam port",
                "srt://cam:70000 port",
                "rtp://cam:x port",
                "tls:///x host",
                "rtsp://fe80::1/1 bracket",
                "rtsp://[fe80::1/1 bracket",
                "rtsp://[cam]/1 IPv6",
                "rtsp://[]/1 host",
                "rtmp://admin:p/hunter2@cam/live percent-encode",
                "file://server/clip.mp4 host",
                "file: file",
                "file:// file"
            })
    void whatIsMalformedIsRefusedAndToldWithoutCredentials(String address, String word) {
        CuframesException error =
                assertThrows(CuframesException.class, () -> cpu(address).open());
        assertEquals(ErrorCode.INVALID_ARGUMENT, error.code(), error.getMessage());
        assertTrue(error.getMessage().contains(word), error.getMessage());
        assertFalse(error.getMessage().contains("hunter2"), error.getMessage());
        assertFalse(error.isPassing());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"rtsp://ca m/1", "rtsp://cam /1", "http://cam\t/1", "rtsp://cam/1\nHost: x", "", "  ", "a\0b.mp4"
            })
    void blanksInHostsAndLineEndsAreRefused(String address) {
        CuframesException error =
                assertThrows(CuframesException.class, () -> cpu(address).open());
        assertEquals(ErrorCode.INVALID_ARGUMENT, error.code(), error.getMessage());
        assertTrue(error.getMessage().contains("malformed"), error.getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "gate:main.mp4 gate:",
                "nosuch://cam/1 nosuch:",
                "10.0.0.5:554/cam rtsp://",
                "admin:hunter2@cam/1 ***",
                "tee:x tee:",
                "x+http://cam/ x+http:"
            })
    void anUnknownSchemeIsUnsupportedAndSaysThatThereIsNoSuchFile(String address, String word) {
        CuframesException error =
                assertThrows(CuframesException.class, () -> cpu(address).open());
        assertEquals(ErrorCode.UNSUPPORTED, error.code(), error.getMessage());
        assertTrue(error.getMessage().contains(word), error.getMessage());
        assertTrue(error.getMessage().contains("no file of that name"), error.getMessage());
        assertFalse(error.getMessage().contains("hunter2"), error.getMessage());
        assertFalse(error.getMessage().contains("admin"), error.getMessage());
        assertFalse(error.isPassing());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "RTSP://cam/1 rtsp://cam/1",
                "rtsp:cam/1 rtsp:cam/1",
                "Rtsp://[FE80::1%eth0]:554/a@b rtsp://[FE80::1%eth0]:554/a@b",
                "rtsp://cam/a:b@c rtsp://cam/a:b@c",
                "rtsp://cam:554/user=a@b rtsp://cam:554/user=a@b",
                "http://cam/x?mail=a@b#@ http://cam/x?mail=a@b#@",
                "rtsp://admin:p@ss@cam/1 rtsp://admin:p%40ss@cam/1",
                "rtsp://admin:p@ss#1@cam/1 rtsp://admin:p%40ss%231@cam/1",
                "rtsp://admin:p/a?b#c@cam:8554/1 rtsp://admin:p%2Fa%3Fb%23c@cam:8554/1",
                "rtsp://admin:p%40ss@cam/1 rtsp://admin:p%40ss@cam/1",
                "rtsp://admin:100%@cam/1 rtsp://admin:100%25@cam/1",
                "rtsp://admin:a:b@cam/1 rtsp://admin:a:b@cam/1",
                "rtsp://admin:a/b@cam/x@y rtsp://admin:a%2Fb@cam/x@y",
                "rtmp://admin:p@ss@cam/live rtmp://admin:p@ss@cam/live",
                "udp://@239.0.0.1:5000 udp://@239.0.0.1:5000",
                "UDP://:5000?buffer_size=1 udp://:5000?buffer_size=1",
                "udp://@:5000 udp://@:5000",
                "srt://:9000?mode=listener&streamid=#!::r=x@y srt://:9000?mode=listener&streamid=#!::r=x@y",
                "concat:a.ts|b.ts concat:a.ts|b.ts",
                "cache:http://cam/1 cache:http://cam/1",
                "clip.mp4 file:clip.mp4",
                "pipe: file:/proc/self/fd/0",
                "PIPE:3 file:/proc/self/fd/3",
                "fd:4 file:/proc/self/fd/4",
                "- file:/proc/self/fd/0"
            })
    void ffmpegGetsWhatItTakesAsMeant(String address, String location) {
        SourceUrl url = new SourceUrl(address);
        url.requireWellFormed();
        assertEquals(location, new String(url.location(), StandardCharsets.UTF_8));
    }

    @Test
    void aSchemeInCapitalsIsThatScheme() throws Exception {
        CuframesException error = assertThrows(
                CuframesException.class,
                () -> cpu("RTSP://127.0.0.1:" + RtspPort.free() + "/cam").open());
        assertTrue(error.getMessage().contains("Connection refused"), error.getMessage());
    }

    @Test
    void listeningNeedsNoHost() throws Exception {
        CuframesException error = assertThrows(
                CuframesException.class,
                () -> cpu("rtsp://:" + RtspPort.free() + "/cam")
                        .listen(true)
                        .openTimeout(Duration.ofMillis(200))
                        .open());
        assertEquals(ErrorCode.TIMEOUT, error.code(), error.getMessage());
    }
}
