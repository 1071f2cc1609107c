// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.protocol;

/**
 * One plane in the segment's header (docs/protocol.md, section 3.3).
 *
 * <pre>
 *  0 ┌────────────────────┬─────────┬─────────┐
 *    │ offset u64         │ pitch   │ width   │
 * 16 ├─────────┬──────────┼─────────┴─────────┤
 *    │ height  │ sample_b │ reserved          │
 *    └─────────┴──────────┴───────────────────┘ 32
 * </pre>
 */
public final class PlaneDescriptor {
    public static final long OFFSET_OFFSET = 0;
    public static final long PITCH_OFFSET = 8;
    public static final long WIDTH_OFFSET = 12;
    public static final long HEIGHT_OFFSET = 16;
    public static final long SAMPLE_BYTES_OFFSET = 20;
    public static final long LENGTH = 32;

    private PlaneDescriptor() {}
}
