// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

/**
 * An address in device memory. It is a number, not a {@link java.lang.foreign.MemorySegment}: the CPU cannot read it. Passing it to a C
 * function is passing {@link #address()} as a {@code long}. Immutable.
 *
 * @param address the device address, valid in the current process for the device of the ring it came from
 */
public record DevicePtr(long address) {
    /**
     * An address further on.
     *
     * @param bytes how far
     * @return this address plus that many bytes
     */
    public DevicePtr plus(long bytes) {
        return new DevicePtr(address + bytes);
    }

    @Override
    public String toString() {
        return "DevicePtr[0x" + Long.toHexString(address) + "]";
    }
}
