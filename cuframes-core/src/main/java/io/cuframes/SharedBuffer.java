// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.internal.os.ArenaEnd;
import io.cuframes.internal.os.Closing;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.HostMemory;
import io.cuframes.internal.os.NativeCalls;
import io.cuframes.internal.os.Posix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Host memory that can be shared with other processes: slices of one such buffer can be the slots of a ring ({@link
 * Publisher.Builder#externalHost}). Zeroed, aligned to pages, and all of it reserved.
 *
 * <pre>{@code
 * FrameFormat layout = FrameFormat.of(PixelFormat.NV12, 1920, 1080, ColorInfo.UNKNOWN);
 * try (SharedBuffer pool = SharedBuffer.allocate("decoder", 8 * layout.frameBytes())) {
 *     List<MemorySegment> slots = new ArrayList<>();
 *     for (int i = 0; i < 8; i++) {
 *         slots.add(pool.segment().asSlice(i * layout.frameBytes(), layout.frameBytes()));
 *     }
 *     try (Publisher publisher = Publisher.builder("cam1").externalHost(layout, slots).open()) {
 *         ...
 *     }
 * }
 * }</pre>
 *
 * <p>Safe from any thread, as is its segment; what is written to the memory is ordered as the writing threads order it.
 */
public final class SharedBuffer implements AutoCloseable {
    private static final int MAX_NAME = 63;

    private final String what;
    private final Arena arena;
    private final Descriptor memfd;
    private final MemorySegment segment;
    private final AtomicBoolean closed = new AtomicBoolean();

    private SharedBuffer(String name, long bytes) {
        what = "the buffer \"" + name + "\"";
        arena = Arena.ofShared();
        Descriptor made = null;
        try {
            made = Posix.memfd("cuframes-buffer-" + name);
            Posix.reserve(made, bytes, what);
            segment = Posix.map(made, bytes, true, arena, what);
        } catch (Throwable e) {
            Closing.undo(e, arena, made);
            throw e;
        }
        memfd = made;
    }

    /**
     * Makes a buffer, a memfd. It takes one descriptor.
     *
     * @param name for people who look at this process's descriptors and mappings: at most 63 printable ASCII characters
     * @param bytes its length, more than 0
     * @return the buffer
     * @throws CuframesException code INVALID_ARGUMENT if the name or the length is out of range, SYSTEM if there is not so much memory, UNSUPPORTED
     *     if the JVM's flags deny native access
     */
    public static SharedBuffer allocate(String name, long bytes) {
        if (name.length() > MAX_NAME || !name.chars().allMatch(c -> c >= 0x20 && c < 0x7f)) {
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT,
                    "a buffer's name has at most " + MAX_NAME + " printable ASCII characters: \"" + name + "\"");
        }
        if (bytes <= 0) {
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT, "a buffer of " + bytes + " bytes: it must have at least one");
        }
        NativeCalls.require();
        HostMemory.require(bytes, "the buffer \"" + name + "\"");
        return new SharedBuffer(name, bytes);
    }

    /**
     * The memory.
     *
     * @return writable, valid until this is closed
     */
    public MemorySegment segment() {
        return segment;
    }

    /**
     * Unmaps the memory; its use throws an IllegalStateException from then on. Where a native call uses the segment just now, such as a write to a
     * channel that blocks, this returns all the same, and the memory is unmapped when that call ends. What other processes have mapped of it stays
     * with them. Publishers that have slots here are to be closed before. Closing twice closes once.
     */
    @Override
    public void close() {
        if (!closed.getAndSet(true)) {
            ArenaEnd.close(arena, what);
            memfd.close();
        }
    }
}
