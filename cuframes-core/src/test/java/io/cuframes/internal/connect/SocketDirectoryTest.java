// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.Libc;
import io.cuframes.internal.os.PeerCredentials;
import io.cuframes.testing.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The order in which the places for sockets are chosen, and whom they are trusted with (docs/protocol.md, section 2). */
class SocketDirectoryTest {
    private static final Map<String, String> ENVIRONMENT =
            Map.of(SocketDirectory.VARIABLE, "/variable", "XDG_RUNTIME_DIR", "/run/user/7");

    private static final int OTHER = 12345;
    private static final int THIRD = 12346;

    /** Belongs to root, who runs this, and nobody else can write to it. */
    @TempDir
    Path parent;

    private static Place chosen(String path) {
        return Place.chosen(Path.of(path));
    }

    @Test
    void theCallersChoiceBeatsThePropertyAndThatTheVariable() {
        assertEquals(
                List.of(chosen("/option")), SocketDirectory.candidates(Path.of("/option"), "/property", ENVIRONMENT));
        assertEquals(List.of(chosen("/property")), SocketDirectory.candidates(null, "/property", ENVIRONMENT));
        assertEquals(List.of(chosen("/variable")), SocketDirectory.candidates(null, "", ENVIRONMENT));
    }

    @Test
    void withoutAChoiceTheUsualPlacesAreTriedInOrder() {
        Place first = new Place(Path.of("/run/cuframes"), Place.Kind.SYSTEM);
        Place last = new Place(Path.of("/tmp/cuframes-" + Libc.geteuid()), Place.Kind.TEMPORARY);
        assertEquals(
                List.of(first, new Place(Path.of("/run/user/7/cuframes"), Place.Kind.SESSION), last),
                SocketDirectory.candidates(null, null, Map.of("XDG_RUNTIME_DIR", "/run/user/7")));
        assertEquals(List.of(first, last), SocketDirectory.candidates(null, null, Map.of()));
    }

    private static void requireRoot() {
        Needs.root("give a directory away");
    }

    private Path directory(String name, int owner) throws IOException {
        Path directory = Files.createDirectory(parent.resolve(name));
        Files.setAttribute(directory, "unix:uid", owner);
        return directory;
    }

    private void openParentToAll() throws IOException {
        Files.setPosixFilePermissions(parent, PosixFilePermissions.fromString("rwxrwxrwx"));
    }

    private static void assertOpen(Path path, Place.Kind kind) {
        try (OpenedPlace opened = OpenedPlace.open(new Place(path, kind))) {
            assertEquals(OpenedPlace.State.OPEN, opened.state(), opened.trouble());
        }
    }

    private static void assertDistrusted(String why, Path path, Place.Kind kind) {
        try (OpenedPlace opened = OpenedPlace.open(new Place(path, kind))) {
            assertEquals(OpenedPlace.State.DISTRUSTED, opened.state());
            assertTrue(opened.trouble().contains(why), opened.trouble());
        }
    }

    @Test
    void rootVouchesForWhatItLetsBeInADirectoryOfItsOwn() throws IOException {
        requireRoot();
        Path given = directory("given", OTHER);
        assertOpen(given, Place.Kind.SYSTEM);
        assertDistrusted("belongs to user 12345", given, Place.Kind.SESSION);
        assertDistrusted("belongs to user 12345", given, Place.Kind.TEMPORARY);
        openParentToAll();
        assertDistrusted(
                "belongs to user 12345, and others than root can write to " + parent + " (mode 777, user 0)",
                given,
                Place.Kind.SYSTEM);
        assertOpen(directory("own", 0), Place.Kind.SYSTEM);
        Files.setAttribute(parent, "unix:uid", OTHER);
        Files.setPosixFilePermissions(parent, PosixFilePermissions.fromString("rwx------"));
        assertDistrusted("(mode 700, user 12345)", given, Place.Kind.SYSTEM);
    }

    @Test
    void theSessionOfAnotherUserIsPassedOver() throws IOException {
        requireRoot();
        Path own = directory("own", 0);
        assertOpen(own, Place.Kind.SESSION);
        Files.setAttribute(parent, "unix:uid", OTHER);
        assertDistrusted("another user's session: it belongs to user 12345", own, Place.Kind.SESSION);
    }

    @Test
    void aLinkIsFollowedOnlyWhereNobodyElseCanHaveMadeIt() throws IOException {
        requireRoot();
        Path own = directory("own", 0);
        Path link = Files.createSymbolicLink(parent.resolve("link"), own);
        assertOpen(link, Place.Kind.TEMPORARY);
        openParentToAll();
        assertDistrusted("is a symbolic link", link, Place.Kind.TEMPORARY);
        assertDistrusted("is a symbolic link", link, Place.Kind.SYSTEM);
        assertOpen(link, Place.Kind.CHOSEN);
    }

    @Test
    void aPlaceThatWasChosenIsTrusted() throws IOException {
        requireRoot();
        Path given = directory("given", OTHER);
        openParentToAll();
        assertOpen(given, Place.Kind.CHOSEN);
        try (OpenedPlace opened = OpenedPlace.open(Place.chosen(given))) {
            assertNull(opened.distrust(new PeerCredentials(1, THIRD, THIRD)));
        }
    }

    @Test
    void inAUsualPlaceTheListenerIsTheDirectorysOwnerRootOrThisUser() throws IOException {
        requireRoot();
        try (OpenedPlace opened = OpenedPlace.open(new Place(directory("given", OTHER), Place.Kind.SYSTEM))) {
            assertNull(opened.distrust(new PeerCredentials(1, OTHER, 7)));
            assertNull(opened.distrust(new PeerCredentials(1, 0, 7)));
            assertTrue(opened.distrust(new PeerCredentials(1, THIRD, 7)).contains("nor the directory's owner 12345"));
        }
        try (OpenedPlace opened = OpenedPlace.open(new Place(directory("own", 0), Place.Kind.TEMPORARY))) {
            assertNotNull(opened.distrust(new PeerCredentials(1, OTHER, 0)), "a group is no user");
            assertNull(opened.distrust(new PeerCredentials(1, 0, 0)));
        }
    }

    @Test
    void whatIsNotThereOrNoDirectoryIsToldApart() throws IOException {
        for (Place.Kind kind : Place.Kind.values()) {
            Path file = Files.writeString(parent.resolve("file"), "");
            assertEquals(OpenedPlace.State.ABSENT, state(parent.resolve("nothing"), kind));
            assertEquals(OpenedPlace.State.ABSENT, state(parent.resolve("nothing/in/it"), kind));
            assertEquals(OpenedPlace.State.NO_DIRECTORY, state(file, kind));
            assertEquals(OpenedPlace.State.NO_DIRECTORY, state(file.resolve("in"), kind));
        }
    }

    private static OpenedPlace.State state(Path path, Place.Kind kind) {
        try (OpenedPlace opened = OpenedPlace.open(new Place(path, kind))) {
            return opened.state();
        }
    }

    @Test
    void aPublisherKnowsThePlacesThatItPassesOver() throws IOException {
        requireRoot();
        Path foreign = directory("foreign", OTHER);
        Path file = Files.writeString(parent.resolve("file"), "");
        openParentToAll();
        Path last = parent.resolve("last");
        SocketDirectory.Choice choice = SocketDirectory.forPublisher(
                List.of(
                        new Place(foreign, Place.Kind.SYSTEM),
                        new Place(file.resolve("cuframes"), Place.Kind.SESSION),
                        new Place(last, Place.Kind.TEMPORARY)),
                Access.of(null, null));
        try (OpenedPlace place = choice.place()) {
            assertEquals(last, place.path());
            assertEquals(2, choice.passedOver().size());
            assertTrue(
                    choice.passedOver().get(0).startsWith(foreign + ": belongs to user 12345"),
                    choice.passedOver()::toString);
            assertTrue(
                    choice.passedOver().get(1).startsWith(file + "/cuframes: is not a directory"),
                    choice.passedOver()::toString);
        }
    }

    @Test
    void whereNothingCanBeUsedEachPlaceIsNamedWithItsReason() throws IOException {
        requireRoot();
        Path foreign = directory("foreign", OTHER);
        CuframesException refused = assertThrows(
                CuframesException.class,
                () -> SocketDirectory.forPublisher(
                        List.of(new Place(foreign, Place.Kind.TEMPORARY)), Access.of(null, null)));
        assertEquals(ErrorCode.ACCESS_DENIED, refused.code());
        assertTrue(refused.getMessage().contains(foreign + ": belongs to user 12345"), refused.getMessage());
        assertFalse(refused.isPassing());
    }
}
