// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import java.nio.file.Path;

/**
 * A directory where sockets may be, and why it is looked into (docs/protocol.md, section 2).
 *
 * @param path which
 * @param kind whose choice it is: how far it is trusted follows from that
 */
public record Place(Path path, Kind kind) {
    /** Whose choice a place is. */
    public enum Kind {
        /** The caller's, by option, property or variable: trusted as it is. */
        CHOSEN,
        /** Of the whole machine: what is in a directory that root alone can write to was made by root, or given away by root. */
        SYSTEM,
        /** Of the user's session. */
        SESSION,
        /** Of one user, in a directory where anybody can make files. */
        TEMPORARY
    }

    /** A place that the caller has chosen. */
    public static Place chosen(Path path) {
        return new Place(path, Kind.CHOSEN);
    }

    /** Whether it is looked into without anybody's choice, so that it must be seen who could have made it. */
    boolean isUsual() {
        return kind != Kind.CHOSEN;
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
