// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;

/**
 * The address of a local socket.
 *
 * <pre>{@code
 * struct sockaddr_un {
 *     sa_family_t sun_family;
 *     char sun_path[108];
 * };
 * }</pre>
 */
public final class SockaddrUn {
    /** The layout. */
    public static final StructLayout LAYOUT = CStruct.of(
            "struct sockaddr_un",
            110,
            JAVA_SHORT.withName("sun_family"),
            MemoryLayout.sequenceLayout(108, JAVA_BYTE).withName("sun_path"));

    /** Bytes of the structure. */
    public static final long LENGTH = LAYOUT.byteSize();

    /** {@link Libc#AF_UNIX}, a {@code short}. */
    public static final long SUN_FAMILY_OFFSET = CStruct.offset(LAYOUT, "sun_family");

    /** The path, 108 bytes with the terminating zero. */
    public static final long SUN_PATH_OFFSET = CStruct.offset(LAYOUT, "sun_path");

    private SockaddrUn() {}
}
