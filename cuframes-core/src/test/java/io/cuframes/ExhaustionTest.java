// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.Child;
import io.cuframes.testing.ForeignUser;
import io.cuframes.testing.HoarderProcess;
import io.cuframes.testing.Needs;
import io.cuframes.testing.Preloaded;
import io.cuframes.testing.PublisherProcess;
import io.cuframes.testing.RecoveringProcess;
import io.cuframes.testing.StreamFixture;
import io.cuframes.testing.SubscriberProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Processes that are out of descriptors or of space: each says of what, where, and what to do, and goes on once there is some. */
class ExhaustionTest {
    private final StreamFixture stream = new StreamFixture();

    @AfterEach
    void cleanUp() {
        stream.close();
    }

    private static List<String> shell(String script) {
        return List.of("sh", "-c", script + "; exec \"$@\"", "sh");
    }

    /** In a mount namespace of its own; skips the test where this user may not have one. */
    private static List<String> inOwnMounts(String script) {
        Needs.root("mount a file system");
        Needs.program("unshare", "util-linux");
        try {
            Process probe = new ProcessBuilder("unshare", "-m", "mount", "-t", "tmpfs", "probe", "/mnt")
                    .redirectErrorStream(true)
                    .start();
            probe.getInputStream().readAllBytes();
            Needs.that(probe.waitFor() == 0, "the right to mount, which this container does not give");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return List.of("unshare", "-m", "sh", "-c", "set -e; " + script + "; exec \"$@\"", "sh");
    }

    private Child publisher(List<String> program, Path directory) {
        return Child.startBy(program, PublisherProcess.class, stream.key(), directory, Transport.HOST, 4, 64, 64);
    }

    @Test
    void aFullSharedMemoryIsNamed() {
        List<String> full =
                inOwnMounts("mount -t tmpfs -o size=8k tmpfs /dev/shm; head -c 8192 /dev/zero > /dev/shm/full");
        try (Child publisher = publisher(full, stream.directory())) {
            String answer = publisher.answer();
            assertTrue(answer.startsWith("error SYSTEM "), answer);
            assertTrue(answer.contains("the segment in /dev/shm failed: ENOSPC"), answer);
            assertTrue(answer.contains("free space there"), answer);
            publisher.awaitExit();
        }
        assertEquals(List.of(), stream.remains());
    }

    @Test
    void aSegmentThatIsNotOfTmpfsIsNamed() {
        List<String> none = inOwnMounts("mount -t proc proc /dev/shm");
        try (Child publisher = publisher(none, stream.directory())) {
            String answer = publisher.answer();
            assertTrue(answer.startsWith("error SYSTEM locking /dev/shm/.cuframes-"), answer);
        }
        assertEquals(List.of(), stream.remains());
    }

    @Test
    void aSocketDirectoryOfAReadOnlyFileSystemIsRefused() throws IOException {
        Path directory = Files.createDirectory(stream.directory().resolve("ro"));
        List<String> readOnly = inOwnMounts("mount -t tmpfs -o ro tmpfs " + directory);
        for (Path place : List.of(directory, directory.resolve("made"))) {
            try (Child publisher = publisher(readOnly, place)) {
                String answer = publisher.answer();
                assertTrue(answer.startsWith("error ACCESS_DENIED no directory for the socket: " + place), answer);
                assertTrue(answer.contains(place.equals(directory) ? "is not writable" : "cannot be made"), answer);
                assertTrue(answer.contains("name one with --socket-dir"), answer);
            }
        }
        Files.delete(directory);
        assertEquals(List.of(), stream.remains());
    }

    @Test
    void aFullSocketDirectoryIsNamed() throws IOException {
        Path directory = Files.createDirectory(stream.directory().resolve("full"));
        List<String> full = inOwnMounts("mount -t tmpfs -o nr_inodes=1 tmpfs " + directory);
        try (Child publisher = publisher(full, directory)) {
            String answer = publisher.answer();
            assertTrue(answer.startsWith("error SYSTEM binding the socket " + directory), answer);
            assertTrue(answer.contains("ENOSPC"), answer);
        }
        Files.delete(directory);
        assertEquals(List.of(), stream.remains());
    }

    /** The connections that find no descriptor wait in the backlog; the publisher goes on publishing, and lets others in once there are some. */
    @Test
    void aPublisherOutOfDescriptorsSaysSoAndRecovers() throws IOException {
        try (Child publisher = Child.startBy(
                shell("ulimit -n 40"),
                Preloaded.class,
                PublisherProcess.class.getName(),
                stream.key(),
                stream.directory(),
                Transport.HOST,
                4,
                64,
                64)) {
            assertEquals("ready HOST", publisher.answer());
            List<SocketChannel> silent = new ArrayList<>();
            long deadline = System.nanoTime() + 20_000_000_000L;
            while (!publisher.ask("warnings").contains("EMFILE")) {
                assertTrue(System.nanoTime() - deadline < 0, "it never runs out");
                if (silent.size() < 60) {
                    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
                    channel.connect(UnixDomainSocketAddress.of(stream.socket()));
                    silent.add(channel);
                }
            }
            assertTrue(publisher.ask("warnings").contains("raise ulimit -n"));
            assertEquals("published 10", publisher.ask("publish 10"));
            for (SocketChannel channel : silent) {
                channel.close();
            }
            try (Child subscriber = Child.start(
                    SubscriberProcess.class, stream.key(), stream.directory(), SubscriberMode.NEWEST_ONLY)) {
                assertEquals("ready HOST", subscriber.answer());
                assertEquals("subscribers 1", publisher.ask("await 1"));
            }
        }
    }

    @Test
    void aSubscriberOutOfDescriptorsSaysSoAtEveryStep() {
        try (Publisher publisher = Publisher.builder(stream.key())
                        .socketDirectory(stream.directory())
                        .transport(Transport.HOST)
                        .size(64, 64)
                        .open();
                Child hoarder = Child.startBy(
                        shell("ulimit -n 60"),
                        Preloaded.class,
                        HoarderProcess.class.getName(),
                        stream.key(),
                        stream.directory())) {
            int left = 0;
            String answer = hoarder.answer();
            while (!answer.endsWith(" connected")) {
                assertTrue(answer.startsWith(left + " SYSTEM "), answer);
                assertTrue(answer.contains("EMFILE"), answer);
                assertTrue(answer.contains("raise ulimit -n or close some"), answer);
                left++;
                answer = hoarder.answer();
            }
            assertTrue(left >= 2, "it was let in with " + left + " descriptors");
            assertEquals(0, hoarder.awaitExit());
            try (Subscriber other = Subscriber.builder(publisher.key())
                    .socketDirectory(stream.directory())
                    .connectTimeout(Duration.ofSeconds(10))
                    .open()) {
                assertEquals(publisher.epoch(), other.epoch());
            }
        }
    }

    private Publisher local() {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .size(64, 64)
                .open();
    }

    private Child recovering(int left) {
        Child child = Child.startBy(
                shell("ulimit -n 80"),
                Preloaded.class,
                RecoveringProcess.class.getName(),
                stream.key(),
                stream.directory(),
                left);
        child.answerThatBegins("rehearsed");
        return child;
    }

    @Test
    void aReaderWithoutDescriptorsComesBackOnceThereAreSome() {
        for (int left = 0; left < 4; left++) { // it fails at the socket, and then at what a publisher sends
            Publisher first = local();
            try (first;
                    Child reader = recovering(-1)) {
                assertEquals("connected", reader.answer());
                assertEquals("done", reader.ask("hoard 0"));
                first.close(); // with that it has a few of its own again
                try (Publisher second = local()) {
                    reader.ask("hoard " + left);
                    assertEquals("done", reader.ask("free"));
                    assertEquals("connected", reader.answerThatBegins("connected"));
                    assertEquals(0, second.published());
                }
            }
        }
    }

    @Test
    void aReaderThatOpensWithoutDescriptorsWaitsForThem() {
        try (Publisher publisher = local()) {
            for (int left = 0; left < 3; left++) {
                try (Child reader = recovering(left)) {
                    assertEquals("done", reader.ask("free"));
                    assertEquals("connected", reader.answer());
                    assertEquals(0, publisher.published());
                }
            }
        }
    }

    /** As where a supervisor makes the directory of a service again. */
    @Test
    void aReaderThatWasAdmittedOutlastsADirectoryThatIsClosedForAWhile() throws IOException {
        try (ForeignUser user = new ForeignUser()) {
            Files.setPosixFilePermissions(stream.directory(), PosixFilePermissions.fromString("rwxr-xr-x"));
            Publisher.Builder open = Publisher.builder(stream.key())
                    .socketDirectory(stream.directory())
                    .transport(Transport.HOST)
                    .allowUsers(ForeignUser.ID)
                    .size(64, 64);
            Publisher first = open.open();
            try (first;
                    Child reader = user.start(
                            ForeignUser.ID,
                            ForeignUser.ID,
                            List.of(),
                            RecoveringProcess.class,
                            stream.key(),
                            stream.directory(),
                            -1)) {
                assertEquals("connected", reader.answerThatBegins("connected"));
                Files.setPosixFilePermissions(stream.directory(), PosixFilePermissions.fromString("rwx------"));
                first.close();
                String failed = reader.answerThatBegins("failed");
                while (!failed.contains("closed to user " + ForeignUser.ID)) {
                    failed = reader.answerThatBegins("failed");
                }
                Files.setPosixFilePermissions(stream.directory(), PosixFilePermissions.fromString("rwxr-xr-x"));
                try (Publisher second = open.open()) {
                    assertEquals("connected", reader.answerThatBegins("connected"));
                    assertEquals(0, second.published());
                }
            }
        }
    }
}
