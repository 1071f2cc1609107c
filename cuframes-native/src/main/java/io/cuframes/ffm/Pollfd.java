// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.StructLayout;

/**
 * One descriptor of {@link Libc#poll}.
 *
 * <pre>{@code
 * struct pollfd {
 *     int fd;
 *     short events;
 *     short revents;
 * };
 * }</pre>
 */
public final class Pollfd {
    /** The layout. */
    public static final StructLayout LAYOUT = CStruct.of(
            "struct pollfd", 8, JAVA_INT.withName("fd"), JAVA_SHORT.withName("events"), JAVA_SHORT.withName("revents"));

    /** Bytes of the structure. */
    public static final long LENGTH = LAYOUT.byteSize();

    /** The descriptor; a negative one is skipped. */
    public static final long FD_OFFSET = CStruct.offset(LAYOUT, "fd");

    /** Events asked for, a {@code short}. */
    public static final long EVENTS_OFFSET = CStruct.offset(LAYOUT, "events");

    /** Events found, a {@code short}. */
    public static final long REVENTS_OFFSET = CStruct.offset(LAYOUT, "revents");

    private Pollfd() {}
}
