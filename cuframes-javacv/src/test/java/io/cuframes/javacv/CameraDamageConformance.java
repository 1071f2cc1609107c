// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.Frame;
import io.cuframes.PlaneLayout;
import io.cuframes.Publisher;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import io.cuframes.Transport;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Packets of a camera that get lost: no picture that is wrong passes for a good one. */
@Timeout(120)
abstract class CameraDamageConformance {
    private final VideoSource.Decoder decoder;

    private static final int GROUP = 25;
    private static final int FRAMES = 4 * GROUP;

    /** In the second group of pictures. */
    private static final int LOST = GROUP + 5;

    @TempDir
    private static Path directory;

    private static final Map<String, Map<Long, Long>> SOUND = new HashMap<>();

    /** A frame that was published: the number stamped into it, the checksum of its luma, and whether it is said to be damaged. */
    private record Shown(long number, long checksum, boolean damaged) {
        @Override
        public String toString() {
            return number + (damaged ? " damaged" : "");
        }
    }

    CameraDamageConformance(VideoSource.Decoder decoder) {
        this.decoder = decoder;
    }

    @BeforeAll
    static void makeClips() {
        for (String name : List.of("clip.h264", "clip.hevc")) {
            Path clip =
                    Clips.make(directory.resolve(name), name.endsWith("hevc") ? "libx265" : "libx264", FRAMES + GROUP);
            Map<Long, Long> checksums = new HashMap<>();
            for (Shown shown :
                    play(VideoSource.builder(clip.toString()).decoder(VideoSource.Decoder.CPU), Integer.MAX_VALUE)) {
                assertFalse(shown.damaged(), "a frame of the whole clip is damaged");
                checksums.put(shown.number(), shown.checksum());
            }
            SOUND.put(name, checksums);
        }
    }

    private static List<Shown> play(VideoSource.Builder builder, int count) {
        List<Shown> all = new ArrayList<>();
        String key = "damage-" + ProcessHandle.current().pid();
        try (Arena arena = Arena.ofConfined();
                VideoSource source = builder.open();
                Publisher publisher = Publisher.builder(key)
                        .size(source.format().width(), source.format().height())
                        .color(source.format().color())
                        .transport(Transport.HOST)
                        .socketDirectory(directory)
                        .open();
                Subscriber subscriber = Subscriber.builder(key)
                        .mode(SubscriberMode.STRICT_ORDER)
                        .socketDirectory(directory)
                        .open()) {
            MemorySegment copy = arena.allocate(publisher.format().frameBytes());
            while (all.size() < count && source.publishNext(publisher) == VideoSource.Status.PUBLISHED) {
                try (Frame frame = subscriber.next(Duration.ofSeconds(60))) {
                    assertNotNull(frame, "the frame published was not delivered");
                    all.add(shown(frame, copy));
                }
            }
            long damaged = all.stream().filter(Shown::damaged).count();
            assertTrue(source.damaged() >= damaged, source.damaged() + " counted, of " + damaged);
        }
        return all;
    }

    private static Shown shown(Frame frame, MemorySegment copy) {
        frame.copyTo(copy);
        PlaneLayout luma = frame.format().planes().get(0);
        MemorySegment plane = copy.asSlice(luma.offset(), luma.bytes());
        CRC32 checksum = new CRC32();
        for (int row = 0; row < frame.height(); row++) {
            checksum.update(
                    plane.asSlice((long) row * luma.pitch(), frame.width()).toArray(ValueLayout.JAVA_BYTE));
        }
        return new Shown(
                FrameStamp.read(plane, luma.pitch(), frame.width(), frame.height()),
                checksum.getValue(),
                frame.isDamaged());
    }

    private void assertNoWrongPictureLooksSound(
            String clip, VideoSource.RtspTransport transport, CameraScript.Loss loss) {
        try (ScriptedCamera camera =
                ScriptedCamera.of(directory.resolve(clip)).pace(100).loses(loss).start()) {
            List<Shown> all =
                    play(VideoSource.builder(camera.url()).decoder(decoder).rtspTransport(transport), FRAMES - GROUP);
            Map<Long, Long> sound = SOUND.get(clip);
            long highest = -1;
            for (Shown shown : all) {
                boolean wrong = !Long.valueOf(shown.checksum()).equals(sound.get(shown.number()));
                assertTrue(shown.damaged() || !wrong, () -> "frame " + shown.number() + " is wrong: " + all);
                // The log may tell of the loss while the frame before it is on its way.
                boolean outside = shown.number() >= 0 && (shown.number() < LOST - 1 || shown.number() >= 2 * GROUP);
                boolean again = shown.number() <= highest; // what a decoder may show for one that it lacks
                highest = Math.max(highest, shown.number());
                assertFalse(
                        outside && !again && shown.damaged(), () -> "frame " + shown.number() + " is sound: " + all);
            }
            assertTrue(all.stream().anyMatch(Shown::damaged), () -> "none is damaged: " + all);
            assertEquals(1, camera.connections());
        }
    }

    /** The last packet of one picture: a part of it is missing. */
    @ParameterizedTest
    @CsvSource({"clip.h264, TCP", "clip.h264, UDP", "clip.hevc, TCP", "clip.hevc, UDP"})
    void aPartOfAPicture(String clip, VideoSource.RtspTransport transport) {
        assertNoWrongPictureLooksSound(
                clip, transport, (frame, packet, packets) -> frame == LOST && packet == packets - 1);
    }

    /** All packets of one picture: the next ones refer to a picture that never came. */
    @ParameterizedTest
    @CsvSource({"clip.h264, TCP", "clip.h264, UDP", "clip.hevc, TCP", "clip.hevc, UDP"})
    void aWholePicture(String clip, VideoSource.RtspTransport transport) {
        assertNoWrongPictureLooksSound(clip, transport, (frame, packet, packets) -> frame == LOST);
    }

    /** What was lost is counted while the source runs, and there is nothing to count where nothing is lost. */
    @Test
    void theyAreCounted() {
        CameraScript whole = ScriptedCamera.of(directory.resolve("clip.h264")).pace(100);
        try (ScriptedCamera camera = whole.start();
                Viewing viewing = new Viewing(VideoSource.builder(camera.url()).decoder(decoder), directory)) {
            viewing.frames(FRAMES);
            assertEquals(0, viewing.source().damaged());
        }
        CameraScript lossy = ScriptedCamera.of(directory.resolve("clip.h264"))
                .pace(100)
                .loses((frame, packet, packets) -> frame == LOST);
        try (ScriptedCamera camera = lossy.start();
                Viewing viewing = new Viewing(VideoSource.builder(camera.url()).decoder(decoder), directory)) {
            viewing.playUntil(() -> viewing.source().damaged() > 0);
            viewing.assertNoLoss();
        }
    }

    /** What cannot be decoded before the first key frame is no damage of what is shown. */
    @ParameterizedTest
    @CsvSource({"clip.h264, TCP", "clip.hevc, TCP", "clip.hevc, UDP"})
    void aStreamThatIsJoinedInTheMiddleIsSound(String clip, VideoSource.RtspTransport transport) {
        try (ScriptedCamera camera =
                ScriptedCamera.of(directory.resolve(clip)).startsAt(5).pace(100).start()) {
            List<Shown> all =
                    play(VideoSource.builder(camera.url()).decoder(decoder).rtspTransport(transport), GROUP);
            assertEquals(GROUP, all.getFirst().number());
            assertTrue(all.stream().noneMatch(Shown::damaged), () -> "damaged: " + all);
        }
    }
}
