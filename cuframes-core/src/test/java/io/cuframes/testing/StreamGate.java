// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cuframes.ffm.LibCuda;
import io.cuframes.ffm.LibCudart;
import io.cuframes.internal.protocol.Shared;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A word of host memory that CUDA streams are made to wait for: what is queued behind it is done once the gate opens. Closing it opens it. */
public final class StreamGate implements AutoCloseable {
    private final MemorySegment word;

    @SuppressWarnings("restricted") // memory of CUDA's
    public StreamGate() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointer = arena.allocate(JAVA_LONG);
            check(LibCudart.cudaHostAlloc(pointer, Long.BYTES, LibCudart.cudaHostAllocMapped));
            this.word = MemorySegment.ofAddress(pointer.get(JAVA_LONG, 0)).reinterpret(Long.BYTES);
            word.set(JAVA_LONG, 0, 0);
        }
    }

    /** Has a stream of the current device wait; 0 is the legacy default stream. */
    public StreamGate block(long stream) {
        check(LibCuda.cuStreamWaitValue64_v2(stream, word.address(), 1, LibCuda.CU_STREAM_WAIT_VALUE_GEQ));
        return this;
    }

    /** Lets them go on. */
    public void open() {
        Shared.setLongRelease(word, 0, 1);
    }

    @Override
    public void close() {
        open();
        check(LibCudart.cudaDeviceSynchronize());
        check(LibCudart.cudaFreeHost(word.address()));
    }

    private static void check(int status) {
        assertEquals(0, status);
    }
}
