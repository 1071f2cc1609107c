// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ffm.Libc;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.os.UnixAddress;
import io.cuframes.testing.StreamFixture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What may be at the name of a key's socket when a publisher or a subscriber comes there. */
class SocketNameTest {
    private final StreamFixture stream = new StreamFixture();

    @AfterEach
    void cleanUp() {
        stream.close();
    }

    private Publisher publisher(String key) {
        return Publisher.builder(key)
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .size(64, 64)
                .open();
    }

    private Subscriber subscriber() {
        return Subscriber.builder(stream.key())
                .socketDirectory(stream.directory())
                .connectTimeout(Duration.ofMillis(1))
                .open();
    }

    private void assertPublished() {
        try (Publisher publisher = publisher(stream.key());
                Subscriber subscriber = subscriber()) {
            assertEquals(publisher.epoch(), subscriber.epoch());
        }
        assertFalse(Files.exists(stream.socket()));
    }

    @Test
    void aSymbolicLinkToAnotherStreamsSocketIsFoundOutByBothSides() throws IOException {
        try (Publisher other = publisher(stream.key() + "-other")) {
            Files.createSymbolicLink(stream.socket(), stream.directory().resolve(other.key() + ".sock"));
            CuframesException misled = assertThrows(CuframesException.class, this::subscriber);
            assertEquals(ErrorCode.PROTOCOL, misled.code());
            assertTrue(misled.getMessage().contains("it is of key \"" + other.key() + "\""), misled.getMessage());
            CuframesException refused = assertThrows(CuframesException.class, () -> publisher(stream.key()));
            assertEquals(ErrorCode.ALREADY_EXISTS, refused.code());
            assertTrue(refused.getMessage().contains(stream.socket().toString()), refused.getMessage());
            assertEquals(0, other.subscribers());
        }
        assertFalse(Files.exists(stream.segment()));
    }

    @Test
    void aSymbolicLinkToNothingIsReplacedAndNotFollowed() throws IOException {
        Path nowhere = stream.directory().resolve("nowhere");
        Files.createSymbolicLink(stream.socket(), nowhere);
        assertPublished();
        assertFalse(Files.exists(nowhere));
    }

    @Test
    void aSymbolicLinkToAFileIsReplacedAndTheFileLeftAsItIs() throws IOException {
        Path file = Files.writeString(stream.directory().resolve("file"), "mine");
        String mode = Files.getPosixFilePermissions(file).toString();
        Files.createSymbolicLink(stream.socket(), file);
        assertPublished();
        assertEquals("mine", Files.readString(file));
        assertEquals(mode, Files.getPosixFilePermissions(file).toString());
    }

    @Test
    void aDirectoryInTheWayIsNamed() throws IOException {
        Files.createDirectory(stream.socket());
        CuframesException refused = assertThrows(CuframesException.class, () -> publisher(stream.key()));
        assertEquals(ErrorCode.SYSTEM, refused.code());
        assertTrue(refused.getMessage().contains("at " + stream.socket() + " failed: EISDIR"), refused.getMessage());
        assertEquals(List.of(stream.socket()), stream.remains());
    }

    @Test
    void whatAPublisherLeftThatWasKilledBeforeItsSocketHadItsNameIsReplaced() throws IOException {
        Path draft = stream.directory().resolve("." + stream.key() + ".new");
        try (Descriptor socket = new Descriptor(
                Posix.check(Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0), "socket"))) {
            Posix.check(new UnixAddress(draft).bind(socket), "bind");
        }
        assertPublished();
        assertEquals(List.of(), stream.remains());
    }

    @Test
    void aDirectoryThatAnotherProcessKeepsLockedIsNamed() {
        try (Descriptor locked = Posix.open(stream.directory(), Libc.O_RDONLY | Libc.O_DIRECTORY, 0)) {
            Posix.check(Libc.flock(locked.fd(), Libc.LOCK_EX), "flock");
            CuframesException refused = assertThrows(CuframesException.class, () -> publisher(stream.key()));
            assertEquals(ErrorCode.TIMEOUT, refused.code());
            assertTrue(
                    refused.getMessage().contains("lock on the socket directory " + stream.directory()),
                    refused.getMessage());
        }
        assertEquals(List.of(), stream.remains());
        assertPublished();
    }

    @Test
    void aSocketThatSomebodyElsePutThereIsNotRemovedAtTheEnd() throws IOException {
        Path own = stream.directory().resolve("own");
        try (Descriptor other = listener(own)) {
            try (Publisher publisher = publisher(stream.key())) {
                Files.move(own, stream.socket(), StandardCopyOption.REPLACE_EXISTING);
                assertEquals(stream.key(), publisher.key());
            }
            assertTrue(Files.exists(stream.socket()));
            assertTrue(other.fd() >= 0);
        }
    }

    /** A live process's, whoever it is. */
    private static Descriptor listener(Path name) {
        Descriptor socket = new Descriptor(
                Posix.check(Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0), "socket"));
        Posix.check(new UnixAddress(name).bind(socket), "bind");
        Posix.check(Libc.listen(socket.fd(), 8), "listen");
        return socket;
    }
}
