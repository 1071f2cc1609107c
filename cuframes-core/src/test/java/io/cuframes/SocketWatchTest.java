// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ffm.Libc;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.FileStatus;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.os.UnixAddress;
import io.cuframes.testing.Child;
import io.cuframes.testing.FaultInjector;
import io.cuframes.testing.PublisherProcess;
import io.cuframes.testing.StreamFixture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The name of a live publisher's socket vanishes: the publisher notices, says so, and makes it again. */
class SocketWatchTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final StreamFixture stream = new StreamFixture();
    private final Path directory = stream.directory().resolve("sockets");
    private final Path socket = directory.resolve(stream.key() + ".sock");

    @AfterEach
    void cleanUp() {
        stream.close();
    }

    private Publisher publisher() {
        return Publisher.builder(stream.key())
                .socketDirectory(directory)
                .transport(Transport.HOST)
                .size(64, 64)
                .open();
    }

    private Child publisherProcess(String faults) {
        Child child = Child.start(
                FaultInjector.options(faults),
                Map.of(),
                PublisherProcess.class,
                stream.key(),
                directory,
                Transport.HOST,
                4,
                64,
                64);
        assertEquals("ready HOST", child.answer());
        return child;
    }

    private Subscriber subscriber(Duration timeout) {
        return Subscriber.builder(stream.key())
                .socketDirectory(directory)
                .connectTimeout(timeout)
                .open();
    }

    private static void await(String what, BooleanSupplier condition) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - start < PATIENCE.toNanos(), what);
            LockSupport.parkNanos(5_000_000);
        }
    }

    private static void assertReads(Publisher publisher, Subscriber... subscribers) {
        await("all are counted", () -> publisher.subscribers() == subscribers.length);
        try (WritableFrame frame = publisher.acquire()) {
            frame.publish(publisher.published());
        }
        for (Subscriber subscriber : subscribers) {
            try (Frame frame = subscriber.next(PATIENCE)) {
                assertEquals(publisher.published(), frame.seq());
            }
        }
    }

    private void removeAll() throws IOException {
        Files.delete(socket);
        Files.delete(directory);
    }

    private static String modes(Path path) {
        FileStatus status = Posix.status(path);
        return status.owner() + " " + status.group() + " " + Integer.toOctalString(status.mode());
    }

    @Test
    void aSocketThatIsRemovedIsMadeAgainAndReadersGoOn() throws IOException {
        List<String> before = StreamFixture.descriptors();
        try (Publisher publisher = publisher();
                Subscriber early = subscriber(PATIENCE)) {
            String modes = modes(socket);
            for (int round = 0; round < 2; round++) {
                int open = StreamFixture.descriptors().size();
                Files.delete(socket);
                try (Subscriber late = subscriber(PATIENCE)) {
                    assertEquals(publisher.epoch(), late.epoch());
                    assertEquals(modes, modes(socket));
                    assertReads(publisher, early, late);
                }
                await("a reader that has left is gone", () -> publisher.subscribers() == 1);
                await("descriptors stay", () -> StreamFixture.descriptors().size() == open);
            }
        }
        assertEquals(before, StreamFixture.descriptors());
        assertEquals(List.of(directory), stream.remains());
    }

    @Test
    void aDirectoryThatIsRemovedIsMadeAgainToo() throws IOException {
        try (Publisher publisher = publisher();
                Subscriber early = subscriber(PATIENCE)) {
            String modes = modes(directory);
            removeAll();
            try (Subscriber late = subscriber(PATIENCE)) {
                assertEquals(modes, modes(directory));
                assertReads(publisher, early, late);
            }
        }
        assertFalse(Files.exists(socket));
    }

    @Test
    void aDirectoryThatIsMovedAwayIsMadeAgainAndNothingStaysInTheOther() throws IOException {
        Path moved = stream.directory().resolve("moved");
        try (Publisher publisher = publisher()) {
            Files.move(directory, moved);
            try (Subscriber late = subscriber(PATIENCE)) {
                assertReads(publisher, late);
            }
            await("the old name is removed", () -> isEmpty(moved));
        }
        assertTrue(isEmpty(directory));
    }

    private static boolean isEmpty(Path directory) {
        try (var files = Files.list(directory)) {
            return files.findAny().isEmpty();
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void anotherFileAtTheNameIsReplaced() throws IOException {
        try (Publisher publisher = publisher()) {
            Path other = Files.writeString(directory.resolve("other"), "");
            Files.move(other, socket, StandardCopyOption.REPLACE_EXISTING);
            try (Subscriber late = subscriber(PATIENCE)) {
                assertReads(publisher, late);
            }
        }
        assertFalse(Files.exists(socket));
    }

    @Test
    void aLiveProcessThatHasTakenTheNameKeepsItAndTheFirstSaysSo() throws IOException {
        Path own = stream.directory().resolve("own");
        try (Child publisher = publisherProcess("");
                Subscriber early = subscriber(PATIENCE)) {
            try (Descriptor other = listener(own)) {
                Files.move(own, socket, StandardCopyOption.REPLACE_EXISTING);
                FileStatus named = Posix.status(socket);
                awaitWarning(publisher, "leads to another file, and cannot be made again now");
                String warnings = publisher.ask("warnings");
                assertTrue(
                        warnings.contains(
                                "by process " + ProcessHandle.current().pid() + ", which listens on " + socket),
                        warnings);
                assertTrue(named.sameFile(Posix.status(socket)));
                assertTrue(other.fd() >= 0 && early.isConnected());
            }
            try (Subscriber late = subscriber(PATIENCE)) { // it is a dead process's by now
                assertEquals(early.epoch(), late.epoch());
            }
        }
    }

    private static Descriptor listener(Path name) {
        Descriptor socket = new Descriptor(
                Posix.check(Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0), "socket"));
        Posix.check(new UnixAddress(name).bind(socket), "bind");
        Posix.check(Libc.listen(socket.fd(), 64), "listen");
        return socket;
    }

    private static void awaitWarning(Child publisher, String text) {
        await("no warning: " + text, () -> publisher.ask("warnings").contains(text));
    }

    @Test
    void aSecondPublisherInBetweenHearsWhoPublishes() throws IOException {
        try (Child publisher = publisherProcess("SOCKET_LOST:1:STOP")) {
            Files.delete(socket);
            publisher.answerThatBegins("fault STOP SOCKET_LOST");
            publisher.awaitStop();
            CuframesException refused = assertThrows(CuframesException.class, this::publisher);
            assertEquals(ErrorCode.ALREADY_EXISTS, refused.code());
            assertTrue(refused.getMessage().contains("process " + publisher.pid()), refused.getMessage());
            assertFalse(Files.exists(socket), "who is refused leaves nothing");
            publisher.cont();
            subscriber(PATIENCE).close();
            awaitWarning(publisher, "is gone: it is made again");
        }
    }

    /** The name is made under the directory's lock; the server does not wait for that, since its readers would wait with it. */
    @Test
    void aLockedDirectoryIsTriedAgainLater() throws IOException {
        try (Child publisher = publisherProcess("")) {
            try (Descriptor locked = Posix.open(directory, Libc.O_RDONLY | Libc.O_DIRECTORY, 0)) {
                Posix.check(Libc.flock(locked.fd(), Libc.LOCK_EX), "flock");
                Files.delete(socket);
                awaitWarning(publisher, "held the lock on the socket directory " + directory);
                assertFalse(Files.exists(socket));
            }
            subscriber(PATIENCE).close();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SOCKET_LOST:1",
                "SOCKET_DIRECTORY_OPENED:2",
                "SOCKET_BOUND:2",
                "SOCKET_LISTENING:2",
                "SOCKET_NAMED:2"
            })
    void whoeverDiesWhileItMakesTheNameAgainIsSucceeded(String point) throws IOException {
        try (Child publisher = publisherProcess(point + ":KILL")) {
            Files.delete(socket);
            publisher.answerThatBegins("fault KILL");
            assertEquals(128 + 9, publisher.awaitExit());
        }
        try (Publisher successor = publisher();
                Subscriber reader = subscriber(PATIENCE)) {
            assertReads(successor, reader);
        }
        assertTrue(isEmpty(directory));
        assertEquals(List.of(directory), stream.remains());
    }
}
