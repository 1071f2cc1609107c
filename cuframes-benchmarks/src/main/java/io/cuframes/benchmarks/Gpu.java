// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import io.cuframes.ffm.LibCuda;
import io.cuframes.ffm.LibCudart;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The few CUDA calls the roles share: device 0, one stream, and the read of 4 bytes that every way is timed by. */
final class Gpu {
    /** A 1080p NV12 frame without padding, what the measurements of other ways use. */
    static final long FRAME_BYTES = 1920L * 1080 * 3 / 2;

    /** Time between frames: long enough for each to be done with before the next. */
    static final long GAP_NANOS = 500_000;

    private final MemorySegment scratch = Arena.global().allocate(64, 16);
    private final long stream;
    private final long pinned;

    Gpu() {
        LibCudart.load();
        LibCuda.load();
        check(LibCudart.cudaSetDevice(0), "cudaSetDevice");
        stream = newStream();
        check(LibCudart.cudaHostAlloc(scratch, 64, LibCudart.cudaHostAllocDefault), "cudaHostAlloc");
        pinned = scratch.get(ValueLayout.JAVA_LONG, 0);
    }

    static void check(int status, String call) {
        if (status != LibCudart.cudaSuccess) {
            throw new IllegalStateException(call + " failed: " + status + " " + LibCudart.cudaGetErrorName(status));
        }
    }

    long stream() {
        return stream;
    }

    long newStream() {
        check(
                LibCudart.cudaStreamCreateWithFlags(scratch, LibCudart.cudaStreamNonBlocking),
                "cudaStreamCreateWithFlags");
        return scratch.get(ValueLayout.JAVA_LONG, 0);
    }

    long allocate(long bytes) {
        check(LibCudart.cudaMalloc(scratch, bytes), "cudaMalloc");
        return scratch.get(ValueLayout.JAVA_LONG, 0);
    }

    long newEvent(int flags) {
        check(LibCudart.cudaEventCreateWithFlags(scratch, flags), "cudaEventCreateWithFlags");
        return scratch.get(ValueLayout.JAVA_LONG, 0);
    }

    /** Fills a frame on a stream with a byte that names it. */
    void fill(long frame, long number, long onStream) {
        check(LibCudart.cudaMemsetAsync(frame, (int) (number & 0xff), FRAME_BYTES, onStream), "cudaMemsetAsync");
    }

    /** Copies the frame's last 4 bytes to the host in stream order and waits for them. */
    void readLast(long frame, long onStream) {
        check(
                LibCudart.cudaMemcpyAsync(
                        pinned, frame + FRAME_BYTES - 4, 4, LibCudart.cudaMemcpyDeviceToHost, onStream),
                "cudaMemcpyAsync");
        check(LibCudart.cudaStreamSynchronize(onStream), "cudaStreamSynchronize");
    }

    static void pace(long sinceNanos) {
        while (System.nanoTime() - sinceNanos < GAP_NANOS) {
            Thread.onSpinWait();
        }
    }
}
