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
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A camera whose session ends, in every way; what it says when it is connected to again. */
@Timeout(120)
class CameraLossTest {
    private static final int FRAMES_BEFORE = 15;

    @TempDir
    private static Path directory;

    private static Path clip;

    @BeforeAll
    static void makeClip() {
        clip = Clips.make(directory.resolve("clip.h264"), "libx264", 500);
    }

    private static CameraScript live() {
        return ScriptedCamera.of(clip).goesOn();
    }

    private static VideoSource.Builder source(ScriptedCamera camera) {
        return Viewing.cpu(camera.url()).readTimeout(Duration.ofSeconds(1));
    }

    private static void assertComesBack(ScriptedCamera camera, VideoSource.Builder builder, int connections) {
        try (Viewing viewing = new Viewing(builder, directory)) {
            viewing.playUntilRestored();
            viewing.assertLostAndRestored();
            viewing.assertTimesRise();
            viewing.assertNumbersRise();
            assertTrue(viewing.numbers().contains(FRAMES_BEFORE - 1L), () -> "one was lost: " + viewing.numbers());
            assertTrue(camera.connections() >= connections, camera.connections() + " of " + connections + " came");
        }
    }

    @ParameterizedTest
    @EnumSource(CameraScript.Ending.class)
    void itComesBackOverTcp(CameraScript.Ending ending) {
        try (ScriptedCamera camera = live().ends(ending, FRAMES_BEFORE).start()) {
            assertComesBack(camera, source(camera), 2);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = CameraScript.Ending.class,
            names = {"SILENCE", "BYE"})
    void itComesBackOverUdp(CameraScript.Ending ending) {
        try (ScriptedCamera camera = live().ends(ending, FRAMES_BEFORE).start()) {
            assertComesBack(camera, source(camera).rtspTransport(VideoSource.RtspTransport.UDP), 2);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {404, 453, 503})
    void itRefusesForAWhile(int status) {
        try (ScriptedCamera camera = live().ends(CameraScript.Ending.FIN, FRAMES_BEFORE)
                .describeFails(status, 2, 2)
                .start()) {
            assertComesBack(camera, source(camera), 3);
        }
    }

    @ParameterizedTest
    @EnumSource(CameraScript.Description.class)
    void itHasNoVideoForAWhile(CameraScript.Description description) {
        try (ScriptedCamera camera = live().ends(CameraScript.Ending.FIN, FRAMES_BEFORE)
                .describes(description, 2, 2)
                .start()) {
            assertComesBack(camera, source(camera).openTimeout(Duration.ofSeconds(2)), 3);
        }
    }

    @Test
    void itHasOneSessionAndTakesTheOldOneForOpen() {
        try (ScriptedCamera camera = live().ends(CameraScript.Ending.FIN, FRAMES_BEFORE)
                .oneSession(1)
                .start()) {
            assertComesBack(camera, source(camera), 3);
            assertTrue(
                    camera.requests().contains("2 SETUP /cam/video 453"),
                    () -> camera.requests().toString());
        }
    }

    /** A camera counts wrong passwords, and locks its user out. */
    @ParameterizedTest
    @CsvSource({"true, TCP", "false, TCP", "true, UDP"})
    void aPasswordRefusedAfterwardsIsNotTriedAgain(boolean digest, VideoSource.RtspTransport transport) {
        CameraScript script = live().refusesPasswordFrom(2).ends(CameraScript.Ending.BYE, FRAMES_BEFORE);
        try (ScriptedCamera camera = (digest
                                ? script.digestPassword("admin", "hunter2")
                                : script.basicPassword("admin", "hunter2"))
                        .start();
                Viewing viewing = new Viewing(
                        Viewing.cpu(camera.url("admin", "hunter2"))
                                .readTimeout(Duration.ofSeconds(1))
                                .rtspTransport(transport),
                        directory)) {
            CuframesException error =
                    assertThrows(CuframesException.class, () -> viewing.playUntil(() -> camera.connections() > 2));
            assertEquals(ErrorCode.ACCESS_DENIED, error.code(), error.getMessage());
            assertFalse(error.isPassing(), error.getMessage());
            assertFalse(error.getMessage().contains("hunter2"), error.getMessage());
            assertEquals(2, camera.connections());
            assertFalse(viewing.news().lines().isEmpty(), "no loss was told");
            assertFalse(viewing.news().lines().contains("restored"), "it came back");
        }
    }
}
