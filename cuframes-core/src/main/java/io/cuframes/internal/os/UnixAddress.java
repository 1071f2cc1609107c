// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.os;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.Libc;
import io.cuframes.ffm.SockaddrUn;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** The address of a unix socket in the file system. */
public final class UnixAddress {
    private static final int MAX_PATH = (int) (SockaddrUn.LENGTH - SockaddrUn.SUN_PATH_OFFSET) - 1;

    private final byte[] path;
    private final Path name;
    private final Path through;

    /**
     * Checks that the path fits an address.
     *
     * @throws CuframesException code INVALID_ARGUMENT if it does not
     */
    public UnixAddress(Path name) {
        this(name, name);
    }

    /**
     * An address in a directory that is open, whatever becomes of the names that lead to that directory.
     *
     * @param name the address as others have it, who come by its path: it has to fit, too
     * @param through the same, by the directory's descriptor
     * @throws CuframesException code INVALID_ARGUMENT if one of them does not fit
     */
    public UnixAddress(Path name, Path through) {
        this.name = name;
        this.through = through;
        requireFit(NativePath.bytes(name));
        this.path = requireFit(NativePath.bytes(through));
    }

    private byte[] requireFit(byte[] bytes) {
        if (bytes.length > MAX_PATH) {
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the socket path " + name + " has " + bytes.length + " bytes, and a unix socket's may have "
                            + MAX_PATH + ": use a shorter socket directory or key");
        }
        return bytes;
    }

    /** The name in the file system. */
    public Path name() {
        return name;
    }

    /** The path that leads there from this process. */
    public Path through() {
        return through;
    }

    /** Connects, or returns the negative errno. */
    public int connect(Descriptor socket) {
        try (Arena arena = Arena.ofConfined()) {
            return Libc.connect(socket.fd(), toNative(arena), (int) SockaddrUn.LENGTH);
        }
    }

    /** Binds, or returns the negative errno. */
    public int bind(Descriptor socket) {
        try (Arena arena = Arena.ofConfined()) {
            return Libc.bind(socket.fd(), toNative(arena), (int) SockaddrUn.LENGTH);
        }
    }

    private MemorySegment toNative(Arena arena) {
        MemorySegment address = arena.allocate(SockaddrUn.LAYOUT);
        address.set(JAVA_SHORT, SockaddrUn.SUN_FAMILY_OFFSET, (short) Libc.AF_UNIX);
        MemorySegment.copy(path, 0, address, JAVA_BYTE, SockaddrUn.SUN_PATH_OFFSET, path.length);
        return address;
    }
}
