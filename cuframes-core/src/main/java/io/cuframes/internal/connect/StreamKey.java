// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** The name of a stream on a host, and the names made from it. */
public record StreamKey(String name) {
    private static final Pattern LEGAL = Pattern.compile("[A-Za-z0-9._-]{1,63}");
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");

    /**
     * Checks the key.
     *
     * @throws CuframesException code INVALID_ARGUMENT if it is not legal
     */
    public StreamKey {
        if (!isLegal(name)) {
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT,
                    "illegal key " + (name == null ? "null" : "\"" + name + "\"")
                            + ": a key has 1 to 63 characters out of A-Z a-z 0-9 . _ - and is not . or ..");
        }
    }

    /** Whether that is a key. */
    static boolean isLegal(String name) {
        return name != null && LEGAL.matcher(name).matches() && !name.equals(".") && !name.equals("..");
    }

    /** The directory that holds segments. */
    public static Path segmentDirectory() {
        return SHARED_MEMORY;
    }

    /** The segment's name. */
    public Path segmentPath() {
        return SHARED_MEMORY.resolve("cuframes-" + name);
    }

    /** The file that the key's publisher holds locked: a name that is no key's segment. */
    public Path lockPath() {
        return SHARED_MEMORY.resolve(".cuframes-" + name + ".lock");
    }

    /** The socket's name in its directory. */
    String socketFile() {
        return name + ".sock";
    }

    /** The socket's path in a socket directory. */
    public Path socketPath(Path directory) {
        return directory.resolve(socketFile());
    }

    /** The name that a socket has until it is ready: as long as the socket's, and no key's. */
    String draftFile() {
        return "." + name + ".new";
    }

    /** The path that a socket has in a socket directory until it is ready. */
    public Path draftPath(Path directory) {
        return directory.resolve(draftFile());
    }

    @Override
    public String toString() {
        return name;
    }
}
