// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.Publisher;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A file, decoded on the CPU into a ring in host memory, arrives frame for frame. */
class FilePlaybackTest {
    private static final long SECOND = 1_000_000_000;

    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource({
        "libx264, mp4, 320, 240",
        "libx265, mp4, 320, 240",
        "libopenh264, mp4, 320, 240",
        "mpeg4, mp4, 320, 240",
        "libx264, mkv, 1280, 720",
        "libx265, mp4, 1280, 720",
        "libx264, h264, 320, 240",
        "libx265, h265, 320, 240",
        "libopenh264, ts, 160, 96"
    })
    void everyFrameArrivesInOrderWithItsTime(String codec, String ending, int width, int height) {
        Path clip = Clips.make(directory.resolve("clip." + ending), codec, width, height, 60);
        try (VideoSource source = cpu(clip).open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            assertEquals(width, source.format().width());
            assertEquals(height, source.format().height());
            assertEquals(VideoSource.Decoder.CPU, source.decoder());
            assertTrue(source.describe().contains(width + "x" + height + " 25 fps, CPU"), source.describe());
            long first = 0;
            for (int number = 0; number < 60; number++) {
                assertEquals(VideoSource.Status.PUBLISHED, playback.play());
                assertEquals(number, playback.number());
                first = number == 0 && ending.equals("ts") ? playback.pts() : first; // it starts its clock elsewhere
                assertEquals(first + number * SECOND / Clips.FPS, playback.pts());
                assertEquals(number % Clips.FPS == 0, playback.keyFrame(), "key frame at " + number);
                assertFalse(playback.hasCaptureTime());
            }
            assertEquals(VideoSource.Status.END, playback.play());
            assertEquals(VideoSource.Status.END, playback.play());
            assertEquals(0, source.errors());
        }
    }

    @ParameterizedTest
    @CsvSource({"mp4", "h264", "mkv"})
    void aLoopedFileGoesOnWithRisingTimes(String ending) {
        Path clip = Clips.make(directory.resolve("clip." + ending), "libx264", 10);
        try (VideoSource source = cpu(clip).loop(true).open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            for (int number = 0; number < 35; number++) {
                assertEquals(VideoSource.Status.PUBLISHED, playback.play());
                assertEquals(number % 10, playback.number());
                assertEquals(number * SECOND / Clips.FPS, playback.pts());
            }
        }
    }

    @Test
    void realtimeKeepsThePaceOfTheTimestamps() {
        Path clip = Clips.make(directory.resolve("clip.mp4"), "libx264", 26);
        try (VideoSource source = cpu(clip).realtime(true).open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            playback.play();
            long start = System.nanoTime();
            for (int number = 1; number < 26; number++) {
                assertEquals(VideoSource.Status.PUBLISHED, playback.play());
                long due = number * SECOND / Clips.FPS;
                assertTrue(System.nanoTime() - start > due - SECOND / 100, "frame " + number + " came early");
            }
            assertTrue(System.nanoTime() - start < 60 * SECOND, "25 frames at 25 fps took more than a minute");
        }
    }

    @Test
    void aFrameOfAnotherSizeThanThePublisherWaitsForOneThatFits() {
        Path clip = Clips.make(directory.resolve("clip.mp4"), "libx264", 5);
        try (VideoSource source = cpu(clip).open()) {
            try (Publisher small = Publisher.builder(
                            "javacv-small-" + ProcessHandle.current().pid())
                    .size(160, 96)
                    .transport(Transport.HOST)
                    .socketDirectory(directory)
                    .open()) {
                assertEquals(VideoSource.Status.FORMAT_CHANGED, source.publishNext(small));
                assertEquals(VideoSource.Status.FORMAT_CHANGED, source.publishNext(small));
            }
            try (Playback playback = new Playback(source, directory, Transport.HOST)) {
                for (int number = 0; number < 5; number++) {
                    assertEquals(VideoSource.Status.PUBLISHED, playback.play());
                    assertEquals(number, playback.number());
                }
            }
        }
    }

    @Test
    void aFrameThatFindsNoSlotIsDroppedAndTheNextGoesOn() {
        Path clip = Clips.make(directory.resolve("clip.mp4"), "libx264", 3);
        try (VideoSource source = cpu(clip).open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            WritableFrame[] taken = new WritableFrame[6];
            for (int slot = 0; slot < taken.length; slot++) {
                taken[slot] = playback.publisher().acquire();
            }
            assertEquals(VideoSource.Status.DROPPED, playback.play());
            for (WritableFrame frame : taken) {
                frame.close();
            }
            assertEquals(VideoSource.Status.PUBLISHED, playback.play());
            assertEquals(1, playback.number());
        }
    }

    @Test
    void autoFallsBackToTheCpuAloudWhereNvdecCannot() {
        Path clip = Clips.make(directory.resolve("clip.mp4"), "libx264", 3);
        StringBuilder heard = new StringBuilder();
        VideoSource.Listener listener = new VideoSource.Listener() {
            @Override
            public void fellBack(String reason) {
                heard.append(reason);
            }
        };
        try (VideoSource source = VideoSource.builder(clip.toString())
                .device(99)
                .listener(listener)
                .open()) {
            assertEquals(VideoSource.Decoder.CPU, source.decoder());
            assertTrue(heard.toString().contains("device 99"), heard.toString());
        }
    }

    @Test
    void aClosedSourceSaysSo() {
        Path clip = Clips.make(directory.resolve("clip.mp4"), "libx264", 3);
        VideoSource source = cpu(clip).open();
        try (Playback playback = new Playback(source, directory, Transport.HOST)) {
            source.close();
            source.close();
            assertThrows(IllegalStateException.class, playback::play);
        }
        assertFalse(source.describe().isEmpty());
    }

    private static VideoSource.Builder cpu(Path clip) {
        return VideoSource.builder(clip.toString()).decoder(VideoSource.Decoder.CPU);
    }
}
