// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What keeps a camera from being opened: that which may pass by itself, that which does not, and that which is waited for. */
@Timeout(120)
class CameraAtStartTest {
    @TempDir
    private static Path directory;

    @BeforeAll
    static void makeClips() {
        Clips.make(directory.resolve("clip.h264"), "libx264", 100);
        Clips.make(directory.resolve("clip.hevc"), "libx265", 100);
    }

    private static CameraScript camera() {
        return ScriptedCamera.of(directory.resolve("clip.h264"));
    }

    /** Fails to open; the source is closed if it does not. */
    private static CuframesException refusal(VideoSource.Builder builder) {
        return assertThrows(CuframesException.class, () -> builder.open().close());
    }

    private static void assertPasses(CuframesException error) {
        assertTrue(error.isPassing(), () -> "it is told as final: " + error.code() + ", " + error.getMessage());
    }

    @ParameterizedTest
    @ValueSource(ints = {404, 453, 503})
    void aStatusThatMayPass(int status) {
        try (ScriptedCamera camera =
                camera().describeFails(status, 1, CameraScript.FOR_EVER).start()) {
            assertPasses(refusal(Viewing.cpu(camera.url())));
        }
    }

    @ParameterizedTest
    @EnumSource(CameraScript.Description.class)
    void noVideoYet(CameraScript.Description description) {
        try (ScriptedCamera camera =
                camera().describes(description, 1, CameraScript.FOR_EVER).start()) {
            assertPasses(refusal(Viewing.cpu(camera.url()).openTimeout(Duration.ofSeconds(2))));
        }
    }

    @Test
    void aConnectionRefused() {
        assertPasses(refusal(Viewing.cpu("rtsp://127.0.0.1:" + RtspPort.free() + "/cam")));
    }

    @ParameterizedTest
    @CsvSource({"h264, libx264, TCP", "hevc, libx265, TCP", "h264, libx264, UDP"})
    void noKeyFrameInTime(String ending, String codec, VideoSource.RtspTransport transport) {
        Path clip = directory.resolve("long-" + transport + "." + ending);
        makeClip(clip, codec, 100, 100);
        try (ScriptedCamera camera =
                ScriptedCamera.of(clip).parameterSetsInBandOnly().startsAt(10).start()) {
            CuframesException error =
                    refusal(Viewing.cpu(camera.url()).rtspTransport(transport).openTimeout(Duration.ofSeconds(1)));
            assertPasses(error);
            assertTrue(camera.framesSent() < 90, "a key frame came");
        }
    }

    private static void makeClip(Path clip, String codec, int gop, int frames) {
        try (TestPatternWriter writer = TestPatternWriter.builder(clip.toString())
                .size(Clips.WIDTH, Clips.HEIGHT)
                .fps(Clips.FPS)
                .codec(codec)
                .gop(gop)
                .open()) {
            while (writer.number() < frames) {
                writer.write();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aPasswordThatIsWrong(boolean digest) {
        CameraScript script = camera();
        try (ScriptedCamera camera = (digest
                        ? script.digestPassword("admin", "hunter2")
                        : script.basicPassword("admin", "hunter2"))
                .start()) {
            CuframesException error = refusal(Viewing.cpu(camera.url("admin", "other")));
            assertEquals(ErrorCode.ACCESS_DENIED, error.code());
            assertFalse(error.isPassing(), error.getMessage());
            assertFalse(error.getMessage().contains("other"), error.getMessage());
            assertEquals(1, camera.connections());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"rtsp://127.0.0.1:99999/x", "rtsp://:554/x", "rtsp:///x", "http://127.0.0.1:99999/x"})
    void aUrlThatIsMalformed(String url) {
        CuframesException error = refusal(Viewing.cpu(url));
        assertEquals(ErrorCode.INVALID_ARGUMENT, error.code(), error.getMessage());
        assertFalse(error.isPassing(), error.getMessage());
    }

    @Test
    void aSchemeThatNobodyKnows() {
        CuframesException error = refusal(Viewing.cpu("nosuch://127.0.0.1/x"));
        assertEquals(ErrorCode.UNSUPPORTED, error.code(), error.getMessage());
        assertFalse(error.isPassing(), error.getMessage());
    }

    @Test
    void aCameraThatRedirectsToItself() {
        try (ScriptedCamera camera = camera().redirectsToItself().start()) {
            CuframesException error = refusal(Viewing.cpu(camera.url()).openTimeout(Duration.ofSeconds(1)));
            assertPasses(error);
            assertTrue(error.getMessage().contains(camera.url()), error.getMessage());
            assertTrue(camera.connections() > 0);
        }
    }

    /** The first pictures cannot be decoded: none of them is shown. */
    @ParameterizedTest
    @CsvSource({"clip.h264, 10, TCP", "clip.hevc, 10, TCP", "clip.h264, 1, UDP"})
    void theFirstKeyFrameIsWaitedFor(String clip, long first, VideoSource.RtspTransport transport) {
        try (ScriptedCamera camera = ScriptedCamera.of(directory.resolve(clip))
                        .parameterSetsInBandOnly()
                        .startsAt(first)
                        .start();
                Viewing viewing = new Viewing(Viewing.cpu(camera.url()).rtspTransport(transport), directory)) {
            viewing.frames(1);
            assertTrue(viewing.lastIsKeyFrame(), "it begins with another picture");
            assertEquals(25, viewing.numbers().getFirst());
            viewing.frames(10);
            viewing.assertNumbersRise();
            viewing.assertNoLoss();
        }
    }

    /** All at a time, since one takes its seconds. */
    @Test
    void aCameraThatTakesItsTimeIsOpenedAndStaysOpen() throws Exception {
        Path longGroups = directory.resolve("long.hevc");
        makeClip(longGroups, "libx265", 200, 200);
        List<Callable<Void>> viewers = List.of(
                () -> assertPlaysSlowly(camera().fps(0.5)),
                () -> assertPlaysSlowly(camera().fps(0.25)),
                () -> assertPlaysSlowly(ScriptedCamera.of(longGroups)
                        .parameterSetsInBandOnly()
                        .startsAt(40))); // a key frame comes after 6.4 s, later than FFmpeg looks for one
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            for (Future<Void> viewer : threads.invokeAll(viewers)) {
                viewer.get();
            }
        }
    }

    private static Void assertPlaysSlowly(CameraScript script) {
        try (ScriptedCamera camera = script.start();
                Viewing viewing = new Viewing(Viewing.cpu(camera.url()), directory)) {
            viewing.frames(2); // the second is known to be whole when the third begins
            viewing.assertNoLoss();
            viewing.assertTimesRise();
            viewing.assertNumbersRise();
            assertEquals(0, viewing.numbers().getFirst());
            assertEquals(1, camera.connections());
            double step = 1e9 / script.fps;
            assertEquals(
                    step, (double) (viewing.times().getLast() - viewing.times().getFirst()), step / 10);
        }
        return null;
    }
}
