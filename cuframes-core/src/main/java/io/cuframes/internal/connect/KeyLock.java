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
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;

/**
 * The lock that makes a process the one publisher of a key in its {@code /dev/shm} (docs/protocol.md, section 10): on a file of its own, which no
 * reader is sent or may open, so that none can hold the key of a publisher that is dead. Taken before the first of the stream's names is made, and
 * released after the last is removed; the kernel releases it with the process.
 */
final class KeyLock implements AutoCloseable {
    /** For the publisher's user alone. */
    private static final int MODE = 0600;

    private static final int MODE_OF_OTHERS = 0077;

    /** Rounds before it is an error; each lost round means that another publisher of the key came or went in between. */
    private static final int ATTEMPTS = 100;

    /** How long a publisher of the key that is about to end, or to begin, is waited for. */
    private static final long PATIENCE_NANOS = 3_000_000_000L;

    private static final long LOOK_NANOS = 2_000_000;

    private final Path path;
    private final Descriptor file;
    private final FileStatus identity;

    private KeyLock(Path path, Descriptor file, FileStatus identity) {
        this.path = path;
        this.file = file;
        this.identity = identity;
    }

    /**
     * Takes the lock. Waits where its holder is ending, or has not begun its stream.
     *
     * @throws CuframesException code ALREADY_EXISTS if a live process publishes the key, ACCESS_DENIED if the file is another user's
     */
    static KeyLock acquire(StreamKey key) {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (true) {
            KeyLock lock = tryAcquire(key);
            if (lock != null) {
                return lock;
            }
            SegmentFile.requireUnpublished(key);
            if (System.nanoTime() - deadline > 0) {
                throw SegmentFile.alreadyPublished(
                        key,
                        "a process that holds the lock " + key.lockPath()
                                + " and has neither begun nor ended its stream for 3 s");
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }

    /** Takes the lock, or returns null if another process has it. */
    private static KeyLock tryAcquire(StreamKey key) {
        Path path = key.lockPath();
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            int fd = open(path);
            if (fd == -Errno.EEXIST) {
                continue; // made since it was looked for
            }
            if (fd < 0) {
                throw inTheWay(key, -fd);
            }
            Descriptor file = new Descriptor(fd);
            boolean kept = false;
            try {
                FileStatus status = Posix.status(file, path.toString());
                if (!status.isRegular()) {
                    throw inTheWay(key, Errno.EEXIST);
                }
                if (!Posix.tryLock(file, path.toString())) {
                    return null;
                }
                if (isCurrent(path, status)) {
                    KeyLock lock = new KeyLock(path, file, status);
                    kept = true;
                    return reached(lock);
                }
            } finally {
                if (!kept) {
                    file.close();
                }
            }
        }
        throw SegmentFile.alreadyPublished(key, "others, which keep publishing and ending it (" + path + ")");
    }

    private static KeyLock reached(KeyLock lock) {
        try {
            Faults.reach(FaultPoint.KEY_LOCKED);
            return lock;
        } catch (Throwable e) {
            Closing.undo(e, lock);
            throw e;
        }
    }

    /** In two steps: the kernel may refuse to open another user's file in a directory like this where it might be made (fs.protected_regular). */
    private static int open(Path path) {
        int flags = Libc.O_RDWR | Libc.O_NOFOLLOW | Libc.O_NONBLOCK;
        int fd = Posix.tryOpen(path, flags, 0);
        return fd == -Errno.ENOENT ? Posix.tryOpen(path, flags | Libc.O_CREAT | Libc.O_EXCL, MODE) : fd;
    }

    /** Whether a file that is locked now has the name still, and nobody else can open it; removes the name of one that others might lock. */
    private static boolean isCurrent(Path path, FileStatus locked) {
        FileStatus named = Posix.status(path);
        if (named == null || !named.sameFile(locked)) {
            return false;
        }
        if (locked.owner() == Libc.geteuid() && (locked.mode() & MODE_OF_OTHERS) == 0) {
            return true;
        }
        Posix.unlink(path);
        return false;
    }

    private static CuframesException inTheWay(StreamKey key, int errno) {
        FileStatus status = Posix.status(key.lockPath());
        String owner = status == null ? "" : ", which belongs to user " + status.owner() + " and is in the way:";
        CuframesException failure = Posix.failure("locking " + key.lockPath() + owner, errno);
        if (failure.code() != ErrorCode.ACCESS_DENIED) {
            return failure;
        }
        return new CuframesException(
                ErrorCode.ACCESS_DENIED,
                failure.getMessage() + "; have that user end its publisher of \"" + key
                        + "\" or remove the file, or choose another key",
                failure);
    }

    /** Removes the file and releases the lock. Closing twice closes once. */
    @Override
    public void close() {
        if (file.isOpen()) {
            Closing.all(this::unlink, file);
        }
    }

    private void unlink() {
        FileStatus named = Posix.status(path);
        if (named != null && named.sameFile(identity)) {
            Posix.unlink(path);
        }
    }
}
