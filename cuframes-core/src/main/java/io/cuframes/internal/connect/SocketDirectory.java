// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.Errno;
import io.cuframes.ffm.Libc;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.Posix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Where the sockets are (docs/protocol.md, section 2). */
public final class SocketDirectory {
    /** The system property that names the directory. */
    public static final String PROPERTY = "cuframes.socketDir";

    /** The environment variable that names the directory. */
    public static final String VARIABLE = "CUFRAMES_SOCKET_DIR";

    private static final String SESSION_VARIABLE = "XDG_RUNTIME_DIR";

    private SocketDirectory() {}

    /** The one place that was chosen, by option, property or variable, best first; else the usual ones. */
    static List<Place> candidates(Path option, String property, Map<String, String> environment) {
        if (option != null) {
            return List.of(Place.chosen(option));
        }
        if (property != null && !property.isEmpty()) {
            return List.of(Place.chosen(path(property, "-D" + PROPERTY)));
        }
        String variable = environment.get(VARIABLE);
        if (variable != null && !variable.isEmpty()) {
            return List.of(Place.chosen(path(variable, VARIABLE)));
        }
        List<Place> places = new ArrayList<>();
        places.add(new Place(Path.of("/run/cuframes"), Place.Kind.SYSTEM));
        String runtime = environment.get(SESSION_VARIABLE);
        if (runtime != null && !runtime.isEmpty()) {
            places.add(new Place(
                    path(runtime, SESSION_VARIABLE).toAbsolutePath().resolve("cuframes"), Place.Kind.SESSION));
        }
        places.add(new Place(Path.of("/tmp/cuframes-" + Libc.geteuid()), Place.Kind.TEMPORARY));
        return places;
    }

    private static Path path(String text, String source) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT,
                    source + " names a path that this JVM cannot have, for its locale knows only "
                            + System.getProperty("sun.jnu.encoding")
                            + ": start it with LC_ALL=C.UTF-8, or name a directory in ASCII (" + e.getMessage() + ")",
                    e);
        }
    }

    /**
     * The one place that was chosen, or the usual ones, best first.
     *
     * @param option the caller's choice, or null
     */
    static List<Place> candidates(Path option) {
        return candidates(option, System.getProperty(PROPERTY), System.getenv());
    }

    /**
     * A place that was taken, open.
     *
     * @param place which
     * @param passedOver the better ones that were not, each with its reason
     */
    record Choice(OpenedPlace place, List<String> passedOver) {}

    /**
     * The first place where a publisher can put a socket, made if it is not there.
     *
     * @param option the caller's choice, or null
     * @param access who goes through a directory that is made
     * @throws CuframesException code ACCESS_DENIED if there is none, naming each place and what is wrong with it
     */
    static Choice forPublisher(Path option, Access access) {
        return forPublisher(candidates(option), access);
    }

    static Choice forPublisher(List<Place> places, Access access) {
        List<String> reasons = new ArrayList<>();
        for (Place place : places) {
            try {
                return new Choice(prepare(place, access), List.copyOf(reasons));
            } catch (UnusableException e) {
                reasons.add(place + ": " + e.getMessage());
            }
        }
        throw nowhere(reasons);
    }

    /**
     * Where a publisher would put its socket.
     *
     * @param directory the place
     * @param passedOver the better ones that it would not take, each with its reason
     */
    public record Rehearsal(Path directory, List<String> passedOver) {}

    /**
     * The place that a publisher would choose, found by making a socket there (and the directory, if it does not exist) and removing it again.
     *
     * @param option the caller's choice, or null
     * @param access who is to go through
     * @throws CuframesException code ACCESS_DENIED if there is none, naming each place and what is wrong with it
     */
    public static Rehearsal rehearse(Path option, Access access) {
        List<String> reasons = new ArrayList<>();
        for (Place place : candidates(option)) {
            String reason = rehearseAt(place, access);
            if (reason == null) {
                return new Rehearsal(place.path(), List.copyOf(reasons));
            }
            reasons.add(place + ": " + reason);
        }
        throw nowhere(reasons);
    }

    /**
     * A place where a subscriber may look.
     *
     * @param place which
     * @param distrust why it does not, now; null if it does
     */
    public record Candidate(Place place, String distrust) {}

    /**
     * The places where a subscriber with that choice looks, best first.
     *
     * @param option the caller's choice, or null
     */
    public static List<Candidate> look(Path option) {
        return candidates(option).stream().map(SocketDirectory::look).toList();
    }

    private static Candidate look(Place place) {
        try (OpenedPlace opened = OpenedPlace.open(place)) {
            return new Candidate(place, opened.state() == OpenedPlace.State.DISTRUSTED ? opened.trouble() : null);
        }
    }

    /** For no place at all. */
    static CuframesException nowhere(List<String> reasons) {
        return new CuframesException(
                ErrorCode.ACCESS_DENIED,
                "no directory for the socket: " + String.join("; ", reasons) + "; name one with --socket-dir, -D"
                        + PROPERTY + " or " + VARIABLE);
    }

    /** Why a publisher cannot use a place. */
    private static final class UnusableException extends Exception {
        private static final long serialVersionUID = 1;

        UnusableException(String message) {
            super(message);
        }
    }

    /**
     * Opens a place, made if it is not there. For a publisher that had its socket there before.
     *
     * @throws CuframesException code ACCESS_DENIED if it cannot be used, naming the reason
     */
    static OpenedPlace openAgain(Place place, Access access) {
        try {
            return prepare(place, access);
        } catch (UnusableException e) {
            throw new CuframesException(ErrorCode.ACCESS_DENIED, place + " " + e.getMessage(), e);
        }
    }

    /** Opens the directory, and makes it if need be. */
    private static OpenedPlace prepare(Place place, Access access) throws UnusableException {
        OpenedPlace opened = OpenedPlace.open(place);
        if (opened.state() == OpenedPlace.State.ABSENT) {
            try {
                make(place.path().toAbsolutePath(), access);
            } catch (IOException | CuframesException e) {
                throw new UnusableException(
                        "cannot be made (" + (e instanceof CuframesException ? e.getMessage() : e) + ")");
            }
            opened = OpenedPlace.open(place);
        }
        return requireUsable(opened);
    }

    private static OpenedPlace requireUsable(OpenedPlace opened) throws UnusableException {
        if (!opened.isOpen()) {
            throw new UnusableException(opened.trouble());
        }
        if (!Files.isWritable(opened.inside(""))) {
            opened.close();
            throw new UnusableException("is not writable for this user (" + opened.describe() + ")");
        }
        return opened;
    }

    /** Why it cannot be used; null if it can. */
    private static String rehearseAt(Place place, Access access) {
        try {
            OpenedPlace opened = OpenedPlace.open(place);
            if (opened.state() == OpenedPlace.State.ABSENT) {
                Path above = place.path().toAbsolutePath().getParent();
                while (!Files.exists(above)) {
                    above = above.getParent();
                }
                Files.delete(draft(above.resolve(place.path().getFileName()), access));
                return null;
            }
            String key = "doctor-" + Long.toHexString(new SecureRandom().nextLong());
            ListeningSocket.open(new StreamKey(key), requireUsable(opened), access)
                    .close();
            return null;
        } catch (IOException e) {
            return "cannot be made (" + e + ")";
        } catch (UnusableException | CuframesException e) {
            return e.getMessage();
        }
    }

    /** Under another name first, so that nobody finds it before it lets them through; its parents have the modes that directories usually have. */
    private static void make(Path place, Access access) throws IOException {
        Files.createDirectories(place.getParent());
        Path draft = draft(place, access);
        try {
            int result = Posix.tryRename(draft, place, Libc.RENAME_NOREPLACE);
            if (result != -Errno.EEXIST) { // otherwise another publisher was faster
                Posix.check(result, "making the socket directory " + place);
            }
        } finally {
            Files.deleteIfExists(draft);
        }
    }

    /** A directory beside a place, as it is to be there. */
    private static Path draft(Path place, Access access) throws IOException {
        Path draft = place.resolveSibling(".cuframes-" + Long.toHexString(new SecureRandom().nextLong()));
        Files.createDirectory(
                draft, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        try (Descriptor directory = Posix.open(draft, Libc.O_PATH | Libc.O_DIRECTORY | Libc.O_NOFOLLOW, 0)) {
            access.applyToDirectory(directory, "the socket directory " + place);
            return draft;
        } catch (RuntimeException e) {
            Files.deleteIfExists(draft);
            throw e;
        }
    }
}
