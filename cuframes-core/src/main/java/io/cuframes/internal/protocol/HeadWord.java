// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.protocol;

/** The 64-bit word that names a frame and its slot: {@code seq << 8 | slot}. Used by the head and by the index ring. */
public final class HeadWord {
    private HeadWord() {}

    public static long of(long seq, int slot) {
        return seq << 8 | slot;
    }

    public static long seq(long word) {
        return word >>> 8;
    }

    public static int slot(long word) {
        return (int) (word & 0xff);
    }
}
