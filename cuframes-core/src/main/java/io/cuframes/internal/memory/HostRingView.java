// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.memory;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.Libc;
import io.cuframes.internal.os.ArenaEnd;
import io.cuframes.internal.os.Closing;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.Posix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A ring in host memory as a subscriber sees it: read-only. */
public final class HostRingView implements RingView {
    private final Arena arena;
    private final MemorySegment[] slots;

    /**
     * Maps a ring.
     *
     * @param memfd what the publisher sent; not kept
     * @param length bytes the ring must have
     * @param offsets where each slot starts; checked against the length already
     * @param slotBytes bytes of a slot
     * @throws CuframesException code PROTOCOL if the descriptor is not a sealed memfd of that length that can be read
     */
    public HostRingView(Descriptor memfd, long length, long[] offsets, long slotBytes) {
        long size = Posix.status(memfd, "the ring").size();
        if (size != length) {
            throw new CuframesException(
                    ErrorCode.PROTOCOL,
                    "the publisher sent a ring of " + size + " bytes, and its segment says " + length);
        }
        if ((Posix.seals(memfd) & Libc.F_SEAL_SHRINK) == 0) {
            throw new CuframesException(
                    ErrorCode.PROTOCOL,
                    "the publisher sent a ring that can shrink under its readers (no F_SEAL_SHRINK)");
        }
        arena = Arena.ofShared();
        try {
            MemorySegment ring = Posix.mapReceived(memfd, length, false, arena, "the ring");
            slots = new MemorySegment[offsets.length];
            for (int slot = 0; slot < offsets.length; slot++) {
                slots[slot] = ring.asSlice(offsets[slot], slotBytes);
            }
        } catch (Throwable e) {
            Closing.undo(e, arena);
            throw e;
        }
    }

    @Override
    public long address(int slot) {
        return slots[slot].address();
    }

    @Override
    public MemorySegment host(int slot) {
        return slots[slot];
    }

    @Override
    public boolean tryUnmap() {
        return ArenaEnd.tryClose(arena);
    }

    @Override
    public void close() {
        ArenaEnd.close(arena, "a ring in host memory");
    }
}
