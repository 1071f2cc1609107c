// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import io.cuframes.ffm.LibCuda;
import io.cuframes.ffm.LibCudart;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The CUDA calls of one thread: a stream, and the read of 4 bytes that every way is timed by. For the thread that makes it, or for another from its {@link #useHere} on.
 */
final class Gpu {
    private static final int SCRATCH = 64;
    private static final int PAGE = 4096;

    private final MemorySegment scratch = Arena.global().allocate(SCRATCH, 16);
    private final int device;
    private final long stream;
    private final MemorySegment read = Arena.global().allocate(PAGE, PAGE);

    Gpu(int device) {
        LibCudart.load();
        LibCuda.load();
        this.device = device;
        useHere();
        stream = newStream();
        register(read);
    }

    /** CUDA's device is a thread's own affair. */
    void useHere() {
        check(LibCudart.cudaSetDevice(device), "cudaSetDevice");
    }

    static void check(int status, String call) {
        if (status != LibCudart.cudaSuccess) {
            throw new IllegalStateException(call + " failed: " + status + " " + LibCudart.cudaGetErrorName(status)
                    + ", " + LibCudart.cudaGetErrorString(status));
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

    long open(MemorySegment handle) {
        check(
                LibCudart.cudaIpcOpenMemHandle(scratch, handle, LibCudart.cudaIpcMemLazyEnablePeerAccess),
                "cudaIpcOpenMemHandle");
        return scratch.get(ValueLayout.JAVA_LONG, 0);
    }

    long openEvent(MemorySegment handle) {
        check(LibCudart.cudaIpcOpenEventHandle(scratch, handle), "cudaIpcOpenEventHandle");
        return scratch.get(ValueLayout.JAVA_LONG, 0);
    }

    void record(long event) {
        check(LibCudart.cudaEventRecord(event, stream), "cudaEventRecord");
    }

    void waitFor(long event, long onStream) {
        check(LibCudart.cudaStreamWaitEvent(onStream, event, 0), "cudaStreamWaitEvent");
    }

    /** Registers host memory, so that copies need no buffer of the driver's. */
    void register(MemorySegment memory) {
        check(
                LibCudart.cudaHostRegister(memory, memory.byteSize(), LibCudart.cudaHostRegisterDefault),
                "cudaHostRegister");
    }

    /** Registers host memory and gives the device's address of it. */
    long map(MemorySegment memory) {
        checkDriver(
                LibCuda.cuMemHostRegister_v2(memory, memory.byteSize(), LibCuda.CU_MEMHOSTREGISTER_DEVICEMAP),
                "cuMemHostRegister");
        checkDriver(LibCuda.cuMemHostGetDevicePointer_v2(scratch, memory, 0), "cuMemHostGetDevicePointer");
        return scratch.get(ValueLayout.JAVA_LONG, 0);
    }

    /** Has the GPU write a word, in this stream's order. */
    void write(long address, long word) {
        checkDriver(
                LibCuda.cuStreamWriteValue64_v2(stream, address, word, LibCuda.CU_STREAM_WRITE_VALUE_DEFAULT),
                "cuStreamWriteValue64");
    }

    private static void checkDriver(int status, String call) {
        if (status != LibCuda.CUDA_SUCCESS) {
            throw new IllegalStateException(call + " failed: CUDA's driver says " + status);
        }
    }

    /** Fills a frame, in this stream's order. */
    void fill(long frame, long bytes, long number) {
        check(LibCudart.cudaMemsetAsync(frame, RoleSpec.fillOf(number), bytes, stream), "cudaMemsetAsync");
    }

    /** Copies, in this stream's order. */
    void copy(long to, long from, long bytes, int kind) {
        check(LibCudart.cudaMemcpyAsync(to, from, bytes, kind, stream), "cudaMemcpyAsync");
    }

    void synchronize() {
        check(LibCudart.cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    }

    /** Copies a frame's last 4 bytes to the host in stream order, waits for them, and gives them. */
    int readLast(long frame, long bytes, long onStream) {
        check(
                LibCudart.cudaMemcpyAsync(
                        read.address(), frame + bytes - 4, 4, LibCudart.cudaMemcpyDeviceToHost, onStream),
                "cudaMemcpyAsync");
        check(LibCudart.cudaStreamSynchronize(onStream), "cudaStreamSynchronize");
        return read.get(ValueLayout.JAVA_INT, 0);
    }

    /** The device's name. */
    static String name(int device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocate(256);
            check(LibCuda.cuInit(0), "cuInit");
            check(LibCuda.cuDeviceGetName(name, 256, device), "cuDeviceGetName");
            return name.getString(0);
        }
    }
}
