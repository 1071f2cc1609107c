// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.Errno;
import io.cuframes.ffm.Libc;
import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import io.cuframes.internal.os.ArenaEnd;
import io.cuframes.internal.os.Closing;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.FileStatus;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.Shared;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * A publisher's segment (docs/protocol.md, section 10): made unnamed, locked, filled, and only then linked to its name, so that the name never
 * shows a segment that is unfinished or unowned, and a process killed on the way leaves nothing. Its own lock shows that its publisher lives; which
 * process may publish the key is decided by the {@link KeyLock}.
 */
public final class SegmentFile implements AutoCloseable {
    /** Until it is known who may see it. */
    private static final int MODE = 0600;

    /** Rounds of taking over before giving up; each lost round means that another publisher of the key came or went in between. */
    private static final int ATTEMPTS = 100;

    private final StreamKey key;
    private final KeyLock lock;
    private final Descriptor file;
    private final Descriptor readOnly;
    private final Arena arena;
    private final MemorySegment memory;

    private SegmentFile(
            StreamKey key, KeyLock lock, Descriptor file, Descriptor readOnly, Arena arena, MemorySegment memory) {
        this.key = key;
        this.lock = lock;
        this.file = file;
        this.readOnly = readOnly;
        this.arena = arena;
        this.memory = memory;
    }

    /**
     * Makes the segment of a key and publishes its name.
     *
     * @param key the stream
     * @param slots slots of the ring
     * @param access who may open it by its name
     * @param fill writes everything but the state into the zeroed memory
     * @throws CuframesException code ALREADY_EXISTS if a live process publishes the key
     */
    public static SegmentFile create(StreamKey key, int slots, Access access, Consumer<MemorySegment> fill) {
        long length = SegmentDescriptor.length(slots);
        KeyLock lock = KeyLock.acquire(key);
        Descriptor file = null;
        Descriptor readOnly = null;
        Arena arena = null;
        SegmentFile made = null;
        try {
            arena = Arena.ofShared();
            file = Posix.open(StreamKey.segmentDirectory(), Libc.O_TMPFILE | Libc.O_RDWR, MODE);
            Faults.reach(FaultPoint.SEGMENT_CREATED);
            access.applyToSegment(file, "the segment of \"" + key + "\"");
            Posix.reserve(file, length, "the segment in " + StreamKey.segmentDirectory());
            Faults.reach(FaultPoint.SEGMENT_SIZED);
            if (!Posix.tryLock(file, "the new segment")) {
                throw new CuframesException(ErrorCode.INTERNAL, "the lock of an unnamed segment is taken");
            }
            Faults.reach(FaultPoint.SEGMENT_LOCKED);
            readOnly = Posix.reopenReadOnly(file);
            MemorySegment memory = Posix.map(file, length, true, arena, "the segment");
            fill.accept(memory);
            Faults.reach(FaultPoint.SEGMENT_DESCRIBED);
            Shared.setIntRelease(memory, SegmentDescriptor.STATE_OFFSET, SegmentDescriptor.STATE_READY);
            Faults.reach(FaultPoint.SEGMENT_READY);
            made = new SegmentFile(key, lock, file, readOnly, arena, memory);
            publishName(key, file);
            return made;
        } catch (Throwable e) {
            AutoCloseable name = made == null ? null : made::unlink;
            Closing.undo(e, name, arena, readOnly, file, lock);
            throw e;
        }
    }

    private static void publishName(StreamKey key, Descriptor file) {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            if (Posix.link(file, key.segmentPath())) {
                return;
            }
            removeLeftover(key);
        }
        throw new CuframesException(
                ErrorCode.ALREADY_EXISTS,
                "cannot publish \"" + key + "\": others keep publishing and ending it (" + key.segmentPath() + ")");
    }

    /**
     * Unlinks a dead publisher's segment, or throws if its publisher lives: one that knows of no lock on the key but that on the segment. A lock for
     * reading does not count, since any reader may have it.
     */
    private static void removeLeftover(StreamKey key) {
        Path path = key.segmentPath();
        int fd = Posix.tryOpen(path, Libc.O_RDWR | Libc.O_NOFOLLOW | Libc.O_NONBLOCK, 0);
        if (fd == -Errno.ENOENT) {
            return;
        }
        if (fd < 0) {
            throw inTheWay(key, fd);
        }
        try (Descriptor old = new Descriptor(fd)) {
            if (!Posix.tryLock(old, path.toString()) && Posix.isLocked(old, path.toString())) {
                throw ownedBy(key, old);
            }
            FileStatus named = Posix.status(path);
            if (named != null && named.sameFile(Posix.status(old, path.toString()))) {
                Posix.unlink(path);
                Faults.reach(FaultPoint.SEGMENT_LEFTOVER_REMOVED);
            }
        }
    }

    /**
     * Looks whether a live process publishes a key in this {@code /dev/shm}, and changes nothing.
     *
     * @throws CuframesException code ALREADY_EXISTS if one does
     */
    public static void requireUnpublished(StreamKey key) {
        Path path = key.segmentPath();
        int fd = Posix.tryOpen(path, Libc.O_RDONLY | Libc.O_NOFOLLOW | Libc.O_NONBLOCK, 0);
        if (fd == -Errno.ENOENT) {
            return;
        }
        if (fd < 0) {
            throw inTheWay(key, fd);
        }
        try (Descriptor segment = new Descriptor(fd)) {
            if (Posix.isLocked(segment, path.toString()) && !isEnded(segment)) {
                throw ownedBy(key, segment);
            }
        }
    }

    private static CuframesException inTheWay(StreamKey key, int result) {
        return Posix.failure(
                "opening " + key.segmentPath() + ", which is in the way of the segment of \"" + key + "\",", -result);
    }

    private static CuframesException ownedBy(StreamKey key, Descriptor segment) {
        return alreadyPublished(key, "process " + pidOf(segment) + ", which holds the lock on " + key.segmentPath());
    }

    /** The exception for a key that a live process publishes. */
    static CuframesException alreadyPublished(StreamKey key, String owner) {
        return new CuframesException(
                ErrorCode.ALREADY_EXISTS,
                "\"" + key + "\" is published already, by " + owner + ": end it, or choose another key");
    }

    /** Whether a segment's stream is over: its publisher is about to remove the name. */
    private static boolean isEnded(Descriptor segment) {
        long enough = SegmentDescriptor.STATE_OFFSET + Integer.BYTES;
        if (Posix.status(segment, "the segment").size() < enough) {
            return false;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment start = Posix.map(segment, enough, false, arena, "the segment");
            return Shared.getIntAcquire(start, SegmentDescriptor.STATE_OFFSET) == SegmentDescriptor.STATE_ENDED;
        }
    }

    /** The publisher that a segment names; "unknown" where it is not one, or damaged. The pid's place is the same in every version. */
    static String pidOf(Descriptor segment) {
        long enough = SegmentDescriptor.PID_OFFSET + Integer.BYTES;
        if (Posix.status(segment, "the segment").size() < enough) {
            return "unknown";
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment start = Posix.map(segment, enough, false, arena, "the segment");
            boolean ours = Shared.getLongAcquire(start, SegmentDescriptor.MAGIC_OFFSET) == SegmentDescriptor.MAGIC;
            return ours ? Integer.toString(Shared.getIntOpaque(start, SegmentDescriptor.PID_OFFSET)) : "unknown";
        }
    }

    /** The mapped segment. */
    public MemorySegment memory() {
        return memory;
    }

    /** A read-only description of the segment, to be sent to subscribers. */
    public Descriptor readOnly() {
        return readOnly;
    }

    /** Removes the name, if it is still this segment's. */
    public void unlink() {
        Path path = key.segmentPath();
        FileStatus named = Posix.status(path);
        if (named != null && named.sameFile(Posix.status(file, path.toString()))) {
            Posix.unlink(path);
        }
    }

    /** Lets a successor have the key, once the stream has no names any more. */
    void unlockKey() {
        lock.close();
        Faults.reach(FaultPoint.KEY_UNLOCKED);
    }

    /**
     * Releases the lock on the key, and the descriptors: the key is free though the segment is mapped still. Does not remove the name. To be called
     * once, before {@link #unmap}.
     */
    public void release() {
        Closing.all(readOnly, file, lock);
    }

    /** Unmaps the segment, which no GPU may write to any more. */
    public void unmap() {
        ArenaEnd.close(arena, "the segment of \"" + key + "\"");
    }

    /** Unmaps the segment and releases the lock on the key. Does not remove the name. */
    @Override
    public void close() {
        Closing.all(this::unmap, this::release);
    }
}
