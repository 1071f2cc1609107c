// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.Errno;
import io.cuframes.ffm.Libc;
import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.FileStatus;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.os.UnixAddress;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * A publisher's listening socket and its name (docs/protocol.md, section 10). The name is made and removed under a lock on the directory, so
 * that two publishers, of different containers even, never take each other's for a leftover.
 */
final class ListeningSocket implements AutoCloseable {
    /** Owner and group may connect; the credentials decide who of them is let in. */
    private static final Set<PosixFilePermission> MODE = PosixFilePermissions.fromString("rw-rw----");

    private static final int BACKLOG = 64;
    private static final long LOCK_PATIENCE_NANOS = 2_000_000_000;

    private final Path directory;
    private final Path name;
    private final Descriptor socket;
    private final FileStatus identity;

    private ListeningSocket(Path directory, Path name, Descriptor socket, FileStatus identity) {
        this.directory = directory;
        this.name = name;
        this.socket = socket;
        this.identity = identity;
    }

    /**
     * Binds and listens, in place of a dead publisher's socket if need be.
     *
     * @throws CuframesException code ALREADY_EXISTS if a live process listens there
     */
    static ListeningSocket open(StreamKey key, Path directory) {
        Path name = key.socketPath(directory);
        UnixAddress address = new UnixAddress(name);
        Descriptor socket = newSocket();
        boolean bound = false;
        try (Descriptor lock = lock(directory)) {
            removeLeftover(key, address);
            Posix.check(address.bind(socket), "binding the socket " + name);
            bound = true;
            Faults.reach(FaultPoint.SOCKET_BOUND);
            Posix.setMode(name, MODE); // whatever the umask
            Posix.check(Libc.listen(socket.fd(), BACKLOG), "listening on " + name);
            Faults.reach(FaultPoint.SOCKET_LISTENING);
            return new ListeningSocket(directory, name, socket, Posix.status(name));
        } catch (RuntimeException e) {
            if (bound) {
                Posix.unlink(name);
            }
            socket.close();
            throw e;
        }
    }

    private static Descriptor newSocket() {
        return new Descriptor(Posix.check(
                Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC | Libc.SOCK_NONBLOCK, 0),
                "making a socket"));
    }

    private static void removeLeftover(StreamKey key, UnixAddress address) {
        if (Posix.status(address.name()) == null) {
            return;
        }
        try (Descriptor probe = newSocket()) {
            int result = address.connect(probe);
            if (result >= 0) {
                throw SegmentFile.alreadyPublished(
                        key, "process " + Posix.peer(probe).pid() + ", which listens on " + address.name());
            }
            if (result == -Errno.EAGAIN) { // its backlog is full: it lives
                throw SegmentFile.alreadyPublished(key, "a busy process, which listens on " + address.name());
            }
            if (result != -Errno.ECONNREFUSED) {
                throw Posix.failure(
                        "connecting to " + address.name() + ", which is in the way of the socket of \"" + key + "\",",
                        -result);
            }
        }
        Posix.unlink(address.name());
        Faults.reach(FaultPoint.SOCKET_LEFTOVER_REMOVED);
    }

    /** Takes the lock on the directory, which ends with the descriptor. */
    private static Descriptor lock(Path directory) {
        Descriptor descriptor = Posix.open(directory, Libc.O_RDONLY | Libc.O_DIRECTORY, 0);
        long deadline = System.nanoTime() + LOCK_PATIENCE_NANOS;
        int result = Libc.flock(descriptor.fd(), Libc.LOCK_EX | Libc.LOCK_NB);
        while (result == -Errno.EAGAIN || result == -Errno.EINTR) {
            if (System.nanoTime() - deadline > 0) {
                descriptor.close();
                throw new CuframesException(
                        ErrorCode.TIMEOUT,
                        "another process has held the lock on the socket directory " + directory + " for 2 s");
            }
            LockSupport.parkNanos(1_000_000);
            result = Libc.flock(descriptor.fd(), Libc.LOCK_EX | Libc.LOCK_NB);
        }
        if (result < 0) {
            descriptor.close();
            throw Posix.failure("locking the socket directory " + directory, -result);
        }
        return descriptor;
    }

    int fd() {
        return socket.fd();
    }

    Path name() {
        return name;
    }

    /** Removes the name, if it is still this socket's, and stops listening. */
    @Override
    public void close() {
        try (Descriptor lock = lock(directory)) {
            FileStatus now = Posix.status(name);
            if (now != null && now.sameFile(identity)) {
                Posix.unlink(name);
                Faults.reach(FaultPoint.SOCKET_UNLINKED);
            }
        } finally {
            socket.close();
        }
    }
}
