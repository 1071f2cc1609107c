// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import io.cuframes.ffm.LibCudart;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** What the two processes of the classic way share besides the GPU: the handles, the number of the newest frame and when each began. */
final class StreamWaitPage {
    static final int SLOTS = 6;

    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final long READY = 0;
    private static final long ANNOUNCED = 64;
    private static final long DONE = 128;
    private static final long STARTS = 256;
    private static final long HANDLES = 1024;
    private static final long LENGTH = 4096;

    private final MemorySegment page;

    StreamWaitPage(String directory) {
        Path path = Path.of("/dev/shm", Path.of(directory).getFileName() + "-stream-wait");
        try (FileChannel file =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            page = file.map(FileChannel.MapMode.READ_WRITE, 0, LENGTH, Arena.global());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        path.toFile().deleteOnExit();
    }

    MemorySegment memoryHandle(int slot) {
        return page.asSlice(HANDLES + slot * 2L * LibCudart.CUDA_IPC_HANDLE_SIZE, LibCudart.CUDA_IPC_HANDLE_SIZE);
    }

    MemorySegment eventHandle(int slot) {
        return page.asSlice(HANDLES + (slot * 2L + 1) * LibCudart.CUDA_IPC_HANDLE_SIZE, LibCudart.CUDA_IPC_HANDLE_SIZE);
    }

    void setReady() {
        LONG.setRelease(page, READY, 1L);
    }

    void awaitReady() {
        while ((long) LONG.getAcquire(page, READY) == 0) {
            Thread.onSpinWait();
        }
    }

    void announce(long number, long startNanos) {
        LONG.setOpaque(page, STARTS + number % SLOTS * Long.BYTES, startNanos);
        LONG.setRelease(page, ANNOUNCED, number);
    }

    long awaitFrame(long number) {
        while ((long) LONG.getAcquire(page, ANNOUNCED) < number) {
            Thread.onSpinWait();
        }
        return (long) LONG.getOpaque(page, STARTS + number % SLOTS * Long.BYTES);
    }

    void setDone(long number) {
        LONG.setRelease(page, DONE, number);
    }

    void awaitDone(long number) {
        while ((long) LONG.getAcquire(page, DONE) < number) {
            Thread.onSpinWait();
        }
    }
}
