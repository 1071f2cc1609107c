// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import java.util.Objects;

/**
 * Something went wrong. The message names what, where and, where that is known, what to do; {@link #code()} is for programs. Its fields are
 * immutable.
 */
public class CuframesException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The class of the error. */
    private final ErrorCode code;

    /**
     * Creates an exception.
     *
     * @param code the class of the error
     * @param message what, where, and what to do
     */
    public CuframesException(ErrorCode code, String message) {
        this(code, message, null);
    }

    /**
     * Creates an exception with a cause.
     *
     * @param code the class of the error
     * @param message what, where, and what to do
     * @param cause what was caught, or null
     */
    public CuframesException(ErrorCode code, String message, Throwable cause) {
        super(message, cause);
        this.code = Objects.requireNonNull(code, "code");
    }

    /**
     * The class of the error.
     *
     * @return never null
     */
    public final ErrorCode code() {
        return code;
    }
}
