// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.Publisher;
import io.cuframes.Transport;
import io.cuframes.testing.Needs;
import io.cuframes.testing.StreamGate;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Frames that NVDEC decodes arrive frame for frame, whichever ring they go to. */
@Tag("gpu")
@Timeout(120)
class NvdecTest {
    private static final int FRAMES = 120;

    @TempDir
    private Path directory;

    @BeforeAll
    static void gpuIsThere() {
        String reason = CudaDriver.whyUnavailable(0);
        Needs.gpu(reason == null, reason);
    }

    @ParameterizedTest
    @CsvSource({
        "libx264, 1280, 720, CUDA_IPC",
        "libx265, 1280, 720, CUDA_IPC",
        "libx264, 1920, 1080, CUDA_IPC",
        "libx265, 1920, 1080, CUDA_IPC",
        "libx264, 322, 242, CUDA_IPC",
        "libx264, 1280, 720, HOST",
        "libx265, 1280, 720, HOST"
    })
    void everyFrameArrivesInOrderWithItsTime(String codec, int width, int height, Transport transport) {
        Path clip = Clips.make(directory.resolve("clip.mp4"), codec, width, height, FRAMES);
        try (VideoSource source = nvdec(clip).open();
                Playback playback = new Playback(source, directory, transport)) {
            assertEquals(VideoSource.Decoder.NVDEC, source.decoder());
            assertTrue(source.describe().contains("NVDEC on device 0"), source.describe());
            playAll(playback);
            assertEquals(VideoSource.Status.END, playback.play());
            assertEquals(0, source.errors());
        }
    }

    /** The surface begins with what is cropped. */
    @ParameterizedTest
    @CsvSource({
        "libx264, h264_metadata, CUDA_IPC",
        "libx265, hevc_metadata, CUDA_IPC",
        "libx264, h264_metadata, HOST",
        "libx265, hevc_metadata, HOST"
    })
    void aCroppedPictureIsThatOfTheCpu(String codec, String filter, Transport transport) throws Exception {
        Path whole = CroppedVideoTest.whole(directory, codec, "yuv420p");
        Path clip = CroppedVideoTest.crop(directory, whole, filter, 6, 2, 2, 12);
        List<Pictures.Picture> wanted = Pictures.of(clip, directory, 3);
        try (VideoSource source = nvdec(clip).open()) {
            assertEquals(312, source.format().width());
            List<Pictures.Picture> pictures = Pictures.of(source, directory, transport, 3);
            assertEquals(3, pictures.size());
            for (int i = 0; i < 3; i++) {
                assertEquals(312, pictures.get(i).width());
                assertEquals(226, pictures.get(i).height());
                assertArrayEquals(wanted.get(i).luma(), pictures.get(i).luma());
                assertArrayEquals(wanted.get(i).chroma(), pictures.get(i).chroma());
            }
        }
    }

    /** A camera that is joined in the middle of a group: what is published first is the key frame, whole. */
    @ParameterizedTest
    @ValueSource(strings = {"clip.h264", "clip.hevc"})
    void theFirstKeyFrameIsWaitedFor(String name) {
        Path clip = Clips.make(directory.resolve(name), name.endsWith("hevc") ? "libx265" : "libx264", FRAMES);
        try (ScriptedCamera camera = ScriptedCamera.of(clip)
                        .parameterSetsInBandOnly()
                        .startsAt(5)
                        .start();
                VideoSource source = VideoSource.builder(camera.url())
                        .decoder(VideoSource.Decoder.NVDEC)
                        .open();
                Playback playback = new Playback(source, directory, Transport.CUDA_VMM)) {
            assertEquals(VideoSource.Status.PUBLISHED, playback.play());
            assertTrue(playback.keyFrame(), "it begins with another picture");
            assertTrue(playback.number() > 0, "the stamp gave " + playback.number());
            assertEquals(0, source.damaged());
        }
    }

    @Test
    void autoChoosesNvdec() {
        Path clip = Clips.make(directory.resolve("clip.mp4"), "libx264", FRAMES);
        try (VideoSource source = VideoSource.builder(clip.toString()).open();
                Playback playback = new Playback(source, directory, Transport.AUTO)) {
            assertEquals(VideoSource.Decoder.NVDEC, source.decoder());
            assertEquals(Transport.CUDA_VMM, playback.publisher().transport());
            playAll(playback);
        }
    }

    @Test
    void framesOfTheCpuReachADeviceRing() {
        Path clip = Clips.make(directory.resolve("clip.mp4"), "mpeg4", FRAMES);
        try (VideoSource source = VideoSource.builder(clip.toString())
                        .decoder(VideoSource.Decoder.CPU)
                        .open();
                Playback playback = new Playback(source, directory, Transport.CUDA_IPC)) {
            playAll(playback);
        }
    }

    /** The first frame is decoded before the GPU hangs; its copy is what waits. */
    @Test
    void aGpuThatHangsForAWhileIsWaitedForAndThatIsSaidOnce() throws Exception {
        Path clip = Clips.make(directory.resolve("clip.mp4"), "libx264", FRAMES);
        SourceNews news = new SourceNews();
        try (VideoSource source = nvdec(clip).listener(news).open();
                Playback playback = new Playback(source, directory, Transport.CUDA_IPC)) {
            Publisher publisher = playback.publisher();
            assertTrue(source.awaitFrame());
            CompletableFuture<VideoSource.Status> next;
            try (StreamGate gate = new StreamGate().block(0)) {
                assertEquals(VideoSource.Status.PUBLISHED, source.publishNext(publisher));
                next = CompletableFuture.supplyAsync(() -> source.publishNext(publisher));
                long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
                while (news.lines().isEmpty() && System.nanoTime() - deadline < 0) {
                    TimeUnit.MILLISECONDS.sleep(10);
                }
                assertFalse(next.isDone());
            }
            assertEquals(VideoSource.Status.PUBLISHED, next.get(60, TimeUnit.SECONDS));
            for (int i = 2; i < FRAMES; i++) {
                assertEquals(VideoSource.Status.PUBLISHED, source.publishNext(publisher));
            }
            assertEquals(2, news.lines().size(), news.lines().toString());
            assertTrue(
                    news.lines().getFirst().startsWith("stalled: "),
                    news.lines().toString());
            assertEquals("resumed", news.lines().getLast());
        }
    }

    @Test
    void aLoopedFileGoesOn() {
        Path clip = Clips.make(directory.resolve("clip.mp4"), "libx264", 10);
        try (VideoSource source = nvdec(clip).loop(true).open();
                Playback playback = new Playback(source, directory, Transport.CUDA_IPC)) {
            for (int number = 0; number < 100; number++) {
                assertEquals(VideoSource.Status.PUBLISHED, playback.play());
                assertEquals(number % 10, playback.number());
                assertEquals(number * 1_000_000_000L / Clips.FPS, playback.pts());
            }
        }
    }

    /** More than the ten callbacks of a type that JavaCPP has room for. */
    @Test
    void sixteenSourcesDecodeAtATime() {
        Path clip = Clips.make(directory.resolve("clip.mp4"), "libx264", 10);
        List<VideoSource> sources = new ArrayList<>();
        List<Playback> playbacks = new ArrayList<>();
        try {
            for (int i = 0; i < 16; i++) {
                VideoSource source = nvdec(clip).open();
                sources.add(source);
                playbacks.add(new Playback(source, directory, Transport.CUDA_IPC));
            }
            for (int number = 0; number < 10; number++) {
                for (Playback playback : playbacks) {
                    assertEquals(VideoSource.Status.PUBLISHED, playback.play());
                    assertEquals(number, playback.number());
                }
            }
        } finally {
            playbacks.forEach(Playback::close);
            sources.forEach(VideoSource::close);
        }
    }

    @Test
    void aPublisherMayBeReplacedWhileItsLastCopyIsUnderWay() {
        Path clip = Clips.make(directory.resolve("clip.mp4"), "libx264", 20);
        try (VideoSource source = nvdec(clip).open()) {
            for (int number = 0; number < 20; number++) {
                try (Playback playback = new Playback(source, directory, Transport.CUDA_IPC)) {
                    assertEquals(VideoSource.Status.PUBLISHED, playback.play());
                    assertEquals(number, playback.number());
                }
            }
        }
    }

    /** As that of any process that has used CUDA: FFmpeg would make it itself, and with other flags. */
    @Test
    void aDeviceThatIsInUseAlreadyIsDecodedOn() {
        Path clip = Clips.make(directory.resolve("clip.mp4"), "libx264", 1);
        try (Publisher before = Publisher.builder(
                                "javacv-before-" + ProcessHandle.current().pid())
                        .size(64, 64)
                        .transport(Transport.CUDA_IPC)
                        .socketDirectory(directory)
                        .open();
                VideoSource source = nvdec(clip).open();
                Playback playback = new Playback(source, directory, Transport.CUDA_IPC)) {
            assertEquals(Transport.CUDA_IPC, before.transport());
            assertEquals(VideoSource.Status.PUBLISHED, playback.play());
        }
    }

    private static void playAll(Playback playback) {
        for (int number = 0; number < FRAMES; number++) {
            assertEquals(VideoSource.Status.PUBLISHED, playback.play());
            assertEquals(number, playback.number());
            assertEquals(number * 1_000_000_000L / Clips.FPS, playback.pts());
            assertEquals(number % Clips.FPS == 0, playback.keyFrame(), "key frame at " + number);
        }
    }

    private static VideoSource.Builder nvdec(Path clip) {
        return VideoSource.builder(clip.toString()).decoder(VideoSource.Decoder.NVDEC);
    }
}
