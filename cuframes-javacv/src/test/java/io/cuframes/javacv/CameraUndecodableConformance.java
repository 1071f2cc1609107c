// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Packets that go on while no picture comes of them any more: the camera is connected to again. */
@Timeout(120)
abstract class CameraUndecodableConformance {
    private final VideoSource.Decoder decoder;

    private static final int FRAMES_BEFORE = 20;

    @TempDir
    private static Path directory;

    @BeforeAll
    static void makeClips() {
        Clips.make(directory.resolve("clip.h264"), "libx264", 500);
        Clips.make(directory.resolve("clip.hevc"), "libx265", 500);
    }

    CameraUndecodableConformance(VideoSource.Decoder decoder) {
        this.decoder = decoder;
    }

    private VideoSource.Builder source(ScriptedCamera camera) {
        return VideoSource.builder(camera.url()).decoder(decoder).readTimeout(Duration.ofSeconds(1));
    }

    @ParameterizedTest
    @CsvSource({"clip.h264, TCP", "clip.hevc, TCP", "clip.h264, UDP"})
    void noise(String clip, VideoSource.RtspTransport transport) {
        try (ScriptedCamera camera = ScriptedCamera.of(directory.resolve(clip))
                        .goesOn()
                        .noise(FRAMES_BEFORE)
                        .start();
                Viewing viewing = new Viewing(source(camera).rtspTransport(transport), directory)) {
            viewing.playUntilRestored();
            viewing.assertLostAndRestored();
            viewing.assertTimesRise();
            viewing.assertNumbersRise();
            assertTrue(camera.connections() > 1, "it was not connected to again");
            assertTrue(viewing.source().errors() > 0, "no error was counted");
        }
    }

    @ParameterizedTest
    @CsvSource({"clip.h264, clip.hevc, h264, hevc", "clip.hevc, clip.h264, hevc, h264"})
    void anotherCodecThanAnnounced(String clip, String other, String codec, String otherCodec) {
        try (ScriptedCamera camera = ScriptedCamera.of(directory.resolve(clip))
                        .codecChanges(directory.resolve(other), FRAMES_BEFORE)
                        .start();
                Viewing viewing = new Viewing(source(camera), directory)) {
            assertTrue(
                    viewing.source().describe().startsWith(codec),
                    viewing.source().describe());
            viewing.playUntilRestored();
            viewing.assertLostAndRestored();
            viewing.assertTimesRise();
            assertTrue(camera.connections() > 1, "it was not connected to again");
            assertTrue(
                    viewing.source().describe().startsWith(otherCodec),
                    viewing.source().describe());
        }
    }

    @Test
    void noiseOnceMoreAfterItCameBack() {
        try (ScriptedCamera camera = ScriptedCamera.of(directory.resolve("clip.h264"))
                        .noise(FRAMES_BEFORE)
                        .troubledSessions(2)
                        .start();
                Viewing viewing = new Viewing(source(camera), directory)) {
            viewing.playUntil(() -> camera.sessions() >= 3);
            viewing.frames(FRAMES_BEFORE + 10);
            viewing.assertLostAndRestored();
            viewing.assertTimesRise();
            assertTrue(camera.connections() > 2, "it was not connected to again");
        }
    }
}
