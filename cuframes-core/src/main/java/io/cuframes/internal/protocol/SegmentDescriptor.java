// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.protocol;

/**
 * The bytes of the shared segment (docs/protocol.md, section 3), little-endian.
 *
 * <pre>
 *    0 ┌──────────────────────────────────────────────────────────┐
 *      │ header: magic, version, state, geometry, key, planes     │ constant once state is READY
 *  512 ├──────────────────────────────────────────────────────────┤
 *      │ head  (seq &lt;&lt; 8 | slot)          a line of 128 bytes     │ publisher's CPU (HOST) or GPU (CUDA)
 *  640 ├──────────────────────────────────────────────────────────┤
 *      │ published, dropped, subscribers, max_, refused, ...      │ publisher's CPU
 * 1024 ├──────────────────────────────────────────────────────────┤
 *      │ index ring, 128 × u64 (seq &lt;&lt; 8 | slot)                 │ publisher's CPU
 * 2048 ├──────────────────────────────────────────────────────────┤
 *      │ slot descriptors, 512 bytes each                         │ publisher's CPU
 *      └──────────────────────────────────────────────────────────┘ rounded up to 4096
 * </pre>
 */
public final class SegmentDescriptor {
    /** The bytes {@code CUFRAMES}, read as a little-endian u64. */
    public static final long MAGIC = 0x53454D4152465543L;

    public static final int MAJOR = 1;
    public static final int MINOR = 1;

    public static final int STATE_INITIALIZING = 0;
    public static final int STATE_READY = 1;
    public static final int STATE_ENDED = 2;

    public static final int MIN_SLOTS = 2;
    public static final int MAX_SLOTS = 64;
    public static final int MAX_PLANES = 4;
    public static final int PAGE = 4096;

    /** Bytes at the end of a CUDA_VMM ring that no slot has: where a subscriber may try whether it could write. */
    public static final int VMM_TAIL = 4096;

    public static final long MAGIC_OFFSET = 0;
    public static final long MAJOR_OFFSET = 8;
    public static final long MINOR_OFFSET = 10;
    public static final long STATE_OFFSET = 12;
    public static final long SEGMENT_LENGTH_OFFSET = 16;
    public static final long EPOCH_OFFSET = 24;
    public static final long PID_OFFSET = 32;
    public static final long TRANSPORT_OFFSET = 36;
    public static final long CREATED_OFFSET = 40;
    public static final long SLOTS_OFFSET = 48;
    public static final long INDEX_ENTRIES_OFFSET = 52;
    public static final long PIXEL_FORMAT_OFFSET = 56;
    public static final long PLANES_OFFSET = 60;
    public static final long WIDTH_OFFSET = 64;
    public static final long HEIGHT_OFFSET = 68;
    public static final long COLOR_PRIMARIES_OFFSET = 72;
    public static final long COLOR_TRANSFER_OFFSET = 73;
    public static final long COLOR_MATRIX_OFFSET = 74;
    public static final long COLOR_RANGE_OFFSET = 75;
    public static final long OWNERSHIP_OFFSET = 76;
    public static final long FRAME_BYTES_OFFSET = 80;
    public static final long SLOT_STRIDE_OFFSET = 88;
    public static final long RING_LENGTH_OFFSET = 96;
    public static final long TIMEBASE_NUMERATOR_OFFSET = 104;
    public static final long TIMEBASE_DENOMINATOR_OFFSET = 108;
    public static final long DEVICE_UUID_OFFSET = 112;
    public static final long DEVICE_UUID_LENGTH = 16;
    public static final long KEY_OFFSET = 128;
    public static final long KEY_LENGTH = 64;
    public static final long PLANE_TABLE_OFFSET = 192;
    public static final long POLICY_OFFSET = 320;
    public static final long MONOTONIC_OFFSET_OFFSET = 328;
    public static final long HEADER_LENGTH = 512;

    public static final long HEAD_OFFSET = 512;

    public static final long PUBLISHED_OFFSET = 640;
    public static final long DROPPED_OFFSET = 648;
    public static final long SUBSCRIBERS_OFFSET = 656;
    public static final long MAX_SUBSCRIBERS_OFFSET = 660;
    public static final long REFUSED_OFFSET = 664;
    public static final long STALLED_OFFSET = 672;
    public static final long END_REASON_OFFSET = 680;
    public static final long IDLE_OFFSET = 684;
    public static final long IDLE_AFTER_OFFSET = 688;
    public static final long DAMAGED_OFFSET = 696;

    public static final long INDEX_OFFSET = 1024;
    public static final int INDEX_ENTRIES = 128;

    public static final long SLOT_TABLE_OFFSET = 2048;

    private SegmentDescriptor() {}

    /** The length of a segment of that many slots, in bytes. */
    public static long length(int slots) {
        return pageAligned(SLOT_TABLE_OFFSET + slots * SlotDescriptor.LENGTH);
    }

    /** Where the descriptor of a slot starts. */
    public static long slotOffset(int slot) {
        return SLOT_TABLE_OFFSET + slot * SlotDescriptor.LENGTH;
    }

    /** Where the index entry of a sequence number is. */
    public static long indexOffset(long seq) {
        return INDEX_OFFSET + (seq & (INDEX_ENTRIES - 1)) * Long.BYTES;
    }

    /** Rounds up to whole pages. */
    public static long pageAligned(long bytes) {
        return (bytes + PAGE - 1) & -PAGE;
    }
}
