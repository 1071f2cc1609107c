// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

/** What went wrong, as a class a program can act on. Immutable. */
public enum ErrorCode {
    /** No publisher of that key answered within the connect timeout. */
    NOT_FOUND,
    /** A live process publishes that key already. */
    ALREADY_EXISTS,
    /** The peer, its segment or its messages do not follow the protocol, or follow another version of it. */
    PROTOCOL,
    /** Something that must finish in time did not. */
    TIMEOUT,
    /** The publisher ended or died. */
    DISCONNECTED,
    /** A CUDA call failed, or CUDA is not there. */
    CUDA,
    /** An argument is out of its range: a key, a geometry, a ring size. */
    INVALID_ARGUMENT,
    /** The caller holds as many frames as it may. */
    NO_SLOT,
    /** The publisher does not admit this user, or the file system refuses access. */
    ACCESS_DENIED,
    /** The request is valid, but this build, machine or peer cannot do it. */
    UNSUPPORTED,
    /** An operating-system call failed: no memory, no descriptors, no space. */
    SYSTEM,
    /** A defect of the library. */
    INTERNAL
}
