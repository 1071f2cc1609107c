// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Times of a camera whose timestamps are not those of a clock. It sends faster than they say, so that a test takes a second or two. */
@Timeout(120)
class CameraTimesTest {
    private static final int PACE = 150;
    private static final long FRAME = 40_000_000;
    private static final long ALMOST_NONE = 2_000_000;

    @TempDir
    private static Path directory;

    private static Path clip;

    @BeforeAll
    static void makeClip() {
        clip = Clips.make(directory.resolve("clip.h264"), "libx264", 250);
    }

    private static CameraScript camera() {
        return ScriptedCamera.of(clip).pace(PACE);
    }

    /** Plays a number of frames; each comes at its time, 25 in a second, as far as {@code tolerance} allows, ns. */
    private static void assertTimes(
            CameraScript script, VideoSource.RtspTransport transport, int frames, long tolerance) {
        try (ScriptedCamera camera = script.start();
                Viewing viewing = new Viewing(Viewing.cpu(camera.url()).rtspTransport(transport), directory)) {
            viewing.frames(frames);
            viewing.assertTimesRise();
            viewing.assertNoLoss();
            List<Long> times = viewing.times();
            for (int i = 0; i < frames; i++) {
                long error = times.get(i) - times.getFirst() - i * FRAME;
                assertTrue(Math.abs(error) <= tolerance, "frame " + i + " is " + error + " ns off: " + times);
            }
        }
    }

    @Test
    void theyAreThoseOfTheTimestamps() {
        assertTimes(camera(), VideoSource.RtspTransport.TCP, 100, ALMOST_NONE);
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 10})
    void someTimestampsAreRepeated(int every) {
        assertTimes(camera().everyTimeRepeated(every), VideoSource.RtspTransport.TCP, 200, FRAME + ALMOST_NONE);
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 10})
    void someTimestampsAreEarlierThanTheOneBefore(int every) {
        assertTimes(camera().everyTimeEarlier(every), VideoSource.RtspTransport.TCP, 200, FRAME + ALMOST_NONE);
    }

    @Test
    void twoFramesEachHaveOneTimestamp() {
        assertTimes(camera().timesInPairs(), VideoSource.RtspTransport.TCP, 200, FRAME + ALMOST_NONE);
    }

    /** Those before may stay as they are, and those after may catch up with them or go on from them. */
    @Test
    void timestampsJumpBack() {
        Duration jump = Duration.ofMillis(200);
        assertTimes(
                camera().timesBack(50, jump), VideoSource.RtspTransport.TCP, 150, jump.toNanos() + FRAME + ALMOST_NONE);
    }

    @Test
    void allTimestampsAreTheSame() {
        try (ScriptedCamera camera = camera().sameTimes().start();
                Viewing viewing = new Viewing(Viewing.cpu(camera.url()), directory)) {
            viewing.frames(100);
            viewing.assertTimesRise();
            viewing.assertNoLoss();
        }
    }

    @ParameterizedTest
    @EnumSource(VideoSource.RtspTransport.class)
    void timestampsAndSequenceNumbersWrap(VideoSource.RtspTransport transport) {
        CameraScript script = camera().firstTimestamp(0xFFFF_FFFFL - CameraScript.TICKS_PER_SECOND)
                .firstSequence(65_500);
        assertTimes(script, transport, 150, ALMOST_NONE);
    }

    /** As where a camera's encoder begins again within a session. Its first packet then may be taken for a stray one. */
    @Test
    void timestampsAndSequenceNumbersRestart() {
        try (ScriptedCamera camera = camera().numbersRestartAt(50).start();
                Viewing viewing = new Viewing(Viewing.cpu(camera.url()), directory)) {
            viewing.playUntil(() -> viewing.numbers().getLast() >= 120);
            viewing.assertTimesRise();
            viewing.assertNumbersRise();
            viewing.assertNoLoss();
            long end = viewing.times().getLast() - viewing.times().getFirst();
            assertTrue(Math.abs(120 * FRAME - end) <= 30 * FRAME, "frame 120 comes after " + end + " ns");
        }
    }

    /** Over UDP, packets with lower numbers are taken for late ones, all of them; a new session has to do. */
    @Test
    void timestampsAndSequenceNumbersRestartOverUdp() {
        try (ScriptedCamera camera = camera().goesOn().numbersRestartAt(50).start();
                Viewing viewing = new Viewing(
                        Viewing.cpu(camera.url())
                                .rtspTransport(VideoSource.RtspTransport.UDP)
                                .readTimeout(Duration.ofSeconds(1)),
                        directory)) {
            viewing.playUntil(() -> camera.framesSent() > 51 && viewing.times().size() > 80);
            viewing.assertTimesRise();
        }
    }
}
