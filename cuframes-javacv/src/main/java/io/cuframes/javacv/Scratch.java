// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Native memory that grows when more is wanted, with some to spare behind it: libswscale reads rows in steps of its own, and past the end of the last. Not
 * thread-safe.
 */
final class Scratch implements AutoCloseable {
    /** How far behind a picture must be readable, bytes. Seen: 34; as much as FFmpeg's own frames have behind them. */
    static final int SLACK = 64;

    private MemorySegment memory;

    /**
     * At least so many bytes; what was there before may be gone. It is freed with the last segment or buffer of it: what {@code grab} shows may be in the
     * blocking write of a channel, and cannot be freed by us then.
     */
    MemorySegment of(long bytes) {
        if (memory == null || memory.byteSize() < bytes + SLACK) {
            close();
            memory = Arena.ofAuto().allocate(bytes + SLACK, SLACK);
        }
        return memory;
    }

    /** A copy, with memory to spare behind it. */
    MemorySegment copyOf(MemorySegment bytes) {
        return of(bytes.byteSize()).copyFrom(bytes);
    }

    @Override
    public void close() {
        memory = null;
    }
}
