// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Reads the bits of a NAL unit of H.264 (ITU-T H.264, 7.2 and 9.1), without the bytes that keep start codes out of it. Past the end come zeros, and {@link
 * #isExhausted}; so hostile bytes cannot make it throw. Not thread-safe; one serves many units.
 */
final class H264Bits {
    private static final int LONGEST_PREFIX = 31;
    private static final int EMULATION_PREVENTION = 3;

    private MemorySegment memory = MemorySegment.NULL;
    private long next;
    private long end;
    private int zeros;
    private int current;
    private int left;
    private boolean exhausted;

    /** Begins with the byte behind a unit's header. */
    void begin(MemorySegment bytes, long from, long to) {
        memory = bytes;
        next = from;
        end = to;
        zeros = 0;
        left = 0;
        exhausted = false;
    }

    /** Whether more was read than there is, or a number that cannot be one: what was read since means nothing. */
    boolean isExhausted() {
        return exhausted;
    }

    boolean flag() {
        return bit() != 0;
    }

    /** An unsigned number of at most 32 bits. */
    long bits(int count) {
        long value = 0;
        for (int i = 0; i < count; i++) {
            value = value << 1 | bit();
        }
        return value;
    }

    void skip(int count) {
        for (int i = 0; i < count && !exhausted; i++) {
            bit();
        }
    }

    /** {@code ue(v)}: an unsigned Exp-Golomb number, less than 2^32. */
    long unsigned() {
        int prefix = 0;
        while (bit() == 0) {
            if (++prefix > LONGEST_PREFIX || exhausted) {
                exhausted = true;
                return 0;
            }
        }
        return (1L << prefix) - 1 + bits(prefix);
    }

    /** {@code se(v)}: a signed one. */
    long signed() {
        long code = unsigned();
        return (code & 1) != 0 ? (code + 1) >> 1 : -(code >> 1);
    }

    private int bit() {
        if (left == 0 && !load()) {
            exhausted = true;
            return 0;
        }
        left--;
        return current >> left & 1;
    }

    private boolean load() {
        if (next >= end) {
            return false;
        }
        int value = memory.get(ValueLayout.JAVA_BYTE, next++) & 0xff;
        if (zeros >= 2 && value == EMULATION_PREVENTION) {
            zeros = 0;
            return load(); // once: no zeros are before the next
        }
        zeros = value == 0 ? zeros + 1 : 0;
        current = value;
        left = Byte.SIZE;
        return true;
    }
}
