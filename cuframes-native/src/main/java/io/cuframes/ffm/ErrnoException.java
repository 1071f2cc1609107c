// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

/** A call to the operating system failed; the message names the call, the error and its text. */
public final class ErrnoException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The positive error number. */
    private final int errno;

    /**
     * Creates the exception.
     *
     * @param call the call, with what tells it from others: a path, a descriptor
     * @param errno the positive error number
     */
    public ErrnoException(String call, int errno) {
        super(call + ": " + Errno.name(errno) + " (" + Errno.text(errno) + ")");
        this.errno = errno;
    }

    /**
     * The error number.
     *
     * @return one of {@link Errno}'s constants, or another
     */
    public int errno() {
        return errno;
    }

    /**
     * Passes a result of {@link Libc} on, or throws what its errno says.
     *
     * @param result the result or the negative errno
     * @param call the call, for the message
     * @return the result, 0 or more
     */
    public static int check(int result, String call) {
        return (int) check((long) result, call);
    }

    /**
     * Passes a result of {@link Libc} on, or throws what its errno says.
     *
     * @param result the result or the negative errno
     * @param call the call, for the message
     * @return the result, 0 or more
     */
    public static long check(long result, String call) {
        if (result < 0) {
            throw new ErrnoException(call, (int) -result);
        }
        return result;
    }
}
