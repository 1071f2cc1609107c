// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Options and formats of FFmpeg's reach the input, and what an input does not have is refused rather than ignored. */
@Timeout(120)
class InputOptionTest {
    @TempDir
    private Path directory;

    private static VideoSource.Builder cpu(Object address) {
        return VideoSource.builder(address.toString()).decoder(VideoSource.Decoder.CPU);
    }

    private static CuframesException refused(VideoSource.Builder builder) {
        return assertThrows(CuframesException.class, builder::open);
    }

    @Test
    void anOptionReachesTheDemuxer() throws Exception {
        Path raw = Clips.program(directory.resolve("clip.yuv"), "testsrc2=s=320x240", 2, "-pix_fmt", "yuv420p");
        try (VideoSource source = cpu(raw).inputFormat("rawvideo")
                .inputOption("video_size", "320x240")
                .inputOption("framerate", "24")
                .open()) {
            assertTrue(source.describe().contains("320x240 24 fps"), source.describe());
        }
    }

    @ParameterizedTest
    @CsvSource({"nosuch_option", "rtsp_transport", "-framerate", "''", "FRAMERATE"})
    void anOptionThatTheInputDoesNotHaveIsRefused(String name) {
        Path clip = Clips.make(directory.resolve("clip.mp4"), "libx264", 2);
        CuframesException error = refused(cpu(clip).inputOption(name, "hunter2"));
        assertEquals(ErrorCode.INVALID_ARGUMENT, error.code(), error.getMessage());
        assertTrue(error.getMessage().contains("\"" + name + "\""), error.getMessage());
        assertFalse(error.getMessage().contains("hunter2"), error.getMessage());
    }

    @Test
    void anOptionThatNothingHasIsRefusedBeforeAnythingIsOpened() {
        CuframesException error = refused(cpu(directory.resolve("none.mp4")).inputOption("nosuch_option", "x"));
        assertEquals(ErrorCode.INVALID_ARGUMENT, error.code(), error.getMessage());
    }

    @Test
    void aFormatThatIsNotKnownIsRefusedBeforeAnythingIsOpened() {
        CuframesException error = refused(cpu(directory.resolve("none.mp4")).inputFormat("nosuch"));
        assertEquals(ErrorCode.INVALID_ARGUMENT, error.code(), error.getMessage());
        assertTrue(error.getMessage().contains("\"nosuch\""), error.getMessage());
    }

    @Test
    void aValueIsInNoText() {
        Path clip = Clips.make(directory.resolve("clip.mp4"), "libx264", 2);
        CuframesException error = refused(cpu(clip).inputOption("probesize", "top-hunter2"));
        assertFalse(error.getMessage().contains("hunter2"), error.getMessage());
        InputOptions options = new InputOptions(Map.of("headers", "X-Key: top-hunter3\r\nX-Id: top-hunter4"), null);
        assertFalse(options.toString().contains("hunter"), options.toString());
        assertEquals(
                "Unable to parse option value \"***\"",
                VideoSource.hideCredentials("Unable to parse option value \"top-hunter2\""));
        assertEquals(
                "GET / *** and ***", VideoSource.hideCredentials("GET / X-Key: top-hunter3 and X-Id: top-hunter4"));
        assertEquals("tcp 1000000", VideoSource.hideCredentials("tcp 1000000"));
    }

    @Test
    void theProgramsOptionCountsRatherThanThatOfThisLibrary() throws Exception {
        Path image = Clips.program(directory.resolve("plain.png"), "testsrc2=s=320x240", 1);
        Path odd = Files.move(image, directory.resolve("shot%d.png"));
        Files.copy(odd, directory.resolve("shot1.png"));
        Files.copy(odd, directory.resolve("shot2.png"));
        assertEquals(1, frames(cpu(odd)));
        assertEquals(2, frames(cpu(odd).inputOption("pattern_type", "sequence")));
    }

    private int frames(VideoSource.Builder builder) {
        try (VideoSource source = builder.open();
                Playback playback = new Playback(source, directory, io.cuframes.Transport.HOST)) {
            int frames = 0;
            while (source.publishNext(playback.publisher()) == VideoSource.Status.PUBLISHED) {
                frames++;
            }
            return frames;
        }
    }

    @Test
    void aDeviceOfLibavdeviceTakesItsOwnKindOfName() {
        try (VideoSource source =
                cpu("testsrc2=size=320x240:rate=24").inputFormat("lavfi").open()) {
            assertTrue(source.describe().contains("320x240 24 fps"), source.describe());
        } catch (CuframesException e) {
            assertEquals(ErrorCode.UNSUPPORTED, e.code(), e.getMessage()); // a machine without X11's libraries
            assertTrue(e.getMessage().contains("libavdevice"), e.getMessage());
        }
    }

    @ParameterizedTest
    @CsvSource({"/dev/video97", "file:///dev/video97"})
    void aCameraOfVideo4LinuxIsOpenedAsSuch(String address) {
        CuframesException error = refused(cpu(address));
        if (error.code() == ErrorCode.UNSUPPORTED) {
            assertTrue(error.getMessage().contains("libavdevice"), error.getMessage());
        } else {
            assertEquals(ErrorCode.NOT_FOUND, error.code(), error.getMessage());
        }
    }
}
