// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

/** A native library could not be loaded; the message lists every place tried and how to install it. */
public final class LibraryNotFoundException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What was not found, in a line. */
    private final String summary;

    /** What to do, in a line. */
    private final String remedy;

    /**
     * Creates the exception.
     *
     * @param summary what was not found, in a line
     * @param details where it was looked for
     * @param remedy how to install it, in a line
     */
    public LibraryNotFoundException(String summary, String details, String remedy) {
        super(summary + ". " + details + "\n" + remedy);
        this.summary = summary;
        this.remedy = remedy;
    }

    /** The same once more, for another call that the library is missing for. */
    LibraryNotFoundException(LibraryNotFoundException first) {
        super(first.getMessage(), first);
        this.summary = first.summary;
        this.remedy = first.remedy;
    }

    /**
     * What was not found.
     *
     * @return a line without the places
     */
    public String summary() {
        return summary;
    }

    /**
     * What to do.
     *
     * @return a line
     */
    public String remedy() {
        return remedy;
    }
}
