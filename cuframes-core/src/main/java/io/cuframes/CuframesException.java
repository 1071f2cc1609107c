// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Something went wrong. The message names what, where and, where that is known, what to do; {@link #code()} is for programs. Its fields are
 * immutable.
 */
public class CuframesException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The class of the error. */
    private final ErrorCode code;

    /** Whether it may pass by itself. */
    private final boolean passing;

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
    public CuframesException(ErrorCode code, String message, @Nullable Throwable cause) {
        this(code, message, cause, Passing.of(code));
    }

    /**
     * Creates an exception whose class alone does not decide whether it passes: a source that has sent no key frame yet is UNSUPPORTED, and may send one
     * later.
     *
     * @param code the class of the error
     * @param message what, where, and what to do
     * @param cause what was caught, or null
     * @param passing what {@link #isPassing()} returns
     */
    public CuframesException(ErrorCode code, String message, @Nullable Throwable cause, boolean passing) {
        super(message, cause);
        this.code = Objects.requireNonNull(code, "code");
        this.passing = passing;
    }

    /**
     * The class of the error.
     *
     * @return never null
     */
    public final ErrorCode code() {
        return code;
    }

    /**
     * Whether the same call may succeed later although its caller changes nothing: a publisher that is away, descriptors or memory that are short
     * for a moment, a GPU that is busy. What is not passing is final: a wrong argument, a refused user, a lost CUDA context.
     *
     * @return true if trying again may help
     */
    public final boolean isPassing() {
        return passing;
    }
}
