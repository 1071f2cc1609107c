// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.Libc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Where the sockets are (docs/protocol.md, section 2). */
public final class SocketDirectory {
    /** The system property that names the directory. */
    public static final String PROPERTY = "cuframes.socketDir";

    /** The environment variable that names the directory. */
    public static final String VARIABLE = "CUFRAMES_SOCKET_DIR";

    private SocketDirectory() {}

    /**
     * The places to look for a socket, best first.
     *
     * @param option the caller's choice, or null
     */
    public static List<Path> candidates(Path option) {
        return candidates(option, System.getProperty(PROPERTY), System.getenv());
    }

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
     * The first place where a publisher can put a socket, made if it is not there.
     *
     * @param option the caller's choice, or null
     * @throws CuframesException code ACCESS_DENIED if there is none, naming each place and what is wrong with it
     */
    public static Path forPublisher(Path option) {
        List<String> reasons = new ArrayList<>();
        for (Path place : candidates(option)) {
            String reason = prepare(place);
            if (reason == null) {
                return place;
            }
            reasons.add(place + ": " + reason);
        }
        throw new CuframesException(
                ErrorCode.ACCESS_DENIED,
                reasons.stream()
                        .collect(Collectors.joining(
                                "; ",
                                "no directory for the socket: ",
                                "; name a writable one with --socket-dir, -D" + PROPERTY + " or " + VARIABLE)));
    }

    /** Makes the directory if need be; null if it can be used, else why not. */
    private static String prepare(Path place) {
        if (!Files.exists(place)) {
            try {
                Files.createDirectories(
                        place, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxrwx---")));
            } catch (IOException e) {
                return "cannot be made (" + e + ")";
            }
        }
        if (!Files.isDirectory(place)) {
            return "is not a directory";
        }
        return Files.isWritable(place) ? null : "is not writable for this user";
    }
}
