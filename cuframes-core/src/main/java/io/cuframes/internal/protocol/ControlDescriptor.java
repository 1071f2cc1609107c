// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.protocol;

/**
 * The control page of one subscriber (docs/protocol.md, section 4).
 *
 * <pre>
 *    0 ┌──────────────────────────────────────────────────────────┐
 *      │ magic, version, subscriber, epoch                        │ publisher, before it is sent
 *   64 ├──────────────────────────────────────────────────────────┤
 *      │ cursor, waiting, mode, counters, device_uuid             │ subscriber
 *  512 ├──────────────────────────────────────────────────────────┤
 *      │ lease[64]: the seq being read in each slot, or 0         │ subscriber's CPU or GPU
 * 1024 ├──────────────────────────────────────────────────────────┤
 *      │ reserved                                                 │
 *      └──────────────────────────────────────────────────────────┘ 4096
 * </pre>
 */
public final class ControlDescriptor {
    /** The bytes {@code CUFRCTRL}, read as a little-endian u64. */
    public static final long MAGIC = 0x4C52544352465543L;

    public static final long MAGIC_OFFSET = 0;
    public static final long MAJOR_OFFSET = 8;
    public static final long MINOR_OFFSET = 10;
    public static final long SUBSCRIBER_OFFSET = 12;
    public static final long EPOCH_OFFSET = 16;
    public static final long CURSOR_OFFSET = 64;
    public static final long WAITING_OFFSET = 72;
    public static final long MODE_OFFSET = 76;
    public static final long RECEIVED_OFFSET = 80;
    public static final long MISSED_OFFSET = 88;
    public static final long TIMEOUTS_OFFSET = 96;
    public static final long DEVICE_UUID_OFFSET = 104;
    public static final long LEASES_OFFSET = 512;
    public static final long LENGTH = 4096;

    private ControlDescriptor() {}

    /** Where the lease of a slot is. */
    public static long leaseOffset(int slot) {
        return LEASES_OFFSET + (long) slot * Long.BYTES;
    }
}
