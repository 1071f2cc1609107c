// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.Child;
import io.cuframes.testing.FaultInjector;
import io.cuframes.testing.ForeignUser;
import io.cuframes.testing.OwnRun;
import io.cuframes.testing.PublisherProcess;
import io.cuframes.testing.StreamFixture;
import io.cuframes.testing.SubscriberProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Publishers and readers of several users who have named no socket directory (docs/protocol.md, section 2): who finds whom, what the others hear, and
 * what a user gains who swaps a directory between its check and its use.
 */
class UsualPlacesTest {
    /** Users whom nobody else has, so that their places in /tmp are of this test alone. */
    private static final int OWNER =
            1_000_000 + 4 * (int) ProcessHandle.current().pid();

    private static final int MEMBER = OWNER + 1;
    private static final int STRANGER = OWNER + 2;
    private static final int MOST_WAIT_SECONDS = 30;

    private static ForeignUser users;

    private final StreamFixture stream = new StreamFixture();
    private final OwnRun run = new OwnRun();
    private final List<Child> children = new ArrayList<>();

    @BeforeAll
    static void prepareUsers() {
        users = new ForeignUser();
    }

    @AfterAll
    static void removeUsers() {
        if (users != null) {
            users.close();
        }
    }

    @AfterEach
    void cleanUp() throws IOException {
        children.forEach(Child::close);
        run.close();
        stream.close();
        for (int user : List.of(OWNER, MEMBER, STRANGER)) {
            for (String name : List.of("cuframes-" + user, "cuframes-" + user + ".away")) {
                remove(Path.of("/tmp", name));
            }
        }
    }

    private static void remove(Path tree) throws IOException {
        if (Files.exists(tree)) {
            try (Stream<Path> files = Files.walk(tree)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    private Child keep(Child child) {
        children.add(child);
        return child;
    }

    private Child publisher(int user, String directory, String faults) {
        return keep(users.startBy(
                run.entry(),
                faults.isEmpty() ? List.of() : FaultInjector.options(faults),
                user,
                user,
                List.of(),
                PublisherProcess.class,
                stream.key(),
                directory,
                Transport.HOST,
                4,
                64,
                64));
    }

    private Child reader(int user, List<Integer> groups, String faults) {
        return keep(users.startBy(
                run.entry(),
                faults.isEmpty() ? List.of() : FaultInjector.options(faults),
                user,
                user,
                groups,
                SubscriberProcess.class,
                stream.key(),
                "-",
                SubscriberMode.NEWEST_ONLY));
    }

    private static Path make(Path directory, int owner, String mode) throws IOException {
        Files.createDirectory(directory);
        Files.setAttribute(directory, "unix:uid", owner);
        Files.setAttribute(directory, "unix:gid", owner);
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString(mode));
        return directory;
    }

    private static void assertContains(String text, String... parts) {
        for (String part : parts) {
            assertTrue(text.contains(part), () -> "\"" + part + "\" is not in: " + text);
        }
    }

    /** As systemd makes it for {@code RuntimeDirectory=cuframes} of a service of that user. */
    @Test
    void aRuntimeDirectoryOfOneUserIsFoundByAnotherOfItsGroupAndByRoot() throws IOException {
        make(run.path().resolve("cuframes"), OWNER, "rwxr-xr-x");
        Child publisher = publisher(OWNER, "-", "");
        assertEquals("ready HOST", publisher.answer());
        assertContains(publisher.ask("describe"), "socket /run/cuframes/" + stream.key() + ".sock");
        assertEquals("ready HOST", reader(MEMBER, List.of(OWNER), "").answer());
        assertEquals("ready HOST", reader(0, List.of(), "").answer());
        assertEquals("subscribers 2", publisher.ask("await 2"));
        String refused = reader(STRANGER, List.of(), "").answer();
        assertContains(
                refused,
                "error ACCESS_DENIED",
                "/run/cuframes/" + stream.key() + ".sock or its directory is closed to user " + STRANGER,
                "mode 755, user " + OWNER,
                "/tmp/cuframes-" + STRANGER + "/" + stream.key() + ".sock does not exist");
    }

    @Test
    void aPlaceThatIsPassedOverIsNamedWithItsReason() throws IOException {
        make(run.path().resolve("cuframes"), OWNER, "rwx------");
        assertEquals("ready HOST", publisher(OWNER, "-", "").answer());
        assertContains(
                reader(MEMBER, List.of(OWNER), "").answer(),
                "error NOT_FOUND",
                "/run/cuframes/" + stream.key() + ".sock or its directory is closed to user " + MEMBER,
                "mode 700, user " + OWNER + ", group " + OWNER);
        Files.setPosixFilePermissions(run.path(), PosixFilePermissions.fromString("rwxrwxrwx"));
        assertContains(
                reader(MEMBER, List.of(OWNER), "").answer(),
                "error NOT_FOUND",
                "/run/cuframes is passed over: it belongs to user " + OWNER
                        + ", and others than root can write to /run (mode 777, user 0)",
                "/tmp/cuframes-" + MEMBER + "/" + stream.key() + ".sock does not exist");
    }

    /** Another user's closed directory says nothing of this user's stream, which may come up again in the next place. */
    @Test
    void aReaderFollowsItsOwnPublisherBesideAClosedDirectoryOfAnother() throws IOException {
        make(run.path().resolve("cuframes"), OWNER, "rwx------");
        Child first = publisher(MEMBER, "-", "");
        assertEquals("ready HOST", first.answer());
        Child reader = keep(users.startBy(
                run.entry(),
                List.of(),
                MEMBER,
                MEMBER,
                List.of(),
                SubscriberProcess.class,
                stream.key(),
                "-",
                SubscriberMode.NEWEST_ONLY,
                "reconnect"));
        assertEquals("ready HOST", reader.answer());
        assertEquals("subscribers 1", first.ask("await 1"));
        reader.tell("read 1");
        first.kill();
        Child second = publisher(MEMBER, "-", "");
        assertEquals("ready HOST", second.answer());
        assertEquals("subscribers 1", second.ask("await 1"));
        second.ask("publish 1");
        assertContains(reader.answer(), "read 1");
    }

    @Test
    void aPublisherTellsWhyItsSocketIsNotInABetterPlace() throws IOException {
        make(run.path().resolve("cuframes"), OWNER, "rwxr-xr-x");
        Child publisher = publisher(MEMBER, "-", "");
        assertEquals("ready HOST", publisher.answer());
        assertContains(
                publisher.ask("describe"),
                "socket /tmp/cuframes-" + MEMBER + "/" + stream.key() + ".sock",
                "passed over: /run/cuframes: is not writable for this user (mode 755, user " + OWNER);
    }

    /** Root lets everybody make sockets there; whose word a reader takes is the reader's. */
    @Test
    void aListenerWhomNobodyVouchesForIsNotAsked() throws IOException {
        make(run.path().resolve("cuframes"), 0, "rwxrwxrwx");
        Child publisher = publisher(STRANGER, "/run/cuframes", "");
        assertEquals("ready HOST", publisher.answer());
        assertContains(
                reader(0, List.of(), "").answer(),
                "error NOT_FOUND",
                "/run/cuframes/" + stream.key() + ".sock is listened on by a process of user " + STRANGER);
        assertEquals("stats 0 0 0", publisher.ask("stats"));
    }

    /** The listener in the swapped directory is root's, so that only the directory is what keeps the reader from it. */
    @Test
    void aDirectoryThatIsSwappedAfterItsCheckIsNotConnectedThrough() throws IOException {
        Path place = make(Path.of("/tmp/cuframes-" + OWNER), OWNER, "rwx------");
        Child reader = reader(OWNER, List.of(), "PLACE_OPENED:1:STOP");
        reader.answerThatBegins("fault STOP PLACE_OPENED");
        reader.awaitStop();
        Files.move(place, Path.of(place + ".away"));
        make(place, STRANGER, "rwxr-xr-x");
        try (Publisher attacker = Publisher.builder(stream.key())
                .socketDirectory(place)
                .allowUsers(OWNER)
                .transport(Transport.HOST)
                .size(64, 64)
                .open()) {
            reader.cont();
            assertContains(
                    reader.answer(), "error NOT_FOUND", place + " is passed over: it belongs to user " + STRANGER);
            assertEquals(0, attacker.subscribers());
        }
    }

    @Test
    void aDirectoryThatIsSwappedAfterItsCheckIsNotPublishedIn() throws IOException {
        Path place = make(Path.of("/tmp/cuframes-" + OWNER), OWNER, "rwx------");
        Child publisher = publisher(OWNER, "-", "SOCKET_DIRECTORY_OPENED:1:STOP");
        publisher.answerThatBegins("fault STOP SOCKET_DIRECTORY_OPENED");
        publisher.awaitStop();
        Path away = Path.of(place + ".away");
        Files.move(place, away);
        make(place, STRANGER, "rwxrwxrwx");
        publisher.cont();
        assertEquals("ready HOST", publisher.answer());
        assertTrue(Files.exists(away.resolve(stream.key() + ".sock")), "it is in the directory that was checked");
        long start = System.nanoTime();
        String warnings = publisher.ask("warnings");
        while (!warnings.contains(place + " belongs to user " + STRANGER)) {
            assertTrue(System.nanoTime() - start < MOST_WAIT_SECONDS * 1_000_000_000L, warnings);
            LockSupport.parkNanos(20_000_000);
            warnings = publisher.ask("warnings");
        }
        try (Stream<Path> files = Files.list(place)) {
            assertFalse(files.findAny().isPresent(), "nothing is ever made in the other");
        }
        publisher.tell("close").awaitExit();
        assertFalse(Files.exists(away.resolve(stream.key() + ".sock")));
    }
}
