// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.Errno;
import io.cuframes.ffm.Libc;
import io.cuframes.internal.connect.Sighting.Standing;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.FileStatus;
import io.cuframes.internal.os.PeerCredentials;
import io.cuframes.internal.os.Posix;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Finds the streams that this process could read: by their sockets, and where a directory lets through but does not let itself be listed, by the
 * names of the segments in {@code /dev/shm}. Nobody is subscribed to. Thread-safe.
 */
public final class StreamSearch {
    private static final String SOCKET_ENDING = ".sock";
    private static final String SEGMENT_BEGINNING = "cuframes-";

    /** At a time: a publisher that hangs takes 2 s, and should not keep all others waiting. */
    private static final int MOST_AT_A_TIME = 8;

    /**
     * A directory where sockets may be.
     *
     * @param directory which
     * @param trouble why it was not looked into, or not wholly; "" if it was
     * @param remedy what to do about it; "" if there is nothing to be done
     */
    public record Look(Path directory, String trouble, String remedy) {}

    /**
     * What was found.
     *
     * @param places where it was looked, in the order in which a subscriber looks
     * @param streams by key, then by place
     */
    public record Result(List<Look> places, List<Sighting> streams) {}

    private final List<Place> candidates;
    private final Path segmentDirectory;

    /**
     * For the places where a subscriber with that choice would look.
     *
     * @param socketDirectory the caller's choice, or null for property, variable and usual places
     */
    public StreamSearch(Path socketDirectory) {
        this(SocketDirectory.candidates(socketDirectory), StreamKey.segmentDirectory());
    }

    StreamSearch(List<Place> candidates, Path segmentDirectory) {
        this.candidates = candidates;
        this.segmentDirectory = segmentDirectory;
    }

    /** A name to be looked at. */
    private record Target(StreamKey key, Place place, boolean listed) {}

    /** Looks once. */
    public Result look() {
        List<Look> places = new ArrayList<>();
        List<Target> targets = new ArrayList<>();
        Set<String> segments = segmentKeys();
        for (Place place : candidates) {
            try (OpenedPlace opened = OpenedPlace.open(place)) {
                places.add(look(opened, segments, targets));
            } catch (CuframesException e) {
                places.add(new Look(place.path(), "cannot be opened: " + e.getMessage(), "see what the call says"));
            }
        }
        List<Sighting> found = new ArrayList<>(lookAt(targets));
        if (candidates.size() > 1) { // where one directory was chosen, streams of others are none of the caller's
            Set<String> seen = new TreeSet<>();
            found.forEach(each -> seen.add(each.key().name()));
            segments.stream()
                    .filter(name -> !seen.contains(name))
                    .map(name -> lookAtSegment(new StreamKey(name)))
                    .filter(each -> each != null)
                    .forEach(found::add);
        }
        found.sort(Comparator.comparing((Sighting each) -> each.key().name())
                .thenComparing(
                        each -> each.socket() == null ? "" : each.socket().toString()));
        return new Result(List.copyOf(places), List.copyOf(found));
    }

    /** Collects what there is to look at in one directory. */
    private static Look look(OpenedPlace opened, Set<String> segments, List<Target> targets) {
        Path directory = opened.path();
        switch (opened.state()) {
            case ABSENT -> {
                return new Look(directory, "does not exist", "");
            }
            case DISTRUSTED -> {
                return new Look(
                        directory,
                        opened.trouble() + ": not looked into, since anybody could have made it",
                        "if these streams are wanted, name it with --socket-dir");
            }
            case NO_DIRECTORY, CLOSED -> {
                return new Look(
                        directory,
                        "cannot be listed: " + opened.trouble(),
                        "see that it is a directory that this user can get to, or name another");
            }
            case OPEN -> {}
        }
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(opened.inside(""), "*" + SOCKET_ENDING)) {
            files.forEach(file -> names.add(file.getFileName().toString()));
        } catch (AccessDeniedException e) {
            return closed(opened, segments, targets);
        } catch (IOException | DirectoryIteratorException e) {
            Posix.requireProc();
            return new Look(directory, "cannot be listed: " + e, "see that it is a directory, or name another");
        }
        for (String name : names) {
            String key = name.substring(0, name.length() - SOCKET_ENDING.length());
            if (StreamKey.isLegal(key)) {
                targets.add(new Target(new StreamKey(key), opened.place(), true));
            }
        }
        return new Look(directory, "", "");
    }

    /** One that cannot be listed may let through who knows a name. */
    private static Look closed(OpenedPlace opened, Set<String> segments, List<Target> targets) {
        for (String key : segments) {
            targets.add(new Target(new StreamKey(key), opened.place(), false));
        }
        return new Look(
                opened.path(),
                "cannot be listed by user " + Libc.geteuid() + " (" + opened.describe()
                        + "): only the keys that have a segment in " + StreamKey.segmentDirectory() + " were tried",
                "run this as the directory's user or as root");
    }

    private Set<String> segmentKeys() {
        Set<String> keys = new TreeSet<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(segmentDirectory, SEGMENT_BEGINNING + "*")) {
            for (Path file : files) {
                String key = file.getFileName().toString().substring(SEGMENT_BEGINNING.length());
                if (StreamKey.isLegal(key)) {
                    keys.add(key);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            return keys; // sockets are what counts
        }
        return keys;
    }

    private static List<Sighting> lookAt(List<Target> targets) {
        if (targets.isEmpty()) {
            return List.of();
        }
        ExecutorService workers = Executors.newFixedThreadPool(
                Math.min(MOST_AT_A_TIME, targets.size()),
                Thread.ofPlatform().daemon().name("cuframes-observer-", 0).factory());
        try {
            List<Future<Sighting>> looks = targets.stream()
                    .map(target -> workers.submit(() -> lookAt(target)))
                    .toList();
            List<Sighting> found = new ArrayList<>();
            for (int i = 0; i < looks.size(); i++) {
                Sighting sighting = looks.get(i).get();
                // What was only a guess, or has ended since the directory was listed, is not there.
                if (sighting.standing() != Standing.ABSENT) {
                    found.add(sighting);
                }
            }
            return found;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CuframesException(ErrorCode.TIMEOUT, "interrupted while looking for streams", e);
        } catch (ExecutionException e) {
            throw new CuframesException(ErrorCode.INTERNAL, "looking for streams failed: " + e.getCause(), e);
        } finally {
            workers.shutdownNow();
        }
    }

    private static Sighting lookAt(Target target) {
        Path socket = target.key().socketPath(target.place().path());
        try {
            Sighting sighting = Observer.look(target.key(), target.place());
            // Behind a directory that this user may not pass there is nothing to be said of one key or another.
            boolean unseen = !target.listed()
                    && sighting.standing() == Standing.CLOSED
                    && !Files.exists(socket, LinkOption.NOFOLLOW_LINKS);
            return unseen ? Sighting.of(target.key(), socket, Standing.ABSENT, sighting.found()) : sighting;
        } catch (CuframesException e) {
            return Sighting.of(target.key(), socket, Standing.BROKEN, e.getMessage());
        }
    }

    /** Says of a segment whose socket was not found whose it is; null if there is none. */
    public static Sighting lookAtSegment(StreamKey key) {
        Path path = key.segmentPath();
        int fd = Posix.tryOpen(path, Libc.O_RDONLY | Libc.O_NOFOLLOW | Libc.O_NONBLOCK, 0);
        if (fd < 0) {
            FileStatus status = fd == -Errno.ENOENT ? null : Posix.status(path);
            return status == null
                    ? null
                    : Sighting.of(
                            key,
                            null,
                            Standing.ELSEWHERE,
                            "has a segment of user " + status.owner() + " in " + path.getParent()
                                    + ", which this user cannot open, and no socket where it was looked for");
        }
        try (Descriptor segment = new Descriptor(fd)) {
            if (!Posix.isLocked(segment, path.toString())) {
                return Sighting.of(
                        key, null, Standing.DEAD, "has a segment that is left over from a publisher that died");
            }
            String pid = SegmentFile.pidOf(segment);
            Sighting found = Sighting.of(
                    key,
                    null,
                    Standing.ELSEWHERE,
                    "is published by process " + pid + ", whose socket is not where it was looked for");
            FileStatus status = Posix.status(segment, path.toString());
            return pid.equals("unknown")
                    ? found
                    : found.by(new PeerCredentials(Integer.parseInt(pid), status.owner(), status.group()));
        } catch (CuframesException e) {
            return Sighting.of(key, null, Standing.BROKEN, e.getMessage());
        }
    }
}
