// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.memory;

import java.lang.foreign.MemorySegment;

/** The subscriber's side of a transport: the memory of all slots, mapped into this process. */
public interface RingView extends AutoCloseable {
    /**
     * Where a slot starts: an address of the host or of the device.
     *
     * @param slot its number
     */
    long address(int slot);

    /** The slot as read-only host memory; null for device memory. */
    MemorySegment host(int slot);

    /**
     * Unmaps host memory, unless a native call uses it just now. Device memory stays until the ring is closed.
     *
     * @return false if the memory is in use
     */
    default boolean tryUnmap() {
        return true;
    }

    /** Unmaps the memory; host memory that a native call uses when that ends. */
    @Override
    void close();
}
