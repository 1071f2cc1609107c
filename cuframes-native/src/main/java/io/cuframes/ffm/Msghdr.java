// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;

/**
 * A message for {@link Libc#sendmsg} and {@link Libc#recvmsg}.
 *
 * <pre>{@code
 * struct msghdr {
 *     void *msg_name;
 *     socklen_t msg_namelen;
 *     struct iovec *msg_iov;
 *     size_t msg_iovlen;
 *     void *msg_control;
 *     size_t msg_controllen;
 *     int msg_flags;
 * };
 * }</pre>
 */
public final class Msghdr {
    /** The layout; pointers are {@code long}. */
    public static final StructLayout LAYOUT = CStruct.of(
            "struct msghdr",
            56,
            JAVA_LONG.withName("msg_name"),
            JAVA_INT.withName("msg_namelen"),
            MemoryLayout.paddingLayout(4),
            JAVA_LONG.withName("msg_iov"),
            JAVA_LONG.withName("msg_iovlen"),
            JAVA_LONG.withName("msg_control"),
            JAVA_LONG.withName("msg_controllen"),
            JAVA_INT.withName("msg_flags"),
            MemoryLayout.paddingLayout(4));

    /** Bytes of the structure. */
    public static final long LENGTH = LAYOUT.byteSize();

    /** Address of the peer's address, or 0. */
    public static final long MSG_NAME_OFFSET = CStruct.offset(LAYOUT, "msg_name");

    /** Bytes of the peer's address, an {@code int}. */
    public static final long MSG_NAMELEN_OFFSET = CStruct.offset(LAYOUT, "msg_namelen");

    /** Address of the {@link Iovec} array. */
    public static final long MSG_IOV_OFFSET = CStruct.offset(LAYOUT, "msg_iov");

    /** Elements of the {@link Iovec} array. */
    public static final long MSG_IOVLEN_OFFSET = CStruct.offset(LAYOUT, "msg_iovlen");

    /** Address of the ancillary data. */
    public static final long MSG_CONTROL_OFFSET = CStruct.offset(LAYOUT, "msg_control");

    /** Bytes of the ancillary data. */
    public static final long MSG_CONTROLLEN_OFFSET = CStruct.offset(LAYOUT, "msg_controllen");

    /** Flags of a received message, an {@code int}. */
    public static final long MSG_FLAGS_OFFSET = CStruct.offset(LAYOUT, "msg_flags");

    private Msghdr() {}
}
