// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.doctor;

import io.cuframes.CuframesException;
import io.cuframes.Frame;
import io.cuframes.PublisherGoneException;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import io.cuframes.Transport;
import io.cuframes.ffm.Libc;
import io.cuframes.internal.connect.Observation;
import io.cuframes.internal.connect.Observer;
import io.cuframes.internal.connect.Place;
import io.cuframes.internal.connect.Sighting;
import io.cuframes.internal.connect.SocketDirectory;
import io.cuframes.internal.connect.StreamKey;
import io.cuframes.internal.connect.StreamSearch;
import io.cuframes.internal.cuda.Cuda;
import io.cuframes.internal.cuda.CudaDevice;
import io.cuframes.internal.cuda.ReaderDevice;
import io.cuframes.internal.os.FileStatus;
import io.cuframes.internal.os.PeerCredentials;
import io.cuframes.internal.os.Posix;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Goes the way of a subscriber to one stream, step by step, and stops at the first that fails. Up to {@link ReadStep#TRANSPORT} it only looks; then it
 * subscribes, reads one frame and goes. One thread at a time.
 */
public final class StreamExam {
    /** From which age on the newest frame is called old, nanoseconds: slower cameras are rare. */
    private static final long OLD_NANOS = 2_000_000_000;

    private static final Duration CONNECT_PATIENCE = Duration.ofSeconds(2);

    /** What came of it. */
    public enum Verdict {
        /** A frame was read. */
        READABLE,
        /** The key is none. */
        ILLEGAL_KEY,
        /** There is no publisher where it was looked for. */
        NO_PUBLISHER,
        /** There is one, or something in its place, and no frame was read. */
        UNREADABLE
    }

    /**
     * What was found.
     *
     * @param findings a step each; the last is the one that failed, if one did
     * @param verdict what came of it
     * @param heldNanos how long a place among the publisher's subscribers was taken; 0 if none was
     */
    public record Result(List<Finding> findings, Verdict verdict, long heldNanos) {}

    private final String name;
    private final Path socketDirectory;
    private final Duration patience;

    /** To read on: an ordinal, or {@link ReaderDevice#AUTOMATIC}. */
    private final int device;

    private final Doctor.Listener listener;
    private final List<Finding> findings = new ArrayList<>();
    private long heldNanos;

    /** When the publisher was asked for its observation, and when it had answered. */
    private long askedNanos;

    private long heardNanos;

    /**
     * For one stream.
     *
     * @param name the key, legal or not
     * @param socketDirectory the user's choice, or null for the usual places
     * @param patience how long to wait for a frame
     * @param device the GPU to read on, by its ordinal here, or {@link ReaderDevice#AUTOMATIC}
     * @param listener told of each finding as it is made
     */
    public StreamExam(String name, Path socketDirectory, Duration patience, int device, Doctor.Listener listener) {
        this.name = name;
        this.socketDirectory = socketDirectory;
        this.patience = patience;
        this.device = device;
        this.listener = listener;
    }

    /** Goes the way. Once only. */
    public Result examine() {
        Verdict verdict = go();
        return new Result(List.copyOf(findings), verdict, heldNanos);
    }

    private void tell(Finding finding) {
        findings.add(finding);
        listener.found(finding);
    }

    private void works(ReadStep step, Object subject, String found) {
        tell(Finding.works(step, subject.toString(), found));
    }

    private void fails(ReadStep step, Object subject, String found, String remedy) {
        tell(Finding.fails(step, subject.toString(), found, remedy));
    }

    private Verdict go() {
        StreamKey key;
        try {
            key = new StreamKey(name);
        } catch (CuframesException e) {
            fails(ReadStep.KEY, "", e.getMessage(), "use the key that the publisher was given");
            return Verdict.ILLEGAL_KEY;
        }
        works(ReadStep.KEY, "", "\"" + key + "\" is one");
        List<Place> places = places();
        if (places.isEmpty()) {
            return Verdict.NO_PUBLISHER;
        }
        Sighting sighting;
        try {
            sighting = find(key, places);
        } catch (CuframesException e) { // a path too long for a socket, or no descriptor left
            fails(
                    ReadStep.SOCKET,
                    key,
                    e.getMessage(),
                    "see what it says, or name another directory with --socket-dir");
            return Verdict.UNREADABLE;
        }
        Verdict hindrance = meet(sighting);
        if (hindrance != null) {
            return hindrance;
        }
        Observation stream = sighting.observation();
        ClockCheck clock = new ClockCheck(askedNanos, heardNanos, stream);
        boolean open = tellStream(stream)
                && tellClock(clock)
                && tellRoom(stream)
                && tellTransport(stream, sighting.listener())
                && read(key, clock);
        return open ? Verdict.READABLE : Verdict.UNREADABLE;
    }

    /** Those where a subscriber looks. */
    private List<Place> places() {
        List<Place> trusted = new ArrayList<>();
        List<String> texts = new ArrayList<>();
        for (SocketDirectory.Candidate candidate : SocketDirectory.look(socketDirectory)) {
            if (candidate.distrust() == null) {
                trusted.add(candidate.place());
                texts.add(candidate.place().toString());
            } else {
                texts.add(candidate.place() + " (left out, since it " + candidate.distrust() + ")");
            }
        }
        String found = "a subscriber of this user looks in " + String.join(", then ", texts);
        if (trusted.isEmpty()) {
            fails(ReadStep.PLACES, "", found, "name the publisher's socket directory with --socket-dir");
        } else {
            works(ReadStep.PLACES, "", found);
        }
        return trusted;
    }

    /** What a subscriber would find: it goes on to the next place where nobody answers, or only others may connect. */
    private Sighting find(StreamKey key, List<Place> places) {
        Sighting best = null;
        for (Place place : places) {
            askedNanos = System.nanoTime();
            Sighting here = Observer.look(key, place);
            heardNanos = System.nanoTime();
            switch (here.standing()) {
                case SEEN, OTHER_VERSION, BROKEN -> {
                    return here;
                }
                default -> {
                    if (best == null || best.standing() == Sighting.Standing.ABSENT) {
                        best = here;
                    }
                }
            }
        }
        if (best.standing() == Sighting.Standing.ABSENT) {
            Sighting segment = StreamSearch.lookAtSegment(key);
            if (segment != null && segment.standing() == Sighting.Standing.ELSEWHERE) {
                return segment;
            }
        }
        return best;
    }

    /** The steps up to being heard; null if that is what came of them. */
    private Verdict meet(Sighting sighting) {
        Object place = sighting.socket() == null ? sighting.key() : sighting.socket();
        switch (sighting.standing()) {
            case ABSENT, NO_SOCKET, ELSEWHERE -> {
                fails(ReadStep.SOCKET, place, sighting.found(), sighting.remedy());
                return Verdict.NO_PUBLISHER;
            }
            case FOREIGN -> {
                fails(ReadStep.LISTENER, place, sighting.found(), sighting.remedy());
                return Verdict.UNREADABLE;
            }
            case CLOSED -> {
                fails(ReadStep.PERMISSION, place, sighting.found() + modes(sighting.socket()), sighting.remedy());
                return Verdict.UNREADABLE;
            }
            default -> {
                works(ReadStep.SOCKET, place, "is there");
                works(ReadStep.PERMISSION, place, "user " + Libc.geteuid() + " may connect to it");
            }
        }
        if (sighting.listener() == null) {
            fails(ReadStep.LISTENER, place, sighting.found(), sighting.remedy());
            return sighting.standing() == Sighting.Standing.DEAD ? Verdict.NO_PUBLISHER : Verdict.UNREADABLE;
        }
        PeerCredentials who = sighting.listener();
        works(
                ReadStep.LISTENER,
                place,
                (who.pid() == 0 ? "a process of another pid namespace" : "process " + who.pid()) + ", of user "
                        + who.uid() + ", listens");
        switch (sighting.standing()) {
            case SEEN -> {
                works(
                        ReadStep.PROTOCOL,
                        "",
                        "is a publisher of protocol 1." + sighting.observation().minor());
                works(
                        ReadStep.USER,
                        "",
                        who.uid() == Libc.geteuid()
                                ? "admits user " + who.uid() + ", its own"
                                : "admits user " + Libc.geteuid() + " (group " + Libc.getegid() + ") besides its own, "
                                        + who.uid());
                return null;
            }
            case REFUSED -> {
                works(ReadStep.PROTOCOL, "", "is a publisher");
                fails(ReadStep.USER, "", sighting.found(), sighting.remedy());
            }
            default -> fails(ReadStep.PROTOCOL, "", sighting.found(), sighting.remedy());
        }
        return Verdict.UNREADABLE;
    }

    /** The modes that keep this user out, as far as it may see them. */
    private static String modes(Path socket) {
        StringBuilder modes = new StringBuilder();
        for (Path path : List.of(socket.toAbsolutePath().getParent(), socket)) {
            try {
                FileStatus status = Posix.status(path);
                if (status != null) {
                    modes.append("; ")
                            .append(path)
                            .append(" has mode ")
                            .append(Integer.toOctalString(status.permissions()))
                            .append(", user ")
                            .append(status.owner())
                            .append(", group ")
                            .append(status.group());
                }
            } catch (CuframesException e) {
                break; // closed above
            }
        }
        return modes.toString();
    }

    private boolean tellStream(Observation stream) {
        Observation.Shape shape = stream.shape();
        String what = shape.pixelFormat() + " " + shape.width() + "x" + shape.height() + " through " + shape.transport()
                + ", " + shape.slots() + " slots";
        if (stream.ended()) {
            fails(ReadStep.STREAM, what, "is ending", "start the publisher again, and try again");
            return false;
        }
        long age = stream.ageNanos();
        String newest = stream.counts().published() == 0
                ? "nothing was published yet"
                : age < 0
                        ? stream.counts().published() + " frames published"
                        : "newest frame " + milliseconds(age) + " ago";
        if (stream.idle()) {
            tell(Finding.note(
                    ReadStep.STREAM,
                    what,
                    "is idle: it publishes nothing until somebody reads (" + newest + ")",
                    "nothing to be done: subscribing, below, has it open its source"));
        } else if (age > OLD_NANOS || stream.counts().published() == 0) {
            tell(Finding.note(
                    ReadStep.STREAM,
                    what,
                    "stands still: " + newest,
                    "see whether the publisher's source delivers, and whether its process is stopped or hangs"));
        } else {
            works(ReadStep.STREAM, what, "is live: " + newest);
        }
        return true;
    }

    private boolean tellClock(ClockCheck clock) {
        tell(clock.finding());
        return true;
    }

    private boolean tellRoom(Observation stream) {
        int there = stream.readers().size();
        String found = there + " of " + stream.maxSubscribers() + " subscribers";
        if (there < stream.maxSubscribers()) {
            works(ReadStep.ROOM, "", found);
            return true;
        }
        String who = stream.readers().stream()
                .limit(8)
                .map(each -> (each.name().isEmpty() ? "" : each.name() + " ") + "("
                        + (each.pid() == 0 ? "a process of another pid namespace" : "process " + each.pid()) + ")")
                .collect(Collectors.joining(", "));
        fails(
                ReadStep.ROOM,
                "",
                found + ", all that it admits: " + who + (there > 8 ? " and others" : ""),
                "end one of them, or raise the publisher's maxSubscribers (rtsp-source --max-subscribers)");
        return false;
    }

    private boolean tellTransport(Observation stream, PeerCredentials publisher) {
        Transport transport = stream.shape().transport();
        if (!transport.isDevice()) {
            works(ReadStep.TRANSPORT, transport, "frames in host memory, which need nothing besides");
            return true;
        }
        listener.trying(ReadStep.TRANSPORT, transport.toString());
        String without = Cuda.whyUnavailable();
        if (without == null && transport == Transport.CUDA_IPC) {
            without = Cuda.whyNoRuntime();
        }
        if (without != null) {
            fails(
                    ReadStep.TRANSPORT,
                    transport,
                    "needs CUDA, which this process does not have: " + without,
                    "run cuframes doctor, without a key, for what to install; in a container, give it the GPU (--gpus all);"
                            + " or publish with transport HOST");
            return false;
        }
        CudaDevice reader;
        try {
            reader = ReaderDevice.choose(device, transport, stream.shape().device());
        } catch (CuframesException e) {
            fails(ReadStep.TRANSPORT, transport, e.getMessage(), "see what it says about the GPU");
            return false;
        }
        String split = transport == Transport.CUDA_IPC ? splitFrom(publisher) : null;
        if (split != null) {
            tell(Finding.note(
                    ReadStep.TRANSPORT,
                    transport.name(),
                    split,
                    "if reading fails below: share both namespaces (--ipc=host --pid=host), or publish with CUDA_VMM"));
        } else {
            works(
                    ReadStep.TRANSPORT,
                    transport,
                    reader.uuid().equals(stream.shape().device())
                            ? "reads on the ring's own device " + reader
                            : "the ring is on " + stream.shape().device() + "; reads on device " + reader
                                    + ", which has to reach it: tried below");
        }
        return true;
    }

    /** Which namespaces keep CUDA IPC from working between this process and another; null if none is known to. */
    private static String splitFrom(PeerCredentials publisher) {
        if (publisher.pid() == 0) {
            return "the publisher is in another pid namespace, over which CUDA IPC handles do not go";
        }
        try {
            Path own = Files.readSymbolicLink(Path.of("/proc/self/ns/ipc"));
            Path its = Files.readSymbolicLink(Path.of("/proc/" + publisher.pid() + "/ns/ipc"));
            return own.equals(its)
                    ? null
                    : "the publisher is in another ipc namespace, over which CUDA IPC handles do not go";
        } catch (IOException e) {
            return null; // another user's process does not say
        }
    }

    /** Goes where any subscriber of this choice goes, so that the same rules hold for it. */
    private boolean read(StreamKey key, ClockCheck clock) {
        listener.trying(ReadStep.SUBSCRIPTION, "");
        long start = System.nanoTime();
        Subscriber.Builder builder = Subscriber.builder(key.name())
                .socketDirectory(socketDirectory)
                .mode(SubscriberMode.NEWEST_ONLY)
                .connectTimeout(CONNECT_PATIENCE)
                .name("doctor");
        if (device != ReaderDevice.AUTOMATIC) {
            builder.device(device);
        }
        try (Subscriber subscriber = builder.open()) {
            start = System.nanoTime(); // what comes before is looking for the publisher, and making a context
            works(ReadStep.SUBSCRIPTION, "", "was admitted, and mapped the ring");
            listener.trying(ReadStep.FRAME, "");
            Finding frame = readFrame(subscriber, clock);
            subscriber.close();
            heldNanos = System.nanoTime() - start;
            tell(frame);
            return frame.outcome() != Outcome.FAILS;
        } catch (CuframesException e) {
            heldNanos = System.nanoTime() - start;
            boolean admitted = findings.getLast().check() == ReadStep.SUBSCRIPTION;
            fails(
                    admitted ? ReadStep.FRAME : ReadStep.SUBSCRIPTION,
                    "",
                    e.code() + ": " + e.getMessage(),
                    remedy(e, clock.stream().shape().transport()));
            return false;
        }
    }

    private static String remedy(CuframesException e, Transport transport) {
        return switch (e.code()) {
            case NO_SLOT -> "end a subscriber, or raise the publisher's maxSubscribers";
            case NOT_FOUND, DISCONNECTED, TIMEOUT -> "the publisher has ended or died meanwhile: try again";
            case CUDA, UNSUPPORTED ->
                transport == Transport.CUDA_IPC
                        ? "share the ipc and pid namespaces (--ipc=host --pid=host), or publish with CUDA_VMM or HOST"
                        : "run cuframes doctor, without a key, to see what of CUDA works here; or publish with transport HOST";
            case SYSTEM -> "see what the call says; ulimit -n and the container's limits are the usual ones";
            default -> "see what it says; --debug prints where it comes from";
        };
    }

    /** Waits for a frame and copies every byte of it. */
    private Finding readFrame(Subscriber subscriber, ClockCheck clock) {
        try (Frame frame = subscriber.next(patience)) {
            if (frame == null) {
                return Finding.fails(
                        ReadStep.FRAME,
                        "",
                        "none came within " + milliseconds(patience.toNanos())
                                + (subscriber.isPublisherIdle() ? ", and the publisher is idle" : ""),
                        "see whether the publisher's source delivers, and whether its process is stopped or hangs;"
                                + " a source that is only opened now may take longer: --timeout");
            }
            long bytes = frame.format().frameBytes();
            try (Arena arena = Arena.ofConfined()) {
                frame.copyTo(arena.allocate(bytes));
            }
            long now = System.nanoTime();
            long age = now - frame.publishTimeNanos();
            if (!clock.isPossibleAge(age, now)) {
                return clock.notStated("frame " + frame.seq() + ": " + bytes + " bytes were read");
            }
            String found = "frame " + frame.seq() + ": " + bytes + " bytes were read, " + milliseconds(Math.max(0, age))
                    + " after it was published";
            return age > OLD_NANOS && !clock.stream().idle()
                    ? Finding.note(
                            ReadStep.FRAME,
                            "",
                            found,
                            "it is old: the publisher stands still; see whether its source delivers")
                    : Finding.works(ReadStep.FRAME, "", found);
        } catch (PublisherGoneException e) {
            return Finding.fails(ReadStep.FRAME, "", e.getMessage(), "start the publisher again, and see why it went");
        }
    }

    private static String milliseconds(long nanos) {
        return nanos >= 10_000_000_000L
                ? nanos / 1_000_000_000 + " s"
                : nanos >= 1_000_000_000
                        ? String.format(Locale.ROOT, "%.1f s", nanos / 1e9)
                        : nanos / 1_000_000 + " ms";
    }
}
