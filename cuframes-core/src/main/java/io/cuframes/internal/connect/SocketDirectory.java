// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.Errno;
import io.cuframes.ffm.Libc;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.FileStatus;
import io.cuframes.internal.os.Posix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Where the sockets are (docs/protocol.md, section 2). */
public final class SocketDirectory {
    /** The system property that names the directory. */
    public static final String PROPERTY = "cuframes.socketDir";

    /** The environment variable that names the directory. */
    public static final String VARIABLE = "CUFRAMES_SOCKET_DIR";

    private SocketDirectory() {}

    /** The one place that was chosen, by option, property or variable, best first; else the usual ones. */
    static List<Path> candidates(Path option, String property, Map<String, String> environment) {
        if (option != null) {
            return List.of(option);
        }
        if (property != null && !property.isEmpty()) {
            return List.of(Path.of(property));
        }
        String variable = environment.get(VARIABLE);
        if (variable != null && !variable.isEmpty()) {
            return List.of(Path.of(variable));
        }
        List<Path> places = new ArrayList<>();
        places.add(Path.of("/run/cuframes"));
        String runtime = environment.get("XDG_RUNTIME_DIR");
        if (runtime != null && !runtime.isEmpty()) {
            places.add(Path.of(runtime, "cuframes"));
        }
        places.add(Path.of("/tmp/cuframes-" + Libc.geteuid()));
        return places;
    }

    /**
     * The one place that was chosen, or the usual ones, best first.
     *
     * @param option the caller's choice, or null
     */
    static List<Path> candidates(Path option) {
        return candidates(option, System.getProperty(PROPERTY), System.getenv());
    }

    /**
     * The first place where a publisher can put a socket, made if it is not there.
     *
     * @param option the caller's choice, or null
     * @param access who goes through a directory that is made
     * @throws CuframesException code ACCESS_DENIED if there is none, naming each place and what is wrong with it
     */
    public static Path forPublisher(Path option, Access access) {
        return choose(option, place -> prepare(place, access));
    }

    /**
     * The place that {@link #forPublisher} would choose, found by making a socket, or the directory if there is none, and removing it again.
     *
     * @param option the caller's choice, or null
     * @param access who is to go through
     * @throws CuframesException code ACCESS_DENIED if there is none, naming each place and what is wrong with it
     */
    public static Path rehearse(Path option, Access access) {
        return choose(option, place -> rehearseAt(place, access));
    }

    /** The first of the candidates with no reason against it. */
    private static Path choose(Path option, Function<Path, String> against) {
        List<Path> places = candidates(option);
        List<String> reasons = new ArrayList<>();
        for (Path place : places) {
            String reason = places.size() == 1 ? null : distrust(place);
            reason = reason == null ? against.apply(place) : reason;
            if (reason == null) {
                return place;
            }
            reasons.add(place + ": " + reason);
        }
        throw nowhere(reasons);
    }

    /**
     * Those of the candidates where a subscriber may look for a socket now. One that is not there yet is anyone's to make: ask again before each
     * look.
     *
     * @throws CuframesException code ACCESS_DENIED if there is none, naming each place and what is wrong with it
     */
    static List<Path> forSubscriber(List<Path> places) {
        if (places.size() == 1) {
            return places;
        }
        List<Path> trusted =
                places.stream().filter(place -> distrust(place) == null).toList();
        if (trusted.isEmpty()) {
            throw nowhere(
                    places.stream().map(place -> place + ": " + distrust(place)).toList());
        }
        return trusted;
    }

    /**
     * A place where a subscriber may look.
     *
     * @param directory which
     * @param distrust why it does not, now; null if it does
     */
    public record Candidate(Path directory, String distrust) {}

    /**
     * The places where a subscriber with that choice looks, best first.
     *
     * @param option the caller's choice, or null
     */
    public static List<Candidate> look(Path option) {
        List<Path> places = candidates(option);
        return places.stream()
                .map(place -> new Candidate(place, places.size() == 1 ? null : distrust(place)))
                .toList();
    }

    private static CuframesException nowhere(List<String> reasons) {
        return new CuframesException(
                ErrorCode.ACCESS_DENIED,
                "no directory for the socket: " + String.join("; ", reasons) + "; name one with --socket-dir, -D"
                        + PROPERTY + " or " + VARIABLE);
    }

    /** Why a usual place, which is anyone's to make, may hold somebody else's sockets; null if only this user and root can have put them there. */
    static String distrust(Path place) {
        try {
            FileStatus status = Posix.status(place);
            boolean trusted = status == null || status.owner() == 0 || status.owner() == Libc.geteuid();
            return trusted ? null : "belongs to user " + status.owner();
        } catch (CuframesException e) {
            return e.getMessage();
        }
    }

    /** Makes the directory if need be; null if it can be used, else why not. */
    private static String prepare(Path place, Access access) {
        if (!Files.exists(place)) {
            try {
                make(place.toAbsolutePath(), access);
            } catch (IOException | CuframesException e) {
                return "cannot be made (" + (e instanceof CuframesException ? e.getMessage() : e) + ")";
            }
        }
        return unusable(place);
    }

    private static String unusable(Path place) {
        if (!Files.isDirectory(place)) {
            return "is not a directory";
        }
        return Files.isWritable(place) ? null : "is not writable for this user";
    }

    private static String rehearseAt(Path place, Access access) {
        try {
            if (!Files.exists(place)) {
                Path above = place.toAbsolutePath().getParent();
                while (!Files.exists(above)) {
                    above = above.getParent();
                }
                Files.delete(draft(above.resolve(place.getFileName()), access));
                return null;
            }
            String reason = unusable(place);
            if (reason == null) {
                String key = "doctor-" + Long.toHexString(new SecureRandom().nextLong());
                ListeningSocket.open(new StreamKey(key), place, access).close();
            }
            return reason;
        } catch (IOException e) {
            return "cannot be made (" + e + ")";
        } catch (CuframesException e) {
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
        Path draft =
                place.resolveSibling("." + place.getFileName() + "-" + Long.toHexString(new SecureRandom().nextLong()));
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
