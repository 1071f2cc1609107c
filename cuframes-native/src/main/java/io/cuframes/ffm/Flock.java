// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;

/**
 * A record lock, for {@link Libc#F_OFD_SETLK} and {@link Libc#F_OFD_GETLK}.
 *
 * <pre>{@code
 * struct flock {
 *     short l_type;
 *     short l_whence;
 *     off_t l_start;
 *     off_t l_len;
 *     pid_t l_pid;
 * };
 * }</pre>
 */
public final class Flock {
    /** The layout. */
    public static final StructLayout LAYOUT = CStruct.of(
            "struct flock",
            32,
            JAVA_SHORT.withName("l_type"),
            JAVA_SHORT.withName("l_whence"),
            MemoryLayout.paddingLayout(4),
            JAVA_LONG.withName("l_start"),
            JAVA_LONG.withName("l_len"),
            JAVA_INT.withName("l_pid"),
            MemoryLayout.paddingLayout(4));

    /** Bytes of the structure. */
    public static final long LENGTH = LAYOUT.byteSize();

    /** {@link Libc#F_RDLCK}, {@link Libc#F_WRLCK} or {@link Libc#F_UNLCK}, a {@code short}. */
    public static final long L_TYPE_OFFSET = CStruct.offset(LAYOUT, "l_type");

    /** What {@code l_start} counts from; 0 is the file's beginning. */
    public static final long L_WHENCE_OFFSET = CStruct.offset(LAYOUT, "l_whence");

    /** First byte. */
    public static final long L_START_OFFSET = CStruct.offset(LAYOUT, "l_start");

    /** Bytes; 0 for all. */
    public static final long L_LEN_OFFSET = CStruct.offset(LAYOUT, "l_len");

    /** 0 for locks of open file descriptions. */
    public static final long L_PID_OFFSET = CStruct.offset(LAYOUT, "l_pid");

    private Flock() {}
}
