// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.protocol;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.UUID;

/** The 16 bytes that name a GPU on every process of a host, whatever {@code CUDA_VISIBLE_DEVICES} says; zeros mean host memory. */
public record DeviceUuid(long high, long low) {
    private static final ValueLayout.OfLong BIG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    /** Bytes of a name. */
    public static final long LENGTH = 2 * Long.BYTES;

    public static final DeviceUuid NONE = new DeviceUuid(0, 0);

    public static DeviceUuid read(MemorySegment bytes) {
        return new DeviceUuid(bytes.get(BIG, 0), bytes.get(BIG, Long.BYTES));
    }

    public void write(MemorySegment bytes) {
        bytes.set(BIG, 0, high);
        bytes.set(BIG, Long.BYTES, low);
    }

    /** As nvidia-smi writes it: {@code GPU-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}. */
    @Override
    public String toString() {
        return "GPU-" + new UUID(high, low);
    }
}
