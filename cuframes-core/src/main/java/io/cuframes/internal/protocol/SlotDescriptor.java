// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.protocol;

/**
 * One slot in the segment (docs/protocol.md, section 3.6).
 *
 * <pre>
 *   0 ┌──────────┬──────────┬──────────────┬──────────┐
 *     │ seq u64  │ pts i64  │ publish_time │ reserved │  per frame
 *  64 ├──────────┼──────────┼──────────────┴──────────┤
 *     │ offset   │ length   │ handle, 64 bytes        │  constant
 * 144 ├──────────┴──────────┴─────────────────────────┤
 *     │ reserved                                      │
 *     └───────────────────────────────────────────────┘ 512
 * </pre>
 */
public final class SlotDescriptor {
    public static final long SEQ_OFFSET = 0;
    public static final long PTS_OFFSET = 8;
    public static final long PUBLISH_TIME_OFFSET = 16;
    public static final long OFFSET_OFFSET = 64;
    public static final long LENGTH_OFFSET = 72;
    public static final long HANDLE_OFFSET = 80;
    public static final long HANDLE_LENGTH = 64;
    public static final long LENGTH = 512;

    private SlotDescriptor() {}
}
