// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.cuframes.ffm.Libc;
import io.cuframes.ffm.Statx;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** A name in the file system: bytes, as the kernel and FFmpeg take them, whatever the locale. Immutable. */
final class LocalPath {
    /** What a name leads to. */
    enum Type {
        /** Nothing, or nothing that may be seen. */
        NONE,
        REGULAR,
        DIRECTORY,
        FIFO,
        CHARACTER_DEVICE,
        BLOCK_DEVICE,
        SOCKET;

        /** Whether reading may wait for somebody else without an end: FFmpeg's own reading could then not be stopped. */
        boolean isPipe() {
            return this == FIFO || this == CHARACTER_DEVICE || this == SOCKET;
        }
    }

    private static final byte[] PREFIX = "file:".getBytes(StandardCharsets.US_ASCII);

    private final byte[] name;

    private LocalPath(byte[] name) {
        this.name = name;
    }

    static LocalPath of(String name) {
        return new LocalPath(name.getBytes(StandardCharsets.UTF_8));
    }

    /** What an open descriptor of this process is called. */
    static LocalPath ofDescriptor(int fd) {
        return of("/proc/self/fd/" + fd);
    }

    /** A name with its percent signs decoded. A percent sign that no two hexadecimal digits follow stands for itself. */
    static LocalPath decoded(String name) {
        byte[] encoded = name.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(encoded.length);
        for (int i = 0; i < encoded.length; i++) {
            int code = encoded[i] == '%' && i + 2 < encoded.length ? hex(encoded[i + 1], encoded[i + 2]) : -1;
            bytes.write(code < 0 ? encoded[i] : code);
            i += code < 0 ? 0 : 2;
        }
        return new LocalPath(bytes.toByteArray());
    }

    private static int hex(byte high, byte low) {
        int first = Character.digit(high, 16);
        int second = Character.digit(low, 16);
        return first < 0 || second < 0 ? -1 : first << 4 | second;
    }

    /** Asks the kernel. */
    Type type() {
        if (hasZero()) {
            return Type.NONE;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(Statx.LAYOUT);
            if (Libc.statx(Libc.AT_FDCWD, toNative(arena), 0, Libc.STATX_TYPE, status) < 0) {
                return Type.NONE;
            }
            return switch (status.get(JAVA_SHORT, Statx.STX_MODE_OFFSET) & Libc.S_IFMT) {
                case Libc.S_IFDIR -> Type.DIRECTORY;
                case Libc.S_IFIFO -> Type.FIFO;
                case Libc.S_IFCHR -> Type.CHARACTER_DEVICE;
                case Libc.S_IFBLK -> Type.BLOCK_DEVICE;
                case Libc.S_IFSOCK -> Type.SOCKET;
                default -> Type.REGULAR;
            };
        }
    }

    boolean exists() {
        return type() != Type.NONE;
    }

    /** Whether it has a zero byte, which no name in a file system has. */
    boolean hasZero() {
        for (byte character : name) {
            if (character == 0) {
                return true;
            }
        }
        return false;
    }

    /** The name, and the zero after it. */
    MemorySegment toNative(Arena arena) {
        MemorySegment text = arena.allocate(name.length + 1L);
        MemorySegment.copy(name, 0, text, JAVA_BYTE, 0, name.length);
        return text;
    }

    byte[] bytes() {
        return name.clone();
    }

    /** As FFmpeg gets it: after a scheme, it looks for no other in the name. */
    byte[] location() {
        byte[] location = new byte[PREFIX.length + name.length];
        System.arraycopy(PREFIX, 0, location, 0, PREFIX.length);
        System.arraycopy(name, 0, location, PREFIX.length, name.length);
        return location;
    }

    /** For texts and endings. */
    @Override
    public String toString() {
        return new String(name, StandardCharsets.UTF_8);
    }
}
