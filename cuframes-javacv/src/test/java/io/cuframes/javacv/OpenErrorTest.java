// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What cannot be opened says what, why and what to do, and never a password. */
class OpenErrorTest {
    @TempDir
    private Path directory;

    @Test
    void aMissingFile() {
        CuframesException error =
                refused(VideoSource.builder(directory.resolve("none.mp4").toString()));
        assertEquals(ErrorCode.NOT_FOUND, error.code());
        assertSays(error, "none.mp4", "No such file or directory", "check the path");
    }

    @Test
    void aFileThatIsNoMedia() throws IOException {
        byte[] garbage = new byte[100_000];
        new Random(1).nextBytes(garbage);
        Path file = Files.write(directory.resolve("garbage.mp4"), garbage);
        CuframesException error = refused(VideoSource.builder(file.toString()));
        assertEquals(ErrorCode.UNSUPPORTED, error.code());
        assertSays(error, "garbage.mp4", "no media that FFmpeg knows");
    }

    @Test
    void aFileWithoutVideo() throws IOException {
        Path file = Files.write(directory.resolve("silence.wav"), silence());
        CuframesException error = refused(VideoSource.builder(file.toString()));
        assertEquals(ErrorCode.UNSUPPORTED, error.code());
        assertSays(error, "silence.wav", "no video among its 1 streams");
    }

    @Test
    void aRefusedConnectionAndNoPassword() throws IOException {
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        CuframesException error = refused(VideoSource.builder("rtsp://admin:hunter2@127.0.0.1:" + port + "/cam"));
        assertEquals(ErrorCode.SYSTEM, error.code());
        assertSays(error, "rtsp://***@127.0.0.1:" + port + "/cam", "Connection refused", "nothing listens there");
        assertFalse(error.getMessage().contains("hunter2"), error.getMessage());
        assertFalse(error.getMessage().contains("admin"), error.getMessage());
    }

    @Test
    void aServerThatNeverAnswers() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String url = "rtsp://127.0.0.1:" + socket.getLocalPort() + "/cam";
            long start = System.nanoTime();
            CuframesException error = refused(VideoSource.builder(url).openTimeout(Duration.ofMillis(500)));
            assertTrue(System.nanoTime() - start < 60_000_000_000L, "it took more than a minute");
            assertEquals(ErrorCode.TIMEOUT, error.code());
            assertSays(error, url, "no answer within 500 ms");
        }
    }

    @Test
    void listeningWhileNoSenderComes() throws IOException {
        CuframesException error = refused(VideoSource.builder("rtsp://127.0.0.1:" + RtspPort.free() + "/cam")
                .listen(true)
                .openTimeout(Duration.ofMillis(500)));
        assertEquals(ErrorCode.TIMEOUT, error.code());
        assertSays(error, "no sender came within 500 ms");
    }

    @Test
    void nvdecOnADeviceThatIsNotThere() {
        Path clip = Clips.make(directory.resolve("clip.mp4"), "libx264", 2);
        CuframesException error = refused(VideoSource.builder(clip.toString())
                .decoder(VideoSource.Decoder.NVDEC)
                .device(99));
        assertEquals(ErrorCode.CUDA, error.code());
        assertSays(error, "clip.mp4", "NVDEC needs CUDA device 99", "decode on the CPU");
        String reason = CudaDriver.whyUnavailable(99);
        assertSays(error, reason);
    }

    @Test
    void aCodecThatNvdecDoesNotKnow() {
        Path clip = directory.resolve("clip.avi");
        try (TestPatternWriter writer = TestPatternWriter.builder(clip.toString())
                .size(320, 240)
                .codec("flv")
                .open()) {
            writer.write();
        }
        CuframesException error = refused(VideoSource.builder(clip.toString()).decoder(VideoSource.Decoder.NVDEC));
        assertEquals(ErrorCode.UNSUPPORTED, error.code());
        assertSays(error, "NVDEC does not decode flv1");
    }

    @Test
    void settingsOutOfRange() {
        assertEquals(
                ErrorCode.INVALID_ARGUMENT,
                refused(VideoSource.builder("x").device(-1)).code());
        assertEquals(
                ErrorCode.INVALID_ARGUMENT,
                refused(VideoSource.builder("x").openTimeout(Duration.ZERO)).code());
    }

    @Test
    void aWriterOfAnUnknownEncoderOrFormat() {
        CuframesException error = assertThrows(
                CuframesException.class,
                () -> TestPatternWriter.builder(directory.resolve("clip.mp4").toString())
                        .codec("nonesuch")
                        .open());
        assertEquals(ErrorCode.UNSUPPORTED, error.code());
        assertSays(error, "no encoder nonesuch");
        error = assertThrows(
                CuframesException.class,
                () -> TestPatternWriter.builder(
                                directory.resolve("clip.nonesuch").toString())
                        .open());
        assertEquals(ErrorCode.UNSUPPORTED, error.code());
        error = assertThrows(
                CuframesException.class,
                () -> TestPatternWriter.builder(
                                directory.resolve("none/clip.mp4").toString())
                        .open());
        assertEquals(ErrorCode.NOT_FOUND, error.code());
    }

    private static CuframesException refused(VideoSource.Builder builder) {
        return assertThrows(CuframesException.class, builder::open);
    }

    private static void assertSays(CuframesException error, String... texts) {
        for (String text : texts) {
            assertTrue(
                    error.getMessage().contains(text), () -> "\"" + error.getMessage() + "\" lacks \"" + text + "\"");
        }
    }

    /** A tenth of a second of silence: 8000 samples per second, 16 bit, mono, with its 44-byte header. */
    private static byte[] silence() {
        int bytes = 1600;
        return ByteBuffer.allocate(44 + bytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put("RIFF".getBytes(StandardCharsets.US_ASCII))
                .putInt(36 + bytes)
                .put("WAVEfmt ".getBytes(StandardCharsets.US_ASCII))
                .putInt(16)
                .putShort((short) 1)
                .putShort((short) 1)
                .putInt(8000)
                .putInt(16_000)
                .putShort((short) 2)
                .putShort((short) 16)
                .put("data".getBytes(StandardCharsets.US_ASCII))
                .putInt(bytes)
                .array();
    }
}
