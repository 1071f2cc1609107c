// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.memory;

import io.cuframes.Transport;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.protocol.DeviceUuid;
import java.lang.foreign.MemorySegment;

/** The publisher's side of a transport: the memory of all slots, and how subscribers get at it. */
public interface RingMemory extends AutoCloseable {
    /** Which transport this is. */
    Transport transport();

    /** Bytes of the whole ring. */
    long length();

    /** The GPU that holds it. */
    DeviceUuid device();

    /** Where the ring starts: an address of the host or of the device. */
    long address();

    /** The ring as host memory, writable; null for device memory. */
    MemorySegment host();

    /** What subscribers are sent to map it; null if the slot descriptors say it all. */
    Descriptor descriptor();

    /**
     * Writes what subscribers need to find the memory into the handle field of a slot descriptor.
     *
     * @param handle 64 zeroed bytes
     */
    void describe(MemorySegment handle);

    /** Frees the memory. Device memory: only when no subscriber has it open any more, or will not close it. */
    @Override
    void close();
}
