// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.os;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.SystemException;
import io.cuframes.ffm.Errno;
import io.cuframes.ffm.ErrnoException;
import io.cuframes.ffm.Flock;
import io.cuframes.ffm.Libc;
import io.cuframes.ffm.MappedMemory;
import io.cuframes.ffm.Statx;
import io.cuframes.ffm.Ucred;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;

/** The operating-system calls of this library with their results checked: a failure names the call, the object, the errno and its text. */
public final class Posix {
    private Posix() {}

    /**
     * Passes a result on, or throws what its errno says.
     *
     * @param result 0 or more, or a negative errno
     * @param call the call and its object, for the message
     */
    public static int check(long result, String call) {
        if (result < 0) {
            throw failure(call, (int) -result);
        }
        return (int) result;
    }

    /** The exception for a failed call. */
    public static CuframesException failure(String call, int errno) {
        return new SystemException(
                errno, call + " failed: " + Errno.name(errno) + " (" + Errno.text(errno) + ")" + advice(errno));
    }

    private static String advice(int errno) {
        return switch (errno) {
            case Errno.EMFILE -> "; this process is at its limit of descriptors: raise ulimit -n or close some";
            case Errno.ENOSPC -> "; the file system is full: free space there, or use fewer or smaller slots";
            default -> "";
        };
    }

    /** Opens a file. */
    public static Descriptor open(Path path, int flags, int mode) {
        return new Descriptor(check(tryOpen(path, flags, mode), "opening " + path));
    }

    /** Opens a file, or returns the negative errno. */
    public static int tryOpen(Path path, int flags, int mode) {
        try (Arena arena = Arena.ofConfined()) {
            return Libc.open(arena.allocateFrom(path.toString()), flags | Libc.O_CLOEXEC, mode);
        }
    }

    /** Opens the same file once more, read-only: a description of its own, through which nobody can write. */
    public static Descriptor reopenReadOnly(Descriptor descriptor) {
        return open(procPath(descriptor), Libc.O_RDONLY, 0);
    }

    /** Gives an unnamed file a name; false if the name is taken. */
    public static boolean link(Descriptor unnamed, Path path) {
        try (Arena arena = Arena.ofConfined()) {
            int result = Libc.linkat(
                    Libc.AT_FDCWD,
                    arena.allocateFrom(procPath(unnamed).toString()),
                    Libc.AT_FDCWD,
                    arena.allocateFrom(path.toString()),
                    Libc.AT_SYMLINK_FOLLOW);
            if (result == -Errno.EEXIST) {
                return false;
            }
            check(result, "linking " + path);
            return true;
        }
    }

    private static Path procPath(Descriptor descriptor) {
        return Path.of("/proc/self/fd/" + descriptor.fd());
    }

    /**
     * Sets the permissions of a file that is open, perhaps with O_PATH alone.
     *
     * @param file which
     * @param mode the permissions
     * @param what for the message
     */
    public static void setMode(Descriptor file, int mode, String what) {
        try {
            // By its place in /proc, since fchmod refuses O_PATH.
            Files.setPosixFilePermissions(procPath(file), permissions(mode));
        } catch (IOException e) {
            throw new CuframesException(ErrorCode.SYSTEM, "setting the mode of " + what + " failed: " + e, e);
        }
    }

    private static Set<PosixFilePermission> permissions(int mode) {
        PosixFilePermission[] all = PosixFilePermission.values(); // from the owner's r to the others' x
        Set<PosixFilePermission> set = EnumSet.noneOf(PosixFilePermission.class);
        for (int bit = 0; bit < all.length; bit++) {
            if ((mode & 0400 >> bit) != 0) {
                set.add(all[bit]);
            }
        }
        return set;
    }

    /** Gives an open file, perhaps one of O_PATH, to a group; returns 0, or the negative errno. */
    public static int trySetGroup(Descriptor file, int group) {
        try (Arena arena = Arena.ofConfined()) {
            return Libc.fchownat(file.fd(), arena.allocateFrom(""), -1, group, Libc.AT_EMPTY_PATH);
        }
    }

    /** Renames a file, in place of what has the new name; returns 0, or the negative errno. */
    public static int tryRename(Path from, Path to, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            return Libc.renameat2(
                    Libc.AT_FDCWD,
                    arena.allocateFrom(from.toString()),
                    Libc.AT_FDCWD,
                    arena.allocateFrom(to.toString()),
                    flags);
        }
    }

    /** Removes a name; no error if it is gone already. */
    public static void unlink(Path path) {
        try (Arena arena = Arena.ofConfined()) {
            int result = Libc.unlink(arena.allocateFrom(path.toString()));
            if (result != -Errno.ENOENT) {
                check(result, "removing " + path);
            }
        }
    }

    /** Makes an anonymous file in memory that can be sealed. */
    public static Descriptor memfd(String name) {
        try (Arena arena = Arena.ofConfined()) {
            return new Descriptor(check(
                    Libc.memfd_create(arena.allocateFrom(name), Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING),
                    "memfd_create " + name));
        }
    }

    /** Sets a file's length and takes the memory or space for all of it now, so that no later access can fail. */
    public static void reserve(Descriptor file, long length, String what) {
        reserve(file, 0, length, what);
    }

    /** Takes the memory or space for a part of a file now. */
    public static void reserve(Descriptor file, long offset, long length, String what) {
        int result = Libc.fallocate(file.fd(), 0, offset, length);
        check(result, "reserving " + length + " bytes for " + what);
    }

    /** Adds seals to a memfd. */
    public static void seal(Descriptor memfd, int seals) {
        check(Libc.fcntl(memfd.fd(), Libc.F_ADD_SEALS, seals), "sealing a memfd");
    }

    /** The seals of a memfd; 0 for a file that cannot have any. */
    public static int seals(Descriptor file) {
        int seals = Libc.fcntl(file.fd(), Libc.F_GET_SEALS, 0);
        boolean none = seals == -Errno.EINVAL || seals == -Errno.EBADF; // EBADF: opened as a path alone (O_PATH)
        return none ? 0 : check(seals, "reading the seals of a descriptor");
    }

    /** Maps a file shared; read-only unless {@code writable}. */
    public static MemorySegment map(Descriptor file, long length, boolean writable, Arena arena, String what) {
        int protection = writable ? Libc.PROT_READ | Libc.PROT_WRITE : Libc.PROT_READ;
        try {
            return MappedMemory.map(length, protection, Libc.MAP_SHARED, file.fd(), 0, arena);
        } catch (ErrnoException e) {
            throw failure("mapping " + length + " bytes of " + what, e.errno());
        }
    }

    /**
     * Maps a file that a peer sent, shared; read-only unless {@code writable}.
     *
     * @throws CuframesException code PROTOCOL if it is of a kind, or opened in a way, that cannot be mapped so, SYSTEM if this process cannot map more
     */
    public static MemorySegment mapReceived(Descriptor file, long length, boolean writable, Arena arena, String what) {
        int protection = writable ? Libc.PROT_READ | Libc.PROT_WRITE : Libc.PROT_READ;
        try {
            return MappedMemory.map(length, protection, Libc.MAP_SHARED, file.fd(), 0, arena);
        } catch (ErrnoException e) {
            throw switch (e.errno()) {
                case Errno.EACCES, Errno.EBADF, Errno.ENODEV, Errno.EPERM ->
                    new CuframesException(
                            ErrorCode.PROTOCOL,
                            "the descriptor that was sent for " + what + " cannot be mapped for "
                                    + (writable ? "writing: " : "reading: ") + Errno.name(e.errno()) + " ("
                                    + Errno.text(e.errno()) + ")");
                default -> failure("mapping " + length + " bytes of " + what, e.errno());
            };
        }
    }

    /** What an open file is. */
    public static FileStatus status(Descriptor file, String what) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment empty = arena.allocateFrom("");
            return statx(file.fd(), empty, Libc.AT_EMPTY_PATH, arena, what);
        }
    }

    /** What a name leads to, without following a symbolic link; null if there is nothing. */
    public static FileStatus status(Path path) {
        try (Arena arena = Arena.ofConfined()) {
            return statx(
                    Libc.AT_FDCWD,
                    arena.allocateFrom(path.toString()),
                    Libc.AT_SYMLINK_NOFOLLOW,
                    arena,
                    path.toString());
        }
    }

    private static FileStatus statx(int directory, MemorySegment path, int flags, Arena arena, String what) {
        MemorySegment status = arena.allocate(Statx.LAYOUT);
        int result = Libc.statx(directory, path, flags, Libc.STATX_BASIC_STATS, status);
        if (result == -Errno.ENOENT) {
            return null;
        }
        check(result, "statx " + what);
        long device = (long) status.get(JAVA_INT, Statx.STX_DEV_MAJOR_OFFSET) << 32
                | Integer.toUnsignedLong(status.get(JAVA_INT, Statx.STX_DEV_MINOR_OFFSET));
        return new FileStatus(
                device,
                status.get(JAVA_LONG, Statx.STX_INO_OFFSET),
                status.get(JAVA_LONG, Statx.STX_SIZE_OFFSET),
                status.get(JAVA_INT, Statx.STX_UID_OFFSET),
                status.get(JAVA_INT, Statx.STX_GID_OFFSET),
                Short.toUnsignedInt(status.get(JAVA_SHORT, Statx.STX_MODE_OFFSET)));
    }

    /** Takes the exclusive open-file-description lock on a whole file; false if another description holds one. Gone when the last duplicate closes. */
    public static boolean tryLock(Descriptor file, String what) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment lock = arena.allocate(Flock.LAYOUT);
            lock.set(JAVA_SHORT, Flock.L_TYPE_OFFSET, (short) Libc.F_WRLCK);
            int result = Libc.fcntl(file.fd(), Libc.F_OFD_SETLK, lock);
            if (result == -Errno.EAGAIN || result == -Errno.EACCES) {
                return false;
            }
            check(result, "locking " + what);
            return true;
        }
    }

    /** Gives up the lock of {@link #tryLock}, which mappings of the file keep as its descriptors do. */
    public static void unlock(Descriptor file, String what) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment lock = arena.allocate(Flock.LAYOUT);
            lock.set(JAVA_SHORT, Flock.L_TYPE_OFFSET, (short) Libc.F_UNLCK);
            check(Libc.fcntl(file.fd(), Libc.F_OFD_SETLK, lock), "unlocking " + what);
        }
    }

    /** Whether another description holds a lock that keeps {@link #tryLock} from succeeding. Only looks, and so stands in nobody's way. */
    public static boolean isLocked(Descriptor file, String what) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment lock = arena.allocate(Flock.LAYOUT);
            lock.set(JAVA_SHORT, Flock.L_TYPE_OFFSET, (short) Libc.F_WRLCK);
            check(Libc.fcntl(file.fd(), Libc.F_OFD_GETLK, lock), "looking for a lock of " + what);
            return lock.get(JAVA_SHORT, Flock.L_TYPE_OFFSET) != Libc.F_UNLCK;
        }
    }

    /** Who is at the other end of a unix socket, as the kernel saw it connect or listen. */
    public static PeerCredentials peer(Descriptor socket) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment credentials = arena.allocate(Ucred.LAYOUT);
            MemorySegment length = arena.allocateFrom(JAVA_INT, (int) Ucred.LENGTH);
            check(
                    Libc.getsockopt(socket.fd(), Libc.SOL_SOCKET, Libc.SO_PEERCRED, credentials, length),
                    "reading the peer's credentials");
            return new PeerCredentials(
                    credentials.get(JAVA_INT, Ucred.PID_OFFSET),
                    credentials.get(JAVA_INT, Ucred.UID_OFFSET),
                    credentials.get(JAVA_INT, Ucred.GID_OFFSET));
        }
    }

    /** Whether the other end of a unix socket is in a group besides its primary one, as the kernel saw it connect. */
    public static boolean isPeerInGroup(Descriptor socket, Set<Integer> groups) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment length = arena.allocate(JAVA_INT);
            int room = 64;
            while (true) {
                MemorySegment list = arena.allocate(JAVA_INT, room);
                length.set(JAVA_INT, 0, (int) list.byteSize());
                int result = Libc.getsockopt(socket.fd(), Libc.SOL_SOCKET, Libc.SO_PEERGROUPS, list, length);
                int count = length.get(JAVA_INT, 0) / Integer.BYTES;
                if (result == -Errno.ERANGE && count > room) {
                    room = count; // it says how much it takes
                    continue;
                }
                check(result, "reading the peer's groups");
                return Arrays.stream(
                                list.asSlice(0, count * (long) Integer.BYTES).toArray(JAVA_INT))
                        .anyMatch(groups::contains);
            }
        }
    }
}
