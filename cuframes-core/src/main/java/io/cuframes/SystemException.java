// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.ffm.Errno;

/** An operating-system call failed: code ACCESS_DENIED for EACCES and EPERM, else SYSTEM. Its fields are immutable. */
public final class SystemException extends CuframesException {
    private static final long serialVersionUID = 1L;

    /** What the call returned. */
    private final int errno;

    /**
     * Creates an exception.
     *
     * @param errno a Linux errno, positive
     * @param message what, where, and what to do
     */
    public SystemException(int errno, String message) {
        super(
                errno == Errno.EACCES || errno == Errno.EPERM ? ErrorCode.ACCESS_DENIED : ErrorCode.SYSTEM,
                message,
                null,
                Passing.ofErrno(errno));
        this.errno = errno;
    }

    /**
     * What the call returned.
     *
     * @return a Linux errno, positive
     */
    public int errno() {
        return errno;
    }
}
