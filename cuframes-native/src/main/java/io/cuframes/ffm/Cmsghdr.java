// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.StructLayout;

/**
 * The header of one item of ancillary data; its payload follows directly.
 *
 * <pre>{@code
 * struct cmsghdr {
 *     size_t cmsg_len;
 *     int cmsg_level;
 *     int cmsg_type;
 * };
 * }</pre>
 */
public final class Cmsghdr {
    /** The layout. */
    public static final StructLayout LAYOUT = CStruct.of(
            "struct cmsghdr",
            16,
            JAVA_LONG.withName("cmsg_len"),
            JAVA_INT.withName("cmsg_level"),
            JAVA_INT.withName("cmsg_type"));

    /** Bytes of the structure. */
    public static final long LENGTH = LAYOUT.byteSize();

    /** Bytes of header and payload. */
    public static final long CMSG_LEN_OFFSET = CStruct.offset(LAYOUT, "cmsg_len");

    /** The protocol, such as {@link Libc#SOL_SOCKET}. */
    public static final long CMSG_LEVEL_OFFSET = CStruct.offset(LAYOUT, "cmsg_level");

    /** The kind, such as {@link Libc#SCM_RIGHTS}. */
    public static final long CMSG_TYPE_OFFSET = CStruct.offset(LAYOUT, "cmsg_type");

    private Cmsghdr() {}
}
