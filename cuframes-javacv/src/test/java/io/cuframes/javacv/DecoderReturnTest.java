// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.CudaException;
import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.Transport;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A decoder in hardware that cannot be opened again for a while, or for good; and what is left where one fails to open or to close. */
@Timeout(120)
class DecoderReturnTest {
    private static final int OUT_OF_MEMORY = 2;
    private static final int LOST = 700;
    private static final int FRAMES = 10;

    @TempDir
    private Path directory;

    private final HardwareDouble hardware = new HardwareDouble();
    private final SourceNews news = new SourceNews();
    private final AtomicBoolean wanted = new AtomicBoolean(true);
    private Path clip;

    @BeforeEach
    void makeAClip() {
        clip = Clips.make(directory.resolve("clip.mp4"), "libx264", FRAMES);
    }

    private VideoSource.Builder source(VideoSource.Decoder decoder) {
        return VideoSource.builder(clip.toString())
                .decoder(decoder)
                .hardware(hardware::open)
                .demand(wanted::get)
                .listener(news);
    }

    private boolean isOpen() throws Exception {
        try (var descriptors = Files.list(Path.of("/proc/self/fd"))) {
            for (Path descriptor : descriptors.toList()) {
                if (Files.exists(descriptor) && Files.isSameFile(descriptor, clip)) {
                    return true;
                }
            }
        }
        return false;
    }

    private void rest(Playback playback) {
        assertEquals(VideoSource.Status.PUBLISHED, playback.play());
        wanted.set(false);
        assertEquals(VideoSource.Status.IDLE, playback.play());
        wanted.set(true);
    }

    @Test
    void aDecoderThatHasNoMemoryWhenItIsWantedAgainIsTriedUntilItHas() throws Exception {
        try (VideoSource source = source(VideoSource.Decoder.NVDEC).open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            rest(playback);
            hardware.openFailure = new CudaException("cuDevicePrimaryCtxRetain", OUT_OF_MEMORY, "no memory on the GPU");
            hardware.openFailures.set(2);
            assertEquals(VideoSource.Status.PUBLISHED, playback.play());
            assertEquals(4, hardware.opens());
            String lost = "lost: " + clip + ": no memory on the GPU";
            assertEquals(List.of(lost, lost, "restored"), news.lines());
        }
    }

    @Test
    void aContextThatIsLostIsNotTriedAgain() throws Exception {
        try (VideoSource source = source(VideoSource.Decoder.NVDEC).open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            rest(playback);
            hardware.openFailure = new CudaException("cuDevicePrimaryCtxRetain", LOST, "lost");
            hardware.openFailures.set(Integer.MAX_VALUE);
            CudaException thrown = assertThrows(CudaException.class, playback::play);
            assertTrue(thrown.isContextLost());
            assertTrue(thrown.getMessage().contains(clip.toString()), thrown.getMessage());
            assertEquals(2, hardware.opens());
            assertFalse(isOpen());
        }
    }

    @Test
    void hardwareThatRefusesAStreamWhichItHasDecodedIsTriedAgain() throws Exception {
        try (VideoSource source = source(VideoSource.Decoder.NVDEC).open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            rest(playback);
            hardware.refusal = "no decoder is free";
            Thread other = Thread.ofPlatform().start(() -> {
                while (news.lines().stream()
                                .filter("lost: no decoder is free"::equals)
                                .count()
                        < 2) {
                    Thread.onSpinWait();
                }
                hardware.refusal = null;
            });
            assertEquals(VideoSource.Status.PUBLISHED, playback.play());
            other.join();
            assertTrue(hardware.opens() >= 4, "opened " + hardware.opens() + " times");
        }
    }

    @Test
    void hardwareThatRefusesAStreamFromTheStartIsFinal() {
        hardware.refusal = "not this profile";
        try (VideoSource source = source(VideoSource.Decoder.NVDEC).open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            CuframesException thrown = assertThrows(CuframesException.class, playback::play);
            assertEquals(ErrorCode.UNSUPPORTED, thrown.code());
        }
    }

    @Test
    void whereTheCpuMayDecodeItGoesOnAtOnce() {
        try (VideoSource source = source(VideoSource.Decoder.AUTO).open();
                Playback playback = new Playback(source, directory, Transport.HOST)) {
            rest(playback);
            hardware.refusal = "no decoder is free";
            assertEquals(VideoSource.Status.PUBLISHED, playback.play());
            assertEquals(VideoSource.Decoder.CPU, source.decoder());
            assertEquals(List.of("fell back: no decoder is free"), news.lines());
        }
    }

    @Test
    void aDecoderThatFailsToCloseLeavesNothingElseOpen() throws Exception {
        VideoSource source = source(VideoSource.Decoder.NVDEC).open();
        assertTrue(source.awaitFrame());
        assertTrue(isOpen());
        hardware.closeFailure = new AssertionError("the decoder does not close");
        assertSame(hardware.closeFailure, assertThrows(AssertionError.class, source::close));
        assertFalse(isOpen());
        source.close();
    }

    @Test
    void anErrorAsASourceIsOpenedLeavesNothingOpen() throws Exception {
        hardware.openFailure = new StackOverflowError("as it is opened");
        hardware.openFailures.set(1);
        assertThrows(
                StackOverflowError.class,
                () -> source(VideoSource.Decoder.NVDEC).open());
        assertFalse(isOpen());
    }
}
