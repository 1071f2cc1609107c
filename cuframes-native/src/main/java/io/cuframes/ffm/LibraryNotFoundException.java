// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

/** A native library could not be loaded; the message lists every place tried and how to install it. */
public final class LibraryNotFoundException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the exception.
     *
     * @param message what was looked for, where, and how to install it
     */
    public LibraryNotFoundException(String message) {
        super(message);
    }
}
