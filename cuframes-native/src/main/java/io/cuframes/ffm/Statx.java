// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;

/**
 * What {@link Libc#statx} tells of a file; the fields that cuframes reads.
 *
 * <pre>{@code
 * struct statx {
 *     __u32 stx_mask, stx_blksize;
 *     __u64 stx_attributes;
 *     __u32 stx_nlink, stx_uid, stx_gid;
 *     __u16 stx_mode, padding;
 *     __u64 stx_ino, stx_size, stx_blocks, stx_attributes_mask;
 *     struct statx_timestamp stx_atime, stx_btime, stx_ctime, stx_mtime; // 16 bytes each
 *     __u32 stx_rdev_major, stx_rdev_minor, stx_dev_major, stx_dev_minor;
 *     // up to 256 bytes: fields of newer kernels
 * };
 * }</pre>
 */
public final class Statx {
    /** The layout. */
    public static final StructLayout LAYOUT = CStruct.of(
            "struct statx",
            256,
            JAVA_INT.withName("stx_mask"),
            MemoryLayout.paddingLayout(12),
            JAVA_INT.withName("stx_nlink"),
            JAVA_INT.withName("stx_uid"),
            JAVA_INT.withName("stx_gid"),
            JAVA_SHORT.withName("stx_mode"),
            MemoryLayout.paddingLayout(2),
            JAVA_LONG.withName("stx_ino"),
            JAVA_LONG.withName("stx_size"),
            MemoryLayout.paddingLayout(64),
            MemoryLayout.sequenceLayout(2, JAVA_LONG).withName("stx_mtime"),
            MemoryLayout.paddingLayout(8),
            JAVA_INT.withName("stx_dev_major"),
            JAVA_INT.withName("stx_dev_minor"),
            MemoryLayout.paddingLayout(112));

    /** Bytes of the structure. */
    public static final long LENGTH = LAYOUT.byteSize();

    /** Which fields are filled, {@code STATX} bits. */
    public static final long STX_MASK_OFFSET = CStruct.offset(LAYOUT, "stx_mask");

    /** Links, an {@code int}; 0 for an unlinked file. */
    public static final long STX_NLINK_OFFSET = CStruct.offset(LAYOUT, "stx_nlink");

    /** Owner, an {@code int}. */
    public static final long STX_UID_OFFSET = CStruct.offset(LAYOUT, "stx_uid");

    /** Group, an {@code int}. */
    public static final long STX_GID_OFFSET = CStruct.offset(LAYOUT, "stx_gid");

    /** Type and permissions, a {@code short}. */
    public static final long STX_MODE_OFFSET = CStruct.offset(LAYOUT, "stx_mode");

    /** Inode number. */
    public static final long STX_INO_OFFSET = CStruct.offset(LAYOUT, "stx_ino");

    /** Bytes. */
    public static final long STX_SIZE_OFFSET = CStruct.offset(LAYOUT, "stx_size");

    /** Time of the last change: seconds, a {@code long}, then nanoseconds, an {@code int}. */
    public static final long STX_MTIME_OFFSET = CStruct.offset(LAYOUT, "stx_mtime");

    /** Major number of the file system's device. */
    public static final long STX_DEV_MAJOR_OFFSET = CStruct.offset(LAYOUT, "stx_dev_major");

    /** Minor number of the file system's device. */
    public static final long STX_DEV_MINOR_OFFSET = CStruct.offset(LAYOUT, "stx_dev_minor");

    private Statx() {}
}
