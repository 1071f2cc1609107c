// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.CudaException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Packets that cannot be decoded, and the CPU decodes. */
class CameraUndecodableTest extends CameraUndecodableConformance {
    private static final int OUT_OF_MEMORY = 2;

    @TempDir
    private Path own;

    CameraUndecodableTest() {
        super(VideoSource.Decoder.CPU);
    }

    /** The decoder that is to take over gets no memory: that passes, and the camera is connected to again. */
    @Test
    void aSecondDecoderThatHasNoMemoryIsTriedAgain() {
        Path clip = Clips.make(own.resolve("clip.h264"), "libx264", 500);
        HardwareDouble hardware = new HardwareDouble();
        try (ScriptedCamera camera = ScriptedCamera.of(clip).goesOn().noise(20).start();
                Viewing viewing = new Viewing(
                        VideoSource.builder(camera.url())
                                .decoder(VideoSource.Decoder.NVDEC)
                                .hardware(hardware::open)
                                .readTimeout(Duration.ofSeconds(1)),
                        own)) {
            viewing.frames(5);
            hardware.openFailure = new CudaException("cuMemAlloc", OUT_OF_MEMORY, "no memory on the GPU");
            hardware.openFailures.set(1);
            viewing.playUntilRestored();
            assertTrue(
                    viewing.news().lines().stream().anyMatch(line -> line.contains("no memory on the GPU")),
                    () -> "told " + viewing.news().lines());
            assertTrue(camera.connections() > 1, "it was not connected to again");
        }
    }
}
