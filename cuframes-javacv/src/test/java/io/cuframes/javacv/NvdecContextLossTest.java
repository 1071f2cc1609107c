// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cuframes.testing.Child;
import io.cuframes.testing.Needs;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A sticky error of CUDA, by an illegal address in the same process, is not taken for damage of the stream: it ends the source at once. */
@Tag("gpu")
@Timeout(120)
class NvdecContextLossTest {
    @TempDir
    private Path directory;

    @BeforeAll
    static void gpuIsThere() {
        String reason = CudaDriver.whyUnavailable(0);
        Needs.gpu(reason == null, reason);
    }

    @ParameterizedTest
    @CsvSource({"libx264, CUDA_VMM", "libx265, CUDA_VMM", "libx264, HOST", "libx265, HOST"})
    void itEndsTheSource(String codec, String transport) {
        Path clip = Clips.make(directory.resolve("clip.mp4"), codec, 100);
        try (Child child = Child.start(
                LosingSource.class, clip, "losing-" + ProcessHandle.current().pid(), directory, transport)) {
            assertEquals("source 700 true false", child.answer());
            assertEquals("source closed without error", child.answer());
            child.answerThatBegins("publisher closed ");
        }
    }
}
