// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.memory;

import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.protocol.RingLayout;
import io.cuframes.internal.protocol.SlotPlace;
import java.lang.foreign.MemorySegment;

/** The publisher's side of a transport: the memory of all slots, and how subscribers get at it. */
public interface RingMemory extends AutoCloseable {
    /** The ring as the segment's header describes it. */
    RingLayout layout();

    /**
     * Where a slot starts: an address of the host or of the device.
     *
     * @param slot its number
     */
    long address(int slot);

    /** The slot as host memory, writable; null for device memory. */
    MemorySegment host(int slot);

    /** Where subscribers find a slot. */
    SlotPlace place(int slot);

    /** What subscribers are sent to map the ring; null if the slots' places say it all. */
    Descriptor descriptor();

    /**
     * Lets go of the memory, and frees it if this made it. Device memory: only when no subscriber has it open any more, or will not close
     * it.
     */
    @Override
    void close();
}
