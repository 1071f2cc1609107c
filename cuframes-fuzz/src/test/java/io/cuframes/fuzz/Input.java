// SPDX-License-Identifier: Apache-2.0
package io.cuframes.fuzz;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** The bytes of one run, read from the front; zeros follow where they end. */
public final class Input {
    private static final int LONGEST_PATCH = 9;

    private final byte[] bytes;
    private int at;

    public Input(byte[] bytes) {
        this.bytes = bytes;
    }

    /** One byte, 0 to 255. */
    public int u8() {
        return at < bytes.length ? bytes[at++] & 0xff : 0;
    }

    /** Two bytes, little-endian. */
    public int u16() {
        int low = u8();
        return low | u8() << 8;
    }

    /** So many bytes, or as many as there are. */
    public byte[] take(int atMost) {
        int end = (int) Math.min(bytes.length, (long) at + atMost);
        byte[] taken = Arrays.copyOfRange(bytes, at, end);
        at = end;
        return taken;
    }

    /** All bytes that are left. */
    public byte[] rest() {
        return take(bytes.length);
    }

    /** Overwrites up to that many places: a count, then for each an offset of two bytes, a length and the bytes. */
    public void patch(MemorySegment memory, int most) {
        for (int left = u8() % (most + 1); left > 0; left--) {
            long offset = u16() % memory.byteSize();
            byte[] patch = take(u8() % LONGEST_PATCH);
            int length = (int) Math.min(patch.length, memory.byteSize() - offset);
            MemorySegment.copy(patch, 0, memory, ValueLayout.JAVA_BYTE, offset, length);
        }
    }
}
