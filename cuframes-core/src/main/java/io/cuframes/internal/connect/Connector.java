// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.SubscriberMode;
import io.cuframes.Transport;
import io.cuframes.ffm.Errno;
import io.cuframes.ffm.Libc;
import io.cuframes.ffm.Pollfd;
import io.cuframes.ffm.SocketMessage;
import io.cuframes.internal.cuda.ReaderDevice;
import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.os.Timeout;
import io.cuframes.internal.os.UnixAddress;
import io.cuframes.internal.protocol.MessageDescriptor;
import io.cuframes.internal.protocol.RejectCode;
import io.cuframes.internal.protocol.SegmentDescriptor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.StringJoiner;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Finds a publisher and shakes hands with it (docs/protocol.md, section 6). */
public final class Connector {
    private static final long HANDSHAKE_NANOS = 2_000_000_000;
    private static final long RETRY_NANOS = 20_000_000;
    private static final long LONGEST_RETRY_NANOS = 500_000_000;
    private static final int CANCEL_MILLIS = 50;

    private static final int MAX_NAME = MessageDescriptor.HELLO_NAME_LENGTH - 1;

    private final StreamKey key;
    private final List<Place> places;
    private final SubscriberMode mode;
    private final String name;
    private final int device;

    /**
     * For one subscriber.
     *
     * @param key the stream
     * @param socketDirectory where to look, or null for the usual places
     * @param mode told to the publisher
     * @param name told to the publisher, at most 63 printable ASCII characters
     * @param device the GPU to read on, by its ordinal here, or {@link ReaderDevice#AUTOMATIC}
     */
    public Connector(StreamKey key, Path socketDirectory, SubscriberMode mode, String name, int device) {
        if (name.length() > MAX_NAME || !name.chars().allMatch(c -> c >= 0x20 && c < 0x7f)) {
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT,
                    "a subscriber's name has at most " + MAX_NAME + " printable ASCII characters: \"" + name + "\"");
        }
        this.key = key;
        this.places = SocketDirectory.candidates(socketDirectory);
        this.mode = mode;
        this.name = name;
        this.device = device;
    }

    /** What the subscriber calls itself; may be empty. */
    public String name() {
        return name;
    }

    /**
     * Connects, trying again until the timeout while there is no publisher, and while something fails that may pass.
     *
     * @param timeout how long to try; once at least, whatever it is
     * @param cancelled asked every 50 ms at the latest: give up
     * @throws CuframesException code NOT_FOUND if no publisher answered, ACCESS_DENIED if there is no place to look, what failed last if that may pass
     *     and did not in time, and others where a publisher answered and it cannot be
     */
    public Connection connect(Duration timeout, BooleanSupplier cancelled) {
        long nanos = Timeout.nanos(timeout);
        long deadline = System.nanoTime() + nanos;
        long pause = RETRY_NANOS;
        while (true) {
            Round round = new Round();
            Connection connection = round.play(cancelled);
            if (connection != null) {
                return connection;
            }
            if (round.isHopeless() || System.nanoTime() - deadline >= 0 || cancelled.getAsBoolean()) {
                throw round.outcome(nanos);
            }
            LockSupport.parkNanos(pause);
            // What fails beyond the first step may cost the publisher something, too.
            pause = round.failed == null ? RETRY_NANOS : Math.min(2 * pause, LONGEST_RETRY_NANOS);
            if (Thread.interrupted()) {
                Thread.currentThread().interrupt();
                throw new CuframesException(
                        ErrorCode.TIMEOUT, "interrupted while waiting for a publisher of \"" + key + "\"");
            }
        }
    }

    /**
     * Tries once, for a subscriber that was admitted before: what keeps it from the socket now may pass, too, as while a supervisor makes the directory again.
     *
     * @param cancelled asked every 50 ms at the latest: give up
     * @throws CuframesException as {@link #connect}, but code NOT_FOUND where the file system refuses
     */
    public Connection reconnect(BooleanSupplier cancelled) {
        Round round = new Round();
        Connection connection = round.play(cancelled);
        if (connection != null) {
            return connection;
        }
        if (round.closed != null && round.refused == null && round.failed == null) {
            throw new CuframesException(
                    ErrorCode.NOT_FOUND,
                    "no publisher of \"" + key + "\" can be reached now: " + round.reasons(),
                    round.closed);
        }
        throw round.outcome(0);
    }

    /** One try at every place, and why there was nobody, so far as there is something to try again for. */
    private final class Round {
        private StringJoiner absent = new StringJoiner("; ");

        /** The file system closes a place, or all of them; null if none. */
        private ClosedPlaceException closed;

        /** What else it closes. */
        private final StringJoiner alsoClosed = new StringJoiner("; ");

        /** A publisher does not admit this user; null if none. */
        private CuframesException refused;

        /** What failed and may pass; null if nothing. */
        private CuframesException failed;

        Connection play(BooleanSupplier cancelled) {
            int distrusted = 0;
            for (Place place : places) {
                try (OpenedPlace opened = OpenedPlace.open(place)) {
                    distrusted += opened.state() == OpenedPlace.State.DISTRUSTED ? 1 : 0;
                    Connection connection = tryConnect(opened, absent, cancelled);
                    if (connection != null) {
                        return connection;
                    }
                } catch (ClosedPlaceException e) { // the key may be in the next
                    noteClosed(e);
                } catch (CuframesException e) {
                    note(e);
                }
            }
            if (distrusted == places.size()) {
                closed = new ClosedPlaceException(
                        SocketDirectory.nowhere(List.of(absent.toString())).getMessage());
                absent = new StringJoiner("; "); // it is in that text
            }
            return null;
        }

        private void noteClosed(ClosedPlaceException e) {
            if (closed == null) {
                closed = e;
            } else {
                alsoClosed.add(e.getMessage());
            }
        }

        /** Where one of several places is another user's, the key may be in the next. */
        private void note(CuframesException e) {
            if (e.isPassing()) {
                failed = e;
            } else if (e.code() == ErrorCode.ACCESS_DENIED && places.size() > 1) {
                refused = e;
            } else {
                throw e;
            }
        }

        /** Whether nothing but closed places was found: for a subscriber that was never admitted, that is how it is. */
        boolean isHopeless() {
            return closed != null && refused == null && failed == null && absent.length() == 0;
        }

        String reasons() {
            StringJoiner reasons = new StringJoiner("; ");
            if (closed != null) {
                reasons.add(closed.getMessage());
            }
            if (alsoClosed.length() > 0) {
                reasons.add(alsoClosed.toString());
            }
            if (absent.length() > 0) {
                reasons.add((closed == null ? "" : "elsewhere: ") + absent);
            }
            return reasons.toString();
        }

        CuframesException outcome(long nanos) {
            if (refused != null) {
                return refused;
            }
            if (failed != null) {
                return failed;
            }
            return closed == null
                    ? new CuframesException(
                            ErrorCode.NOT_FOUND,
                            "no publisher of \"" + key + "\" within " + TimeUnit.NANOSECONDS.toMillis(nanos) + " ms: "
                                    + absent + "; start one, or check the key and the socket directory")
                    : new CuframesException(ErrorCode.ACCESS_DENIED, reasons(), closed);
        }
    }

    /** The modes of files, or whose they are, keep this process from a place where the socket may be. */
    private static final class ClosedPlaceException extends CuframesException {
        private static final long serialVersionUID = 1L;

        ClosedPlaceException(String message) {
            super(ErrorCode.ACCESS_DENIED, message);
        }
    }

    /** One try at one place; null, and a reason, if nobody is there. */
    private Connection tryConnect(OpenedPlace opened, StringJoiner absent, BooleanSupplier cancelled) {
        Path name = key.socketPath(opened.path());
        if (!opened.isOpen()) {
            absent.add(whyNotOpen(opened, name));
            return null;
        }
        Faults.reach(FaultPoint.PLACE_OPENED);
        UnixAddress address = opened.address(key.socketFile());
        Descriptor socket = new Descriptor(Posix.check(
                Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC | Libc.SOCK_NONBLOCK, 0),
                "making a socket"));
        boolean kept = false;
        try {
            int result = address.connect(socket);
            if (result < 0) {
                absent.add(whyAbsent(result, opened, name));
                return null;
            }
            String distrust = opened.distrust(Posix.peer(socket));
            if (distrust != null) {
                absent.add(name + " " + distrust);
                return null;
            }
            kept = true; // greet closes it, or hands it to the connection
            return greet(socket, address, absent, cancelled);
        } finally {
            if (!kept) {
                socket.close();
            }
        }
    }

    /** Why a place was passed over; throws where trying again would not help. */
    private String whyNotOpen(OpenedPlace opened, Path name) {
        return switch (opened.state()) {
            case ABSENT -> {
                new UnixAddress(name); // throws if it cannot be one, whether it is there or not
                yield name + " does not exist";
            }
            case CLOSED -> whyClosed(name, opened.path() + " " + opened.trouble());
            case DISTRUSTED -> opened.path() + " is passed over: it " + opened.trouble();
            case NO_DIRECTORY, OPEN -> opened.path() + " " + opened.trouble();
        };
    }

    /** Why nobody answers; throws where trying again would not help. */
    private String whyAbsent(int result, OpenedPlace opened, Path name) {
        return switch (-result) {
            case Errno.ENOENT -> {
                Posix.requireProc();
                yield name + " does not exist";
            }
            case Errno.ECONNREFUSED -> name + " is left over from a publisher that died";
            case Errno.EAGAIN -> name + " is too busy to answer";
            case Errno.ENOTDIR -> name + " is not in a directory";
            case Errno.EACCES -> {
                String detail = "the directory has " + opened.describe();
                if (opened.canSee(key.socketFile())) {
                    throw closed(name, detail);
                }
                yield whyClosed(name, detail);
            }
            default -> throw Posix.failure("connecting to " + name, -result);
        };
    }

    /** Nobody knows what is in a directory that is closed: where it is one of several places, the key may come up in the next. */
    private String whyClosed(Path name, String detail) {
        ClosedPlaceException closed = closed(name, detail);
        if (places.size() == 1) {
            throw closed;
        }
        return closed.getMessage();
    }

    private static ClosedPlaceException closed(Path name, String detail) {
        return new ClosedPlaceException(
                "the socket " + name + " or its directory is closed to user " + Libc.geteuid() + " (group "
                        + Libc.getegid() + "; " + detail + "): run the subscriber as the publisher's user or in its"
                        + " group, or have the publisher allow it (Publisher.Builder.allowUsers, allowGroups;"
                        + " rtsp-source --allow-user, --allow-group)");
    }

    private Connection greet(Descriptor socket, UnixAddress address, StringJoiner absent, BooleanSupplier cancelled) {
        boolean kept = false;
        try (Arena arena = Arena.ofConfined();
                SocketMessage message = new SocketMessage(MessageDescriptor.MAX_LENGTH, arena)) {
            Faults.reach(FaultPoint.CONNECTED);
            int length = Messages.encode(hello(), message.payload());
            long sent = message.send(socket.fd(), 0, length, 0);
            Faults.reach(FaultPoint.HELLO_SENT);
            // One that turns us away need not hear us out: what it said is there to be read.
            boolean mayAnswer = sent == length || sent == -Errno.EPIPE || sent == -Errno.ECONNRESET;
            if (!mayAnswer || !receive(socket, message, arena, cancelled)) {
                absent.add(address.name() + " closed the connection or did not answer");
                return null;
            }
            Faults.reach(FaultPoint.WELCOME_READ);
            MemorySegment payload = message.payload();
            int received = Messages.length(payload);
            return switch (Messages.type(payload)) {
                case MessageDescriptor.WELCOME -> {
                    Messages.Welcome welcome = Messages.decodeWelcome(payload, received);
                    Connection connection;
                    try {
                        connection = welcomed(socket, welcome, message);
                    } catch (Connection.PublisherLostException e) { // its successor is the one to find
                        absent.add(address.name() + " ended or died as its ring was mapped");
                        yield null;
                    }
                    kept = true; // the connection's
                    if (connection.isEnded()) { // let in at the last moment: its successor is the one to find
                        connection.close();
                        absent.add(address.name() + " is ending");
                        yield null;
                    }
                    yield connection;
                }
                case MessageDescriptor.REJECT -> {
                    absent.add(address.name() + " " + whyPassing(Messages.decodeReject(payload, received)));
                    yield null;
                }
                default -> throw bad("a message of type " + Messages.type(payload));
            };
        } finally {
            if (!kept) {
                socket.close();
            }
        }
    }

    private Messages.Hello hello() {
        int transports = 1 << Transport.HOST.code() | 1 << Transport.CUDA_IPC.code() | 1 << Transport.CUDA_VMM.code();
        return new Messages.Hello(
                SegmentDescriptor.MAJOR,
                SegmentDescriptor.MINOR,
                transports,
                mode.code(),
                (int) ProcessHandle.current().pid(),
                name);
    }

    /** Reads one whole message; false if the other end closed or was silent for too long, or nobody wants it any more. */
    private boolean receive(Descriptor socket, SocketMessage message, Arena arena, BooleanSupplier cancelled) {
        MemorySegment poll = arena.allocate(Pollfd.LAYOUT);
        poll.set(JAVA_INT, Pollfd.FD_OFFSET, socket.fd());
        poll.set(JAVA_SHORT, Pollfd.EVENTS_OFFSET, (short) Libc.POLLIN);
        long deadline = System.nanoTime() + HANDSHAKE_NANOS;
        int filled = 0;
        int wanted = MessageDescriptor.HEADER_LENGTH;
        while (filled < wanted) {
            long left = deadline - System.nanoTime();
            if (left <= 0 || cancelled.getAsBoolean()) {
                return false;
            }
            Libc.poll(poll.address(), 1, (int) Math.min(CANCEL_MILLIS, left / 1_000_000 + 1));
            long received = message.receive(socket.fd(), filled, wanted - filled, Libc.MSG_DONTWAIT);
            if (received == -Errno.EAGAIN || received == -Errno.EINTR) {
                continue;
            }
            if (received == -Errno.EMFILE) { // the kernel left out what this process may not have
                throw Posix.failure("receiving the descriptors that a publisher sends", Errno.EMFILE);
            }
            if (received == -Errno.EMSGSIZE) {
                throw bad("more descriptors than any message has");
            }
            if (received <= 0) {
                return false;
            }
            filled += (int) received;
            if (filled == MessageDescriptor.HEADER_LENGTH) {
                wanted = Messages.length(message.payload());
                if (!Messages.isLegalLength(wanted)) {
                    throw bad("a message that claims " + Integer.toUnsignedString(wanted) + " bytes");
                }
            }
        }
        return true;
    }

    private Connection welcomed(Descriptor socket, Messages.Welcome welcome, SocketMessage message) {
        Descriptor[] descriptors = new Descriptor[message.descriptorCount()];
        try {
            for (int i = 0; i < descriptors.length; i++) {
                descriptors[i] = new Descriptor(message.takeDescriptor());
            }
            String fault = fault(welcome, descriptors.length);
            if (fault != null) {
                throw bad(fault);
            }
            return new Connection(key, socket, welcome, descriptors, device);
        } finally {
            for (Descriptor descriptor : descriptors) {
                if (descriptor != null) {
                    descriptor.close();
                }
            }
        }
    }

    private static String fault(Messages.Welcome welcome, int descriptors) {
        if (welcome == null) {
            return "a WELCOME of another length than a WELCOME has";
        }
        if (welcome.major() != SegmentDescriptor.MAJOR) {
            return "a WELCOME of protocol version " + welcome.major() + "." + welcome.minor()
                    + ", and this library speaks " + SegmentDescriptor.MAJOR + "." + SegmentDescriptor.MINOR
                    + ": use the same release on both sides";
        }
        if (welcome.descriptors() != descriptors || descriptors < 2) {
            return "a WELCOME that announces " + welcome.descriptors() + " descriptors and brings " + descriptors;
        }
        return null;
    }

    /** What a REJECT says, if trying again may help; otherwise throws it. */
    private String whyPassing(Messages.Reject reject) {
        if (reject == null) {
            throw bad("a REJECT that does not make sense");
        }
        if (!reject.code().isPassing()) {
            throw new CuframesException(
                    reject.code().error(),
                    "the publisher of \"" + key + "\" refused (" + reject.code() + "): " + reject.text());
        }
        return reject.code() == RejectCode.ENDING ? "is ending" : "is busy (" + reject.text() + ")";
    }

    private CuframesException bad(String what) {
        return new CuframesException(
                ErrorCode.PROTOCOL, "what listens for \"" + key + "\" does not follow the protocol: it sent " + what);
    }
}
