// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AV_LOG_ERROR;
import static org.bytedeco.ffmpeg.global.avutil.AV_LOG_FATAL;
import static org.bytedeco.ffmpeg.global.avutil.AV_LOG_TRACE;
import static org.bytedeco.ffmpeg.global.avutil.AV_LOG_WARNING;
import static org.bytedeco.ffmpeg.global.avutil.av_log;
import static org.bytedeco.ffmpeg.global.avutil.av_log_get_level;
import static org.bytedeco.ffmpeg.global.avutil.av_log_set_level;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.global.avformat;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What FFmpeg logs is printed as its level says, in whole lines, without credentials. */
@Timeout(120)
class FfmpegLogTest {
    private final PrintStream standardError = System.err;
    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
    private int level;

    @TempDir
    private Path directory;

    @BeforeEach
    void takeStandardError() {
        Ffmpeg.load();
        level = av_log_get_level();
        System.setErr(new PrintStream(printed, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void giveItBack() {
        av_log_set_level(level);
        System.setErr(standardError);
    }

    private String printed() {
        return printed.toString(StandardCharsets.UTF_8);
    }

    private static void log(int severity, String text) {
        av_log((Pointer) null, severity, text);
    }

    @Test
    void theLevelSaysWhatIsPrinted() {
        av_log_set_level(AV_LOG_ERROR);
        log(AV_LOG_WARNING, "a warning\n");
        log(AV_LOG_ERROR, "an error\n");
        log(AV_LOG_ERROR | (134 << 8), "an error in colour\n");
        assertEquals("an error\nan error in colour\n", printed());
        av_log_set_level(AV_LOG_WARNING);
        log(AV_LOG_WARNING, "another warning\n");
        assertTrue(printed().endsWith("another warning\n"), printed());
    }

    @Test
    void credentialsInTwoPiecesOfALineAreHidden() {
        av_log_set_level(AV_LOG_ERROR);
        log(AV_LOG_ERROR, "opening rtsp://admin:hun");
        assertEquals("", printed());
        log(AV_LOG_ERROR, "ter2@host/ now\n");
        assertEquals("opening rtsp://***@host/ now\n", printed());
    }

    @Test
    void aLineWithoutAnEndIsPrintedAllTheSame() {
        av_log_set_level(AV_LOG_ERROR);
        for (int i = 0; i < 20; i++) {
            log(AV_LOG_ERROR, "x".repeat(500));
        }
        log(AV_LOG_ERROR, "\n");
        assertEquals("x".repeat(10_000) + "\n", printed());
    }

    @Test
    void aLongMessageIsCut() {
        av_log_set_level(AV_LOG_ERROR);
        log(AV_LOG_ERROR, "y".repeat(5000));
        log(AV_LOG_ERROR, "\n");
        assertEquals("y".repeat(1023) + "\n", printed());
    }

    @Test
    void argumentsAndTheNameOfWhoLogsAreInTheText() {
        av_log_set_level(AV_LOG_TRACE);
        AVFormatContext context = new AVFormatContext(null);
        String url = directory + "/admin:x@nothing.mp4";
        assertTrue(avformat.avformat_open_input(context, url, null, (AVDictionary) null) < 0);
        assertTrue(printed().contains("[AVFormatContext @ 0x"), printed());
        assertTrue(printed().contains("Opening '" + url + "' for reading\n"), printed());
    }

    @Test
    void anErrorStreamThatThrowsDoesNotEndTheProcess() {
        av_log_set_level(AV_LOG_ERROR);
        System.setErr(new PrintStream(OutputStream.nullOutputStream()) {
            @Override
            public void print(String text) {
                throw new IllegalStateException("no room");
            }
        });
        log(AV_LOG_ERROR, "lost\n");
        System.setErr(new PrintStream(printed, true, StandardCharsets.UTF_8));
        log(AV_LOG_ERROR, "not lost\n");
        assertTrue(printed().endsWith("not lost\n"), printed());
    }

    /** Prints the level that the property set. */
    public static void main(String[] args) {
        Ffmpeg.load();
        System.out.println("level " + av_log_get_level());
    }

    private static String levelWith(String... flags) throws IOException, InterruptedException {
        List<String> line = new ArrayList<>(
                List.of(ProcessHandle.current().info().command().orElseThrow(), "--enable-native-access=ALL-UNNAMED"));
        line.addAll(List.of(flags));
        line.addAll(List.of("-cp", System.getProperty("java.class.path"), FfmpegLogTest.class.getName()));
        Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        return output;
    }

    @Test
    void aPropertySetsTheLevel() throws Exception {
        assertTrue(levelWith().contains("level " + AV_LOG_FATAL));
        assertTrue(levelWith("-Dcuframes.ffmpeg.loglevel=24").contains("level " + AV_LOG_WARNING));
        assertFalse(levelWith("-Dcuframes.ffmpeg.loglevel=24").contains("level " + AV_LOG_FATAL));
    }
}
