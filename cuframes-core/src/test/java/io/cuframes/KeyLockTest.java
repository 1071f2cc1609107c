// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ffm.Errno;
import io.cuframes.ffm.Flock;
import io.cuframes.ffm.Libc;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.FileStatus;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.testing.Child;
import io.cuframes.testing.FaultInjector;
import io.cuframes.testing.PublisherProcess;
import io.cuframes.testing.RawReader;
import io.cuframes.testing.StreamFixture;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who may publish a key: what readers are given or may open decides nothing, and one publisher may follow the other without a gap. */
class KeyLockTest {
    private static final int PATIENCE_SECONDS = 60;

    /** A process of another container that shares nothing with this one but the socket directory and the pids. */
    private static final List<String> OWN_SHARED_MEMORY =
            List.of("unshare", "--mount", "sh", "-c", "mount -t tmpfs -o size=64m own /dev/shm && exec \"$@\"", "sh");

    private final StreamFixture stream = new StreamFixture();
    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void cleanUp() throws Exception {
        for (AutoCloseable each : open.reversed()) {
            each.close();
        }
        stream.close();
    }

    private <T extends AutoCloseable> T keep(T opened) {
        open.add(opened);
        return opened;
    }

    private Publisher.Builder publisher() {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .slots(4)
                .size(64, 64);
    }

    private Child child(List<String> program, String faults) {
        Child child = keep(Child.startBy(
                program,
                FaultInjector.options(faults),
                PublisherProcess.class,
                stream.key(),
                stream.directory(),
                Transport.HOST,
                4,
                64,
                64));
        assertEquals("ready HOST", child.answer());
        return child;
    }

    /** Takes an open-file-description lock; 0 or the errno. */
    private static int lock(Descriptor file, int type) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment lock = arena.allocate(Flock.LAYOUT);
            lock.set(JAVA_SHORT, Flock.L_TYPE_OFFSET, (short) type);
            return -Libc.fcntl(file.fd(), Libc.F_OFD_SETLK, lock);
        }
    }

    private Descriptor openForReading(Path path) {
        return keep(Posix.open(path, Libc.O_RDONLY, 0));
    }

    @Test
    void aReaderCannotHoldTheKeyOfADeadPublisher() {
        Child dead = child(List.of(), "");
        RawReader reader = keep(new RawReader(stream.socket(), SubscriberMode.NEWEST_ONLY));
        Descriptor byName = openForReading(stream.segment());
        assertEquals(Errno.EAGAIN, lock(byName, Libc.F_RDLCK), "a live publisher's segment is locked for writing");
        dead.kill();
        for (Descriptor file : List.of(byName, reader.descriptor(0), reader.descriptor(2))) {
            assertEquals(0, lock(file, Libc.F_RDLCK));
        }
        assertEquals(0, Libc.flock(byName.fd(), Libc.LOCK_EX | Libc.LOCK_NB));
        publisher().requireFreeKey();
        try (Publisher successor = publisher().open();
                Subscriber subscriber = Subscriber.builder(stream.key())
                        .socketDirectory(stream.directory())
                        .open()) {
            assertEquals(successor.epoch(), subscriber.epoch());
        }
        assertEquals(List.of(), stream.remains());
    }

    @Test
    void whatIsLockedIsNeitherSentNorReadableToOthers() throws IOException {
        try (Publisher publisher = publisher().allowGroups(4711).open()) {
            assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(stream.lock())));
            assertEquals("rw-r-----", PosixFilePermissions.toString(Files.getPosixFilePermissions(stream.segment())));
            RawReader reader = keep(new RawReader(stream.socket(), SubscriberMode.NEWEST_ONLY));
            FileStatus locked = Posix.status(stream.lock());
            for (int place = 0; place < 3; place++) {
                assertFalse(locked.sameFile(Posix.status(reader.descriptor(place), "what was sent")));
            }
            assertEquals(0, publisher.subscribers());
        }
        assertEquals(List.of(), stream.remains());
    }

    @Test
    void aLockThatOthersCouldOpenIsReplaced() throws IOException {
        Files.writeString(stream.lock(), "");
        Files.setPosixFilePermissions(stream.lock(), PosixFilePermissions.fromString("rw-r--r--"));
        Descriptor held = openForReading(stream.lock());
        try (Publisher publisher = publisher().open()) {
            assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(stream.lock())));
            assertFalse(Posix.status(stream.lock()).sameFile(Posix.status(held, "the old lock")));
            assertEquals(0, publisher.published());
        }
    }

    @Test
    void whatIsNoFileIsNotFollowedAndNamed() throws IOException {
        Files.createSymbolicLink(stream.lock(), Path.of("/nowhere"));
        CuframesException refused =
                assertThrows(CuframesException.class, () -> publisher().open());
        assertTrue(refused.getMessage().contains(stream.lock().toString()), refused.getMessage());
        assertTrue(refused.getMessage().contains("belongs to user " + Libc.geteuid()), refused.getMessage());
    }

    /** One that knows of no lock on the key: its segment is locked for writing, and that is all. */
    @Test
    void aPublisherOfAnOlderReleaseIsRespected() {
        Descriptor old = keep(Posix.open(Path.of("/dev/shm"), Libc.O_TMPFILE | Libc.O_RDWR, 0600));
        Posix.reserve(old, SegmentDescriptor.length(4), "a segment");
        assertTrue(Posix.tryLock(old, "the segment"));
        assertTrue(Posix.link(old, stream.segment()));
        CuframesException refused =
                assertThrows(CuframesException.class, () -> publisher().open());
        assertEquals(ErrorCode.ALREADY_EXISTS, refused.code());
        assertEquals(List.of(stream.segment()), stream.remains());
        assertThrows(CuframesException.class, () -> publisher().requireFreeKey());
        old.close();
        publisher().open().close();
        assertEquals(List.of(), stream.remains());
    }

    /** Opens in a thread of its own, and lets the predecessor go on once that is under way. */
    private void succeed(Child predecessor, FaultPointReached reached) throws Exception {
        predecessor.tell("close");
        predecessor.answerThatBegins("fault STOP " + reached.name());
        predecessor.awaitStop();
        CompletableFuture<Publisher> successor =
                CompletableFuture.supplyAsync(() -> keep(publisher().open()), Thread::startVirtualThread);
        TimeUnit.MILLISECONDS.sleep(200); // whether it has met the names by then, it is to succeed
        predecessor.cont();
        assertEquals(
                64, successor.get(PATIENCE_SECONDS, TimeUnit.SECONDS).format().width());
        predecessor.awaitExit();
        assertTrue(Files.exists(stream.socket()), "the successor's name was removed by its predecessor");
        try (Subscriber subscriber = Subscriber.builder(stream.key())
                .socketDirectory(stream.directory())
                .open()) {
            assertEquals(successor.get().epoch(), subscriber.epoch());
        }
    }

    private enum FaultPointReached {
        STATE_ENDED,
        SEGMENT_UNLINKED,
        SOCKET_UNLINKED
    }

    @Test
    void aSuccessorWaitsForAPredecessorThatIsEnding() throws Exception {
        for (FaultPointReached point : FaultPointReached.values()) {
            succeed(child(List.of(), point + ":1:STOP"), point);
            open.removeLast().close();
        }
    }

    @Test
    void aSuccessorInAnotherContainerWaitsToo() throws Exception {
        NamespaceConformance.requireNamespaces();
        for (FaultPointReached point : FaultPointReached.values()) {
            succeed(child(OWN_SHARED_MEMORY, point + ":1:STOP"), point);
            open.removeLast().close();
        }
    }

    @Test
    void aPublisherOfAnotherContainerIsNoProcessZero() throws Exception {
        NamespaceConformance.requireNamespaces();
        try (Publisher live = publisher().open();
                Child refused = Child.startBy(
                        NamespaceConformance.CONTAINER,
                        PublisherProcess.class,
                        stream.key(),
                        stream.directory(),
                        Transport.HOST,
                        4,
                        64,
                        64)) {
            String answer = refused.answer();
            assertTrue(answer.startsWith("error ALREADY_EXISTS "), answer);
            assertTrue(answer.contains("by a process of another pid namespace (container), of user 0, which"), answer);
            assertEquals(0, live.published());
        }
    }
}
