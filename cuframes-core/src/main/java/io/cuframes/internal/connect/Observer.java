// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.Errno;
import io.cuframes.ffm.Libc;
import io.cuframes.ffm.Pollfd;
import io.cuframes.ffm.SocketMessage;
import io.cuframes.internal.connect.Sighting.Standing;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.FileStatus;
import io.cuframes.internal.os.NativeCalls;
import io.cuframes.internal.os.PeerCredentials;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.os.UnixAddress;
import io.cuframes.internal.protocol.MessageDescriptor;
import io.cuframes.internal.protocol.ObservationDescriptor;
import io.cuframes.internal.protocol.SegmentDescriptor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * Asks a publisher what there is to see of its stream, without being a subscriber (docs/protocol.md, section 6.8): no slot, no lease, no control
 * page, nothing mapped. Whatever is at the other end, an answer comes within {@link #PATIENCE_NANOS}, and it is no exception. Thread-safe.
 */
public final class Observer {
    /** That of any handshake. */
    static final long PATIENCE_NANOS = 2_000_000_000;

    private static final String NAME = "observer";

    private final StreamKey key;
    private final Place place;
    private final Path socketPath;

    private Observer(StreamKey key, Place place) {
        this.key = key;
        this.place = place;
        this.socketPath = key.socketPath(place.path());
    }

    /**
     * Looks at a name.
     *
     * @param key the stream's
     * @param place where its socket may be
     * @throws CuframesException code INVALID_ARGUMENT if the path is too long for a socket's, SYSTEM if this process can make no socket
     */
    public static Sighting look(StreamKey key, Place place) {
        NativeCalls.require();
        return new Observer(key, place).look();
    }

    private Sighting sighting(Standing standing, String found) {
        return Sighting.of(key, socketPath, standing, found);
    }

    private Sighting look() {
        new UnixAddress(socketPath); // throws if it cannot be one, whether it is there or not
        try (OpenedPlace opened = OpenedPlace.open(place)) {
            return switch (opened.state()) {
                case OPEN -> look(opened);
                case ABSENT -> sighting(Standing.ABSENT, "does not exist");
                case NO_DIRECTORY -> sighting(Standing.ABSENT, "is not there: " + place + " " + opened.trouble());
                case CLOSED -> sighting(Standing.CLOSED, "is in a directory that is closed to " + self());
                case DISTRUSTED -> sighting(Standing.FOREIGN, "is not looked at: " + place + " " + opened.trouble());
            };
        }
    }

    private Sighting look(OpenedPlace opened) {
        UnixAddress address = opened.address(key.socketFile());
        Sighting hindrance = lookAtFile(opened);
        if (hindrance != null) {
            return hindrance;
        }
        try (Descriptor socket = new Descriptor(Posix.check(
                Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC | Libc.SOCK_NONBLOCK, 0),
                "making a socket"))) {
            int result = address.connect(socket);
            if (result < 0) {
                return notConnected(-result);
            }
            PeerCredentials listener = Posix.peer(socket);
            String distrust = opened.distrust(listener);
            return (distrust == null ? ask(socket) : sighting(Standing.FOREIGN, distrust)).by(listener);
        }
    }

    private Sighting lookAtFile(OpenedPlace opened) {
        try {
            FileStatus status = opened.status(key.socketFile());
            if (status == null) {
                return sighting(Standing.ABSENT, "does not exist");
            }
            return status.isSocket() || status.isLink() ? null : sighting(Standing.NO_SOCKET, "is no socket");
        } catch (CuframesException e) {
            return e.code() == ErrorCode.ACCESS_DENIED
                    ? sighting(Standing.CLOSED, "is in a directory that is closed to " + self())
                    : sighting(Standing.ABSENT, e.getMessage());
        }
    }

    private static String self() {
        return "user " + Libc.geteuid() + " (group " + Libc.getegid() + ")";
    }

    private Sighting notConnected(int errno) {
        return switch (errno) {
            case Errno.ENOENT, Errno.ENOTDIR -> sighting(Standing.ABSENT, "does not exist");
            case Errno.ECONNREFUSED -> sighting(Standing.DEAD, "is left over from a publisher that died");
            case Errno.EACCES -> sighting(Standing.CLOSED, "is closed to " + self());
            case Errno.EAGAIN -> sighting(Standing.SILENT, "accepts nobody: its queue is full");
            default ->
                sighting(
                        Standing.BROKEN,
                        Posix.failure("connecting to " + socketPath, errno).getMessage());
        };
    }

    private Sighting ask(Descriptor socket) {
        try (Arena arena = Arena.ofConfined();
                SocketMessage message = new SocketMessage(MessageDescriptor.MAX_LENGTH, arena)) {
            Messages.Hello hello = new Messages.Hello(
                    SegmentDescriptor.MAJOR,
                    SegmentDescriptor.MINOR,
                    0,
                    ObservationDescriptor.MODE_OBSERVE,
                    (int) ProcessHandle.current().pid(),
                    NAME);
            int length = Messages.encode(hello, message.payload());
            long sent = message.send(socket.fd(), 0, length, 0);
            // One that turns us away need not hear us out: what it said is there to be read.
            if (sent != length && sent != -Errno.EPIPE && sent != -Errno.ECONNRESET) {
                return sighting(Standing.SILENT, "does not take what it is sent");
            }
            return hear(new Answer(socket, message, arena), arena);
        } catch (ObservationMessages.BadAnswerException e) {
            return sighting(Standing.BROKEN, "does not follow the protocol: it sent " + e.getMessage());
        }
    }

    private Sighting hear(Answer answer, Arena arena) throws ObservationMessages.BadAnswerException {
        Sighting silence = next(answer);
        if (silence != null) {
            return silence;
        }
        MemorySegment first = answer.message();
        int length = Messages.length(first);
        if (Messages.type(first) == MessageDescriptor.REJECT) {
            return rejected(Messages.decodeReject(first, length));
        }
        if (Messages.type(first) != ObservationDescriptor.OBSERVED || length != ObservationDescriptor.OBSERVED_LENGTH) {
            throw new ObservationMessages.BadAnswerException(
                    "a message of type " + Messages.type(first) + " with " + length + " bytes");
        }
        MemorySegment observed = arena.allocate(length, Long.BYTES).copyFrom(first.asSlice(0, length));
        int count = ObservationMessages.readers(observed);
        MemorySegment readers =
                arena.allocate(Math.max(1, (long) count * ObservationDescriptor.READER_LENGTH), Long.BYTES);
        for (int i = 0; i < count; i++) {
            silence = next(answer);
            if (silence != null) {
                return silence;
            }
            MemorySegment reader = answer.message();
            if (Messages.type(reader) != ObservationDescriptor.READER
                    || Messages.length(reader) != ObservationDescriptor.READER_LENGTH) {
                throw new ObservationMessages.BadAnswerException("a message of type " + Messages.type(reader) + " with "
                        + Messages.length(reader) + " bytes in the place of a READER");
            }
            MemorySegment.copy(
                    reader,
                    0,
                    readers,
                    (long) i * ObservationDescriptor.READER_LENGTH,
                    ObservationDescriptor.READER_LENGTH);
        }
        return seen(ObservationMessages.decode(observed, readers));
    }

    private Sighting seen(Observation observation) throws ObservationMessages.BadAnswerException {
        if (!observation.key().equals(key.name())) {
            throw new ObservationMessages.BadAnswerException("an OBSERVED of key \"" + observation.key() + "\"");
        }
        return new Sighting(key, socketPath, Standing.SEEN, "answers", null, observation);
    }

    /** Reads the next message; null if it is there, whole. */
    private Sighting next(Answer answer) throws ObservationMessages.BadAnswerException {
        return switch (answer.read()) {
            case WHOLE -> null;
            case TIMEOUT -> sighting(Standing.SILENT, "was connected to, and did not answer within 2 s");
            case ENDED -> sighting(Standing.BUSY, "closed the connection without an answer, or in the middle of one");
        };
    }

    private Sighting rejected(Messages.Reject reject) throws ObservationMessages.BadAnswerException {
        if (reject == null) {
            throw new ObservationMessages.BadAnswerException("a REJECT that does not make sense");
        }
        String text = reject.code() + ": " + reject.text();
        return switch (reject.code()) {
            case VERSION ->
                sighting(
                        Standing.OTHER_VERSION,
                        "speaks protocol version " + reject.major() + "." + reject.minor() + ", and this is "
                                + SegmentDescriptor.MAJOR + "." + SegmentDescriptor.MINOR);
            case ACCESS -> sighting(Standing.REFUSED, "turned this user away, " + text);
            case BUSY, ENDING, FULL -> sighting(Standing.BUSY, "cannot answer now, " + text);
            case MALFORMED, TRANSPORT -> sighting(Standing.BROKEN, "does not know observers, " + text);
        };
    }

    /** The messages that come, one after the other, in one buffer. */
    private static final class Answer {
        private enum Progress {
            WHOLE,
            ENDED,
            TIMEOUT
        }

        private final Descriptor socket;
        private final SocketMessage message;
        private final MemorySegment poll;
        private final long deadline = System.nanoTime() + PATIENCE_NANOS;

        Answer(Descriptor socket, SocketMessage message, Arena arena) {
            this.socket = socket;
            this.message = message;
            this.poll = arena.allocate(Pollfd.LAYOUT);
            poll.set(JAVA_INT, Pollfd.FD_OFFSET, socket.fd());
            poll.set(JAVA_SHORT, Pollfd.EVENTS_OFFSET, (short) Libc.POLLIN);
        }

        MemorySegment message() {
            return message.payload();
        }

        /** Reads one message by its length. Descriptors that come with it are closed: an answer has none. */
        Progress read() throws ObservationMessages.BadAnswerException {
            int filled = 0;
            int wanted = MessageDescriptor.HEADER_LENGTH;
            while (filled < wanted) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    return Progress.TIMEOUT;
                }
                Libc.poll(poll.address(), 1, (int) (left / 1_000_000) + 1);
                long received = message.receive(socket.fd(), filled, wanted - filled, Libc.MSG_DONTWAIT);
                message.closeDescriptors();
                if (received == -Errno.EAGAIN || received == -Errno.EINTR) {
                    continue;
                }
                if (received == -Errno.EMSGSIZE) {
                    throw new ObservationMessages.BadAnswerException("more descriptors than any message has");
                }
                if (received <= 0) {
                    return Progress.ENDED;
                }
                filled += (int) received;
                if (filled == MessageDescriptor.HEADER_LENGTH) {
                    wanted = Messages.length(message.payload());
                    if (!Messages.isLegalLength(wanted)) {
                        throw new ObservationMessages.BadAnswerException(
                                "a message that claims " + Integer.toUnsignedString(wanted) + " bytes");
                    }
                }
            }
            return Progress.WHOLE;
        }
    }
}
