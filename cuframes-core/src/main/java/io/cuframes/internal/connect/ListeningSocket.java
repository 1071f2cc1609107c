// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.Errno;
import io.cuframes.ffm.Libc;
import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import io.cuframes.internal.os.Closing;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.FileStatus;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.os.UnixAddress;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;

/**
 * A publisher's listening socket and its name (docs/protocol.md, section 10). The name is made and removed under a lock on the directory, so
 * that two publishers, of different containers even, never take each other's for a leftover.
 */
final class ListeningSocket implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(ListeningSocket.class.getName());

    private static final int BACKLOG = 64;
    private static final long LOCK_PATIENCE_NANOS = 2_000_000_000;

    /** How long a publisher that is ending is waited for. */
    private static final long ENDING_NANOS = 3_000_000_000L;

    private static final long LOOK_NANOS = 2_000_000;

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
     * Binds and listens, in place of a dead publisher's socket if need be. The socket gets its mode, and listens, under another name first: the
     * key's name never leads to one that lets the wrong ones connect, or the right ones not.
     *
     * @throws CuframesException code ALREADY_EXISTS if a live process listens there
     */
    static ListeningSocket open(StreamKey key, Path directory, Access access) {
        UnixAddress address = new UnixAddress(key.socketPath(directory));
        long deadline = System.nanoTime() + ENDING_NANOS;
        for (boolean first = true; ; first = false) {
            CuframesException taken;
            try (Descriptor lock = lock(directory)) {
                if (first) {
                    warnOfHindrance(key, directory, lock, access);
                }
                taken = whyTaken(key, address);
                if (taken == null) {
                    return make(key, directory, access);
                }
            }
            // Without the lock, which a publisher takes that ends.
            if (System.nanoTime() - deadline > 0 || !isEnding(key, directory)) {
                throw taken;
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }

    /** Whether the publisher that listens there is on its way out, or has gone since; takes up to 2 s. */
    private static boolean isEnding(StreamKey key, Path directory) {
        Sighting seen = Observer.look(key, directory);
        return switch (seen.standing()) {
            case SEEN -> seen.observation().ended();
            case ABSENT, DEAD, BUSY -> true;
            case NO_SOCKET, CLOSED, REFUSED, OTHER_VERSION, SILENT, BROKEN, ELSEWHERE -> false;
        };
    }

    /** With the lock on the directory, and nobody listening under the key's name. */
    private static ListeningSocket make(StreamKey key, Path directory, Access access) {
        Path name = key.socketPath(directory);
        Path draft = key.draftPath(directory);
        Descriptor socket = newSocket();
        Path made = null;
        try {
            Posix.unlink(draft); // of a publisher that was killed in between
            Posix.check(Libc.fchmod(socket.fd(), 0), "closing a socket to others"); // bind takes the mode over
            Posix.check(new UnixAddress(draft).bind(socket), "binding the socket " + name);
            made = draft;
            Faults.reach(FaultPoint.SOCKET_BOUND);
            FileStatus identity = admit(draft, access);
            Posix.check(Libc.listen(socket.fd(), BACKLOG), "listening on " + name);
            Faults.reach(FaultPoint.SOCKET_LISTENING);
            ListeningSocket listening = new ListeningSocket(directory, name, socket, identity);
            Posix.check(Posix.tryRename(draft, name, 0), "putting a socket at " + name);
            made = name;
            Faults.reach(FaultPoint.SOCKET_NAMED);
            return listening;
        } catch (Throwable e) {
            Path left = made;
            Closing.undo(e, left == null ? null : () -> Posix.unlink(left), socket);
            throw e;
        }
    }

    /** Sets who may connect to the socket of that name, and to no other file that somebody may have put there. */
    private static FileStatus admit(Path draft, Access access) {
        try (Descriptor file = Posix.open(draft, Libc.O_PATH | Libc.O_NOFOLLOW, 0)) {
            FileStatus status = Posix.status(file, draft.toString());
            if (!status.isSocket() || status.owner() != Libc.geteuid()) {
                throw new CuframesException(
                        ErrorCode.ACCESS_DENIED,
                        "another user replaces files in the socket directory " + draft.getParent()
                                + ": use one that only this user can write to");
            }
            access.applyToSocket(file, "the socket " + draft);
            return status;
        }
    }

    private static void warnOfHindrance(StreamKey key, Path directory, Descriptor opened, Access access) {
        String hindrance = access.hindrance(Posix.status(opened, directory.toString()));
        if (hindrance != null) {
            LOG.log(
                    access.chosen() ? System.Logger.Level.WARNING : System.Logger.Level.DEBUG,
                    () -> "the socket directory " + directory + " lets not all through whom \"" + key + "\" admits ("
                            + access + "): " + hindrance);
        }
    }

    private static Descriptor newSocket() {
        return new Descriptor(Posix.check(
                Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC | Libc.SOCK_NONBLOCK, 0),
                "making a socket"));
    }

    /** Why the name is to be had by no other, if a live process listens there; null if it is free, or a dead publisher's leftover. */
    private static CuframesException whyTaken(StreamKey key, UnixAddress address) {
        if (Posix.status(address.name()) == null) {
            return null;
        }
        try (Descriptor probe = newSocket()) {
            int result = address.connect(probe);
            if (result >= 0) {
                return SegmentFile.alreadyPublished(
                        key, Posix.peer(probe).describe() + ", which listens on " + address.name());
            }
            if (result == -Errno.EAGAIN) { // its backlog is full: it lives
                throw SegmentFile.alreadyPublished(key, "a busy process, which listens on " + address.name());
            }
            if (result != -Errno.ECONNREFUSED && result != -Errno.ENOENT) { // ENOENT: a symbolic link to nothing
                throw Posix.failure(
                        "connecting to " + address.name() + ", which is in the way of the socket of \"" + key + "\",",
                        -result);
            }
            return null;
        }
    }

    /** Takes the lock on the directory, which ends with the descriptor. */
    private static Descriptor lock(Path directory) {
        Descriptor descriptor = Posix.open(directory, Libc.O_RDONLY | Libc.O_DIRECTORY, 0);
        try {
            awaitLock(descriptor, directory);
            return descriptor;
        } catch (Throwable e) {
            Closing.undo(e, descriptor);
            throw e;
        }
    }

    private static void awaitLock(Descriptor descriptor, Path directory) {
        long deadline = System.nanoTime() + LOCK_PATIENCE_NANOS;
        int result = Libc.flock(descriptor.fd(), Libc.LOCK_EX | Libc.LOCK_NB);
        while (result == -Errno.EAGAIN || result == -Errno.EINTR) {
            if (System.nanoTime() - deadline > 0) {
                throw new CuframesException(
                        ErrorCode.TIMEOUT,
                        "another process has held the lock on the socket directory " + directory + " for 2 s");
            }
            LockSupport.parkNanos(1_000_000);
            result = Libc.flock(descriptor.fd(), Libc.LOCK_EX | Libc.LOCK_NB);
        }
        if (result < 0) {
            throw Posix.failure("locking the socket directory " + directory, -result);
        }
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
