// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.Needs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LibCudartTest {
    @BeforeEach
    void needsTheRuntime() {
        try {
            LibCudart.load();
        } catch (LibraryNotFoundException e) {
            throw Needs.missing("libcudart, of NVIDIA's package cuda-cudart: " + e.getMessage());
        }
    }

    @Test
    void withoutADriverCountingDevicesSaysSoAndLeavesTheCountAlone() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment number = arena.allocateFrom(JAVA_INT, -7);
            assertEquals(LibCudart.cudaSuccess, LibCudart.cudaDriverGetVersion(number));
            Needs.noGpu(number.get(JAVA_INT, 0) != 0);

            number.set(JAVA_INT, 0, -7);
            assertEquals(LibCudart.cudaErrorInsufficientDriver, LibCudart.cudaGetDeviceCount(number));
            assertEquals(-7, number.get(JAVA_INT, 0));
        }
    }

    @Test
    void errorsHaveNamesAndTexts() {
        assertEquals("cudaErrorInsufficientDriver", LibCudart.cudaGetErrorName(35));
        assertEquals("CUDA driver version is insufficient for CUDA runtime version", LibCudart.cudaGetErrorString(35));
    }

    @Test
    void theRuntimeIsOneThatTheLayoutsAreKnownFor() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment version = arena.allocate(JAVA_INT);
            assertEquals(LibCudart.cudaSuccess, LibCudart.cudaRuntimeGetVersion(version));
            int major = version.get(JAVA_INT, 0) / 1000;
            assertTrue(major == 12 || major == 13, "CUDA " + major);
        }
    }
}
