// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.protocol;

/**
 * One slot in the segment (docs/protocol.md, section 3.6).
 *
 * <pre>
 *   0 ┌──────────┬──────────┬──────────────┬──────────────┐
 *     │ seq u64  │ pts i64  │ publish_time │ capture_time │  per frame
 *  32 ├──────────┴──────────┼──────────────┴──────────────┤
 *     │ flags, user_data_l. │ reserved                    │
 *  64 ├──────────┬──────────┼─────────────────────────────┤
 *     │ offset   │ length   │ handle, 64 bytes            │  constant
 * 144 ├──────────┴──────────┼─────────────────────────────┤
 *     │ allocation_length   │ reserved                    │
 * 256 ├─────────────────────┴─────────────────────────────┤
 *     │ user_data, 256 bytes                              │  per frame
 *     └───────────────────────────────────────────────────┘ 512
 * </pre>
 */
public final class SlotDescriptor {
    public static final long SEQ_OFFSET = 0;
    public static final long PTS_OFFSET = 8;
    public static final long PUBLISH_TIME_OFFSET = 16;
    public static final long CAPTURE_TIME_OFFSET = 24;
    public static final long FLAGS_OFFSET = 32;
    public static final long USER_DATA_LENGTH_OFFSET = 36;
    public static final long OFFSET_OFFSET = 64;
    public static final long LENGTH_OFFSET = 72;
    public static final long HANDLE_OFFSET = 80;
    public static final long HANDLE_LENGTH = 64;
    public static final long ALLOCATION_LENGTH_OFFSET = 144;
    public static final long USER_DATA_OFFSET = 256;
    public static final int MAX_USER_DATA = 256;
    public static final long LENGTH = 512;

    /** Bits of the flags. */
    public static final int KEY_FRAME = 1;

    public static final int CAPTURE_TIME = 2;
    public static final int PTS_BACKWARD = 4;
    public static final int DAMAGED = 8;

    private SlotDescriptor() {}
}
