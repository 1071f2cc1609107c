// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every way in which a camera is asked for its video, while it does nothing wrong. */
@Timeout(120)
class CameraProtocolTest {
    private static final int FRAMES = 40;

    @TempDir
    private static Path directory;

    @BeforeAll
    static void makeClips() {
        Clips.make(directory.resolve("clip.h264"), "libx264", 100);
        Clips.make(directory.resolve("clip.hevc"), "libx265", 100);
    }

    private static CameraScript camera(String clip) {
        return ScriptedCamera.of(directory.resolve(clip)).pace(100);
    }

    private static void assertPlays(VideoSource.Builder builder) {
        try (Viewing viewing = new Viewing(builder, directory)) {
            viewing.frames(FRAMES);
            viewing.assertNoLoss();
            viewing.assertTimesRise();
            viewing.assertNumbersRise();
            assertEquals(
                    viewing.numbers().getFirst() + FRAMES - 1, viewing.numbers().getLast(), "a frame is missing");
            assertEquals(0, viewing.source().errors());
        }
    }

    @ParameterizedTest
    @CsvSource({"clip.h264, TCP", "clip.h264, UDP", "clip.hevc, TCP", "clip.hevc, UDP"})
    void everyFrameArrives(String clip, VideoSource.RtspTransport transport) {
        try (ScriptedCamera camera = camera(clip).start()) {
            assertPlays(Viewing.cpu(camera.url()).rtspTransport(transport));
            assertEquals(1, camera.connections());
            assertTrue(
                    camera.requests().contains("1 SETUP /cam/video 200"),
                    () -> camera.requests().toString());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"clip.h264", "clip.hevc"})
    void parameterSetsComeWithTheKeyFrames(String clip) {
        try (ScriptedCamera camera = camera(clip).parameterSetsInBandOnly().start()) {
            assertPlays(Viewing.cpu(camera.url()));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void thePasswordIsRight(boolean digest) {
        CameraScript script = camera("clip.h264");
        try (ScriptedCamera camera = (digest
                        ? script.digestPassword("admin", "hunter2")
                        : script.basicPassword("admin", "hunter2"))
                .start()) {
            assertPlays(Viewing.cpu(camera.url("admin", "hunter2")));
            assertTrue(camera.requests().contains("1 DESCRIBE /cam 401"), "it was not asked for");
        }
    }

    @Test
    void aRedirectIsFollowed() {
        try (ScriptedCamera camera = camera("clip.h264").start();
                ScriptedCamera other =
                        camera("clip.h264").redirectsTo(camera.url()).start()) {
            assertPlays(Viewing.cpu(other.url()));
            assertEquals(1, other.connections());
        }
    }

    @Test
    void anAddressOfIpv6() {
        try (ScriptedCamera camera = camera("clip.h264").ipv6().start()) {
            assertPlays(Viewing.cpu(camera.url()));
        }
    }

    @Test
    void oneSessionAtATimeIsEnough() {
        try (ScriptedCamera camera = camera("clip.h264").oneSession(0).start()) {
            assertPlays(Viewing.cpu(camera.url()));
            assertPlays(Viewing.cpu(camera.url()));
            assertEquals(2, camera.sessions());
        }
    }
}
