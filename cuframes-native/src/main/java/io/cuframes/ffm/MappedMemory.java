// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Memory mappings as segments. */
public final class MappedMemory {
    private MappedMemory() {}

    /**
     * Maps memory into a segment that is unmapped when the arena closes. Without {@link Libc#PROT_WRITE} the segment is
     * read-only. The descriptor may be closed afterwards.
     *
     * @param length bytes, more than 0
     * @param protection {@code PROT} bits of {@link Libc}
     * @param flags {@code MAP} bits of {@link Libc}
     * @param fd the descriptor, or -1 with {@link Libc#MAP_ANONYMOUS}
     * @param offset first byte in the file, a multiple of the page size
     * @param arena the segment's lifetime
     * @return the segment
     * @throws ErrnoException where the mapping fails
     */
    public static MemorySegment map(long length, int protection, int flags, int fd, long offset, Arena arena) {
        long address = Libc.mmap(0, length, protection, flags, fd, offset);
        ErrnoException.check(address, "mmap of " + length + " bytes at " + offset + " of descriptor " + fd);
        MemorySegment segment = segment(address, length, arena);
        return (protection & Libc.PROT_WRITE) == 0 ? segment.asReadOnly() : segment;
    }

    @SuppressWarnings("restricted") // the mapping has just been made with this address and length
    private static MemorySegment segment(long address, long length, Arena arena) {
        try {
            return MemorySegment.ofAddress(address).reinterpret(length, arena, s -> Libc.munmap(address, length));
        } catch (Throwable e) { // the arena is closed or another thread's, or there is no memory
            Libc.munmap(address, length);
            throw e;
        }
    }
}
