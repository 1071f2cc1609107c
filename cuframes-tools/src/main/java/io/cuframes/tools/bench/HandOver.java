// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import io.cuframes.ffm.LibCudart;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * What the two processes share in the ways that are not a ring of this library: the number of the newest frame and when it began, how far the
 * reader is, CUDA's handles, and for a copy through the host the pixels. Both spin, and the writer waits for the reader: nothing that such a
 * way can do is left out.
 *
 * <pre>
 *      0  number of the newest frame, written by the writer
 *     64  number of the newest frame that is done with, written by the reader
 *    128  when the frame of each slot began, nanoseconds
 *   1024  handle of each slot's memory, and of its event
 *   4096  the pixels of each slot, where they go through host memory
 * </pre>
 */
final class HandOver {
    static final int SLOTS = 6;

    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final long ANNOUNCED = 0;
    private static final long DONE = 64;
    private static final long STARTS = 128;
    private static final long HANDLES = 1024;
    private static final long FRAMES = 4096;

    private final MemorySegment page;
    private final long frameBytes;

    /** The writer makes it, before it says that it is ready; the reader opens it after that. */
    HandOver(RoleSpec spec, boolean withPixels) {
        frameBytes = (spec.frameBytes() + FRAMES - 1) / FRAMES * FRAMES;
        Path path = path(spec);
        try (FileChannel file =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            long length = FRAMES + (withPixels ? SLOTS * frameBytes : 0);
            page = file.map(FileChannel.MapMode.READ_WRITE, 0, length, Arena.global());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path path(RoleSpec spec) {
        return Path.of("/dev/shm", "cuframes-" + spec.key() + "-hand-over");
    }

    /** Both have it mapped, or the case is over: its name can go. */
    static void remove(RoleSpec spec) throws IOException {
        Files.deleteIfExists(path(spec));
    }

    MemorySegment memoryHandle(int slot) {
        return page.asSlice(HANDLES + slot * 2L * LibCudart.CUDA_IPC_HANDLE_SIZE, LibCudart.CUDA_IPC_HANDLE_SIZE);
    }

    MemorySegment eventHandle(int slot) {
        return page.asSlice(HANDLES + (slot * 2L + 1) * LibCudart.CUDA_IPC_HANDLE_SIZE, LibCudart.CUDA_IPC_HANDLE_SIZE);
    }

    /** All slots' pixels. */
    MemorySegment pixels() {
        return page.asSlice(FRAMES);
    }

    /** Where a slot's pixels are in this process. */
    long pixels(int slot) {
        return page.address() + FRAMES + slot * frameBytes;
    }

    void announce(long number, long startNanos) {
        LONG.setOpaque(page, STARTS + number % SLOTS * Long.BYTES, startNanos);
        LONG.setRelease(page, ANNOUNCED, number);
    }

    /** Waits for a frame; when it began. */
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
