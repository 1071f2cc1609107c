// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.protocol;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Reads and writes words that other processes write and read, each with its memory order in its name. Little-endian; offsets are naturally aligned. */
public final class Shared {
    private static final VarHandle INT =
            ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle().withInvokeExactBehavior();
    private static final VarHandle LONG =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle().withInvokeExactBehavior();

    private Shared() {}

    public static long getLongAcquire(MemorySegment memory, long offset) {
        return (long) LONG.getAcquire(memory, offset);
    }

    public static long getLongOpaque(MemorySegment memory, long offset) {
        return (long) LONG.getOpaque(memory, offset);
    }

    public static void setLongRelease(MemorySegment memory, long offset, long value) {
        LONG.setRelease(memory, offset, value);
    }

    public static void setLongOpaque(MemorySegment memory, long offset, long value) {
        LONG.setOpaque(memory, offset, value);
    }

    public static int getIntAcquire(MemorySegment memory, long offset) {
        return (int) INT.getAcquire(memory, offset);
    }

    public static int getIntOpaque(MemorySegment memory, long offset) {
        return (int) INT.getOpaque(memory, offset);
    }

    public static void setIntRelease(MemorySegment memory, long offset, int value) {
        INT.setRelease(memory, offset, value);
    }

    public static void setIntOpaque(MemorySegment memory, long offset, int value) {
        INT.setOpaque(memory, offset, value);
    }

    /** Orders every access before it against every access after it, on this CPU and for all others: C11's seq_cst fence. */
    public static void fence() {
        VarHandle.fullFence();
    }
}
