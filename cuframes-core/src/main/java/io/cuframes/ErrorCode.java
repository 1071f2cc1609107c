// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

/** What went wrong, as a class a program can act on. Immutable. */
public enum ErrorCode {
    /** No publisher of that key answered within the connect timeout. */
    NOT_FOUND("No publisher of that key answered in time."),
    /** A live process publishes that key already. */
    ALREADY_EXISTS("A live process publishes that key already."),
    /** The peer, its segment or its messages do not follow the protocol, or follow another version of it. */
    PROTOCOL("The other side does not follow the protocol, or follows another version of it."),
    /** Something that must finish in time did not. */
    TIMEOUT("Something that must finish in time did not."),
    /** The publisher ended or died. */
    DISCONNECTED("The publisher ended or died."),
    /** A CUDA call failed, or CUDA is not there. */
    CUDA("A CUDA call failed, or CUDA is not there."),
    /** An argument is out of its range: a key, a geometry, a ring size. */
    INVALID_ARGUMENT("An argument is out of its range."),
    /** The caller holds as many frames as it may, or the publisher has as many subscribers as it admits. */
    NO_SLOT(
            "All places are taken: the caller holds as many frames as it may, or the publisher admits no more subscribers."),
    /** The publisher does not admit this user, or the file system refuses access. */
    ACCESS_DENIED("The publisher does not admit this user, or the file system refuses access."),
    /** The request is valid, but this build, machine or peer cannot do it. */
    UNSUPPORTED("The request is valid, but this build, machine or peer cannot do it."),
    /** An operating-system call failed: no memory, no descriptors, no space. */
    SYSTEM("An operating-system call failed, for want of memory, descriptors or space for example."),
    /** A defect of the library. */
    INTERNAL("The library has a defect.");

    private final String description;

    ErrorCode(String description) {
        this.description = description;
    }

    /**
     * What the code means, whatever the case at hand; the exception's message says what, where and what to do.
     *
     * @return a sentence
     */
    public String description() {
        return description;
    }
}
