// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.protocol;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Where a slot lies, as the constant part of its descriptor says it (docs/protocol.md, section 3.6).
 *
 * @param offset bytes from the start of its allocation
 * @param length bytes of the slot
 * @param allocationLength bytes of the allocation
 * @param handle by which a subscriber opens the allocation, {@value SlotDescriptor#HANDLE_LENGTH} bytes; {@link #NO_HANDLE} for HOST
 */
public record SlotPlace(long offset, long length, long allocationLength, MemorySegment handle) {
    /** That of memory to which a descriptor leads. */
    public static final MemorySegment NO_HANDLE =
            MemorySegment.ofArray(new byte[(int) SlotDescriptor.HANDLE_LENGTH]).asReadOnly();

    /** Reads it from a slot descriptor that does not change, and copies the handle. Checks nothing. */
    public static SlotPlace read(MemorySegment descriptor) {
        byte[] handle = descriptor
                .asSlice(SlotDescriptor.HANDLE_OFFSET, SlotDescriptor.HANDLE_LENGTH)
                .toArray(ValueLayout.JAVA_BYTE);
        return new SlotPlace(
                descriptor.get(ValueLayout.JAVA_LONG, SlotDescriptor.OFFSET_OFFSET),
                descriptor.get(ValueLayout.JAVA_LONG, SlotDescriptor.LENGTH_OFFSET),
                descriptor.get(ValueLayout.JAVA_LONG, SlotDescriptor.ALLOCATION_LENGTH_OFFSET),
                MemorySegment.ofArray(handle).asReadOnly());
    }

    /** Writes it into a slot descriptor. Plain stores: nobody reads before the segment's state is READY. */
    public void write(MemorySegment descriptor) {
        descriptor.set(ValueLayout.JAVA_LONG, SlotDescriptor.OFFSET_OFFSET, offset);
        descriptor.set(ValueLayout.JAVA_LONG, SlotDescriptor.LENGTH_OFFSET, length);
        descriptor.set(ValueLayout.JAVA_LONG, SlotDescriptor.ALLOCATION_LENGTH_OFFSET, allocationLength);
        MemorySegment.copy(handle, 0, descriptor, SlotDescriptor.HANDLE_OFFSET, SlotDescriptor.HANDLE_LENGTH);
    }
}
