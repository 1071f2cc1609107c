// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.StructLayout;

/**
 * Who is at the other end of a local socket, as {@link Libc#SO_PEERCRED} reads it.
 *
 * <pre>{@code
 * struct ucred {
 *     pid_t pid;
 *     uid_t uid;
 *     gid_t gid;
 * };
 * }</pre>
 */
public final class Ucred {
    /** The layout. */
    public static final StructLayout LAYOUT = CStruct.of(
            "struct ucred", 12, JAVA_INT.withName("pid"), JAVA_INT.withName("uid"), JAVA_INT.withName("gid"));

    /** Bytes of the structure. */
    public static final long LENGTH = LAYOUT.byteSize();

    /** Process id, in the reader's pid namespace; 0 where it has none there. */
    public static final long PID_OFFSET = CStruct.offset(LAYOUT, "pid");

    /** Effective user id. */
    public static final long UID_OFFSET = CStruct.offset(LAYOUT, "uid");

    /** Effective group id. */
    public static final long GID_OFFSET = CStruct.offset(LAYOUT, "gid");

    private Ucred() {}
}
