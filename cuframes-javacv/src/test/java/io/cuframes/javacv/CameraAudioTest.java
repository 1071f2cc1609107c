// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A camera's audio is not asked for, and does nothing to its video. */
@Timeout(120)
class CameraAudioTest {
    @TempDir
    private static Path directory;

    private static Path clip;

    @BeforeAll
    static void makeClip() {
        clip = Clips.make(directory.resolve("clip.h264"), "libx264", 100);
    }

    private static void assertVideoAlone(CameraScript script, VideoSource.RtspTransport transport, int frames) {
        try (ScriptedCamera camera = script.start()) {
            try (Viewing viewing = new Viewing(Viewing.cpu(camera.url()).rtspTransport(transport), directory)) {
                viewing.frames(frames);
                viewing.assertNoLoss();
                viewing.assertTimesRise();
                viewing.assertNumbersRise();
                assertEquals(0, viewing.numbers().getFirst());
            }
            List<String> setUp = camera.requests().stream()
                    .filter(request -> request.contains(" SETUP "))
                    .toList();
            assertEquals(List.of("1 SETUP /cam/video 200"), setUp);
            assertEquals(1, camera.connections());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "PCMU, false, TCP",
        "PCMU, true, TCP",
        "PCMU, true, UDP",
        "AAC, false, TCP",
        "AAC, true, TCP",
        "AAC_WITHOUT_CONFIG, false, TCP",
        "AAC_WITHOUT_CONFIG, true, UDP"
    })
    void whatItsTrackAnnouncesAndSends(
            CameraScript.Audio audio, boolean audioFirst, VideoSource.RtspTransport transport) {
        CameraScript script = ScriptedCamera.of(clip).audio(audio);
        assertVideoAlone(audioFirst ? script.audioFirst() : script, transport, 10);
    }

    @ParameterizedTest
    @CsvSource({"PCMU, false", "AAC, true"})
    void itsTrackIsRefused(CameraScript.Audio audio, boolean audioFirst) {
        CameraScript script = ScriptedCamera.of(clip).audio(audio).audioRefused();
        assertVideoAlone(audioFirst ? script.audioFirst() : script, VideoSource.RtspTransport.TCP, 10);
    }

    /** At five frames a second, so that whoever waits for the audio waits longer than a camera may take to answer. */
    @ParameterizedTest
    @CsvSource({"PCMU, false", "AAC, true", "AAC_WITHOUT_CONFIG, false"})
    void itsTrackIsSilent(CameraScript.Audio audio, boolean audioFirst) {
        CameraScript script = ScriptedCamera.of(clip).fps(5).audio(audio).audioSilent();
        assertVideoAlone(audioFirst ? script.audioFirst() : script, VideoSource.RtspTransport.TCP, 4);
    }

    @Test
    void itBeginsFiveSecondsBeforeTheVideo() {
        CameraScript script = ScriptedCamera.of(clip)
                .audio(CameraScript.Audio.PCMU)
                .audioFirst()
                .parameterSetsInBandOnly()
                .videoAfter(Duration.ofSeconds(5));
        assertVideoAlone(script, VideoSource.RtspTransport.TCP, 10);
    }
}
