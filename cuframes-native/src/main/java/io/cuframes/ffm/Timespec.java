// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.StructLayout;

/**
 * A time or a duration.
 *
 * <pre>{@code
 * struct timespec {
 *     time_t tv_sec;
 *     long tv_nsec;
 * };
 * }</pre>
 */
public final class Timespec {
    /** The layout; pointers are {@code long}. */
    public static final StructLayout LAYOUT =
            CStruct.of("struct timespec", 16, JAVA_LONG.withName("tv_sec"), JAVA_LONG.withName("tv_nsec"));

    /** Bytes of the structure. */
    public static final long LENGTH = LAYOUT.byteSize();

    /** Seconds. */
    public static final long TV_SEC_OFFSET = CStruct.offset(LAYOUT, "tv_sec");

    /** Nanoseconds, below a thousand million. */
    public static final long TV_NSEC_OFFSET = CStruct.offset(LAYOUT, "tv_nsec");

    private Timespec() {}
}
