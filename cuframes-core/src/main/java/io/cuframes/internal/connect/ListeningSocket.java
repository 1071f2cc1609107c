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
 * that two publishers, of different containers even, never take each other's for a leftover. All of it is done through the directory's descriptor,
 * which was checked.
 */
final class ListeningSocket implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(ListeningSocket.class.getName());

    private static final int BACKLOG = 64;

    /** How long a publisher that begins or ends waits for the lock. */
    private static final long LOCK_PATIENCE_NANOS = 2_000_000_000;

    /** How long a publisher that is ending is waited for. */
    private static final long ENDING_NANOS = 3_000_000_000L;

    private static final long LOOK_NANOS = 2_000_000;

    private final OpenedPlace place;
    private final StreamKey key;
    private final Path name;
    private final Descriptor socket;
    private final FileStatus identity;

    private ListeningSocket(OpenedPlace place, StreamKey key, Descriptor socket, FileStatus identity) {
        this.place = place;
        this.key = key;
        this.name = key.socketPath(place.path());
        this.socket = socket;
        this.identity = identity;
    }

    /**
     * Binds and listens, in place of a dead publisher's socket if need be. The socket gets its mode, and listens, under another name first: the
     * key's name never leads to one that lets the wrong ones connect, or the right ones not.
     *
     * @param place where; closed with the socket, and where this throws
     * @throws CuframesException code ALREADY_EXISTS if a live process listens there
     */
    static ListeningSocket open(StreamKey key, OpenedPlace place, Access access) {
        return open(key, place, access, LOCK_PATIENCE_NANOS);
    }

    /**
     * The same for who must not wait.
     *
     * @throws CuframesException code TIMEOUT, at once, if another process holds the lock on the directory
     */
    static ListeningSocket openAtOnce(StreamKey key, OpenedPlace place, Access access) {
        return open(key, place, access, 0);
    }

    private static ListeningSocket open(StreamKey key, OpenedPlace place, Access access, long patienceNanos) {
        try {
            Faults.reach(FaultPoint.SOCKET_DIRECTORY_OPENED);
            return openWhenFree(key, place, access, patienceNanos);
        } catch (Throwable e) {
            Closing.undo(e, place);
            throw e;
        }
    }

    /** Waits for a publisher that is on its way out, but not where the lock is not waited for either. */
    private static ListeningSocket openWhenFree(StreamKey key, OpenedPlace place, Access access, long patienceNanos) {
        UnixAddress address = place.address(key.socketFile());
        long deadline = System.nanoTime() + (patienceNanos == 0 ? 0 : ENDING_NANOS);
        for (boolean first = true; ; first = false) {
            CuframesException taken;
            try (Descriptor lock = lock(place, patienceNanos)) {
                if (first) {
                    warnOfHindrance(key, place, access);
                }
                taken = whyTaken(key, address);
                if (taken == null) {
                    return bind(key, place, access);
                }
            }
            // Without the lock, which a publisher takes that ends.
            if (System.nanoTime() - deadline >= 0 || !isEnding(key, place.place())) {
                throw taken;
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }

    /** Whether the publisher that listens there is on its way out, or has gone since; takes up to 2 s. */
    private static boolean isEnding(StreamKey key, Place place) {
        Sighting seen = Observer.look(key, place);
        return switch (seen.standing()) {
            case SEEN -> seen.observation().ended();
            case ABSENT, DEAD, BUSY -> true;
            case NO_SOCKET, CLOSED, REFUSED, OTHER_VERSION, SILENT, BROKEN, ELSEWHERE, FOREIGN -> false;
        };
    }

    /** With the lock on the directory, and nobody listening under the key's name. */
    private static ListeningSocket bind(StreamKey key, OpenedPlace place, Access access) {
        Path name = key.socketPath(place.path());
        Path draft = place.inside(key.draftFile());
        Descriptor socket = newSocket();
        Path made = null;
        try {
            Posix.unlink(draft, name + "'s draft"); // of a publisher that was killed in between
            Posix.check(Libc.fchmod(socket.fd(), 0), "closing a socket to others"); // bind takes the mode over
            Posix.check(place.address(key.draftFile()).bind(socket), "binding the socket " + name);
            made = draft;
            Faults.reach(FaultPoint.SOCKET_BOUND);
            FileStatus identity = admit(draft, name, access);
            Posix.check(Libc.listen(socket.fd(), BACKLOG), "listening on " + name);
            Faults.reach(FaultPoint.SOCKET_LISTENING);
            ListeningSocket listening = new ListeningSocket(place, key, socket, identity);
            Path named = place.inside(key.socketFile());
            Posix.check(Posix.tryRename(draft, named, 0), "putting a socket at " + name);
            made = named;
            Faults.reach(FaultPoint.SOCKET_NAMED);
            return listening;
        } catch (Throwable e) {
            Path left = made;
            Closing.undo(e, left == null ? null : () -> Posix.unlink(left, name.toString()), socket);
            throw e;
        }
    }

    /** Sets who may connect to the socket of that name, and to no other file that somebody may have put there. */
    private static FileStatus admit(Path draft, Path name, Access access) {
        try (Descriptor file = Posix.open(draft, Libc.O_PATH | Libc.O_NOFOLLOW, 0)) {
            FileStatus status = Posix.status(file, name.toString());
            if (!status.isSocket() || status.owner() != Libc.geteuid()) {
                throw new CuframesException(
                        ErrorCode.ACCESS_DENIED,
                        "another user replaces files in the socket directory " + name.getParent()
                                + ": use one that only this user can write to");
            }
            access.applyToSocket(file, "the socket " + name);
            return status;
        }
    }

    private static void warnOfHindrance(StreamKey key, OpenedPlace place, Access access) {
        String hindrance = access.hindrance(place.status());
        if (hindrance != null) {
            LOG.log(
                    access.chosen() ? System.Logger.Level.WARNING : System.Logger.Level.DEBUG,
                    () -> "the socket directory " + place.path() + " lets not all through whom \"" + key + "\" admits ("
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
        if (Posix.status(address.through(), address.name().toString()) == null) {
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
    private static Descriptor lock(OpenedPlace place, long patienceNanos) {
        Descriptor descriptor = new Descriptor(Posix.check(
                Posix.tryOpen(place.inside(""), Libc.O_RDONLY | Libc.O_DIRECTORY, 0),
                "opening the socket directory " + place.path() + ", to lock it,"));
        try {
            awaitLock(descriptor, place, patienceNanos);
            return descriptor;
        } catch (Throwable e) {
            Closing.undo(e, descriptor);
            throw e;
        }
    }

    private static void awaitLock(Descriptor descriptor, OpenedPlace place, long patienceNanos) {
        long deadline = System.nanoTime() + patienceNanos;
        int result = Libc.flock(descriptor.fd(), Libc.LOCK_EX | Libc.LOCK_NB);
        while (result == -Errno.EAGAIN || result == -Errno.EINTR) {
            if (System.nanoTime() - deadline >= 0) {
                throw new CuframesException(
                        ErrorCode.TIMEOUT,
                        "another process has held the lock on the socket directory " + place.path() + " for "
                                + patienceNanos / 1_000_000_000 + " s");
            }
            LockSupport.parkNanos(1_000_000);
            result = Libc.flock(descriptor.fd(), Libc.LOCK_EX | Libc.LOCK_NB);
        }
        if (result < 0) {
            throw Posix.failure("locking the socket directory " + place.path(), -result);
        }
    }

    int fd() {
        return socket.fd();
    }

    Path name() {
        return name;
    }

    /** Where it is. */
    Place place() {
        return place.place();
    }

    /** Why who comes by the name does not get to this socket; null if it does. Goes the way of those who come: by the path. */
    String loss() {
        try {
            FileStatus now = Posix.status(name);
            if (now == null) {
                return "is gone";
            }
            return now.sameFile(identity) ? null : "leads to another file";
        } catch (CuframesException e) {
            return "cannot be reached (" + e.getMessage() + ")";
        }
    }

    /** Removes the name, if it is still this socket's, and stops listening. */
    @Override
    public void close() {
        close(LOCK_PATIENCE_NANOS);
    }

    /** The same for who must not wait: leaves the name behind where another process holds the lock. */
    void closeAtOnce() {
        close(0);
    }

    private void close(long patienceNanos) {
        try (Descriptor lock = lock(place, patienceNanos)) {
            FileStatus now = place.status(key.socketFile());
            if (now != null && now.sameFile(identity)) {
                Posix.unlink(place.inside(key.socketFile()), name.toString());
                Faults.reach(FaultPoint.SOCKET_UNLINKED);
            }
        } finally {
            socket.close();
            place.close();
        }
    }
}
