// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.StructLayout;

/**
 * One buffer of a message.
 *
 * <pre>{@code
 * struct iovec {
 *     void *iov_base;
 *     size_t iov_len;
 * };
 * }</pre>
 */
public final class Iovec {
    /** The layout; pointers are {@code long}. */
    public static final StructLayout LAYOUT =
            CStruct.of("struct iovec", 16, JAVA_LONG.withName("iov_base"), JAVA_LONG.withName("iov_len"));

    /** Bytes of the structure. */
    public static final long LENGTH = LAYOUT.byteSize();

    /** Address of the buffer. */
    public static final long IOV_BASE_OFFSET = CStruct.offset(LAYOUT, "iov_base");

    /** Bytes of the buffer. */
    public static final long IOV_LEN_OFFSET = CStruct.offset(LAYOUT, "iov_len");

    private Iovec() {}
}
