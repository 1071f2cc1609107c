// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ffm.Libc;
import io.cuframes.ffm.SocketMessage;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.os.UnixAddress;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.DeviceUuid;
import io.cuframes.internal.protocol.MessageDescriptor;
import io.cuframes.internal.protocol.RingLayout;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.SegmentHeader;
import io.cuframes.internal.protocol.SlotDescriptor;
import io.cuframes.testing.StreamFixture;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What answers at a key's socket and is not a publisher, or lies: the subscriber says so, and keeps nothing. */
class HostilePublisherTest {
    private static final int SLOTS = 2;
    private static final FrameFormat FORMAT = FrameFormat.of(PixelFormat.NV12, 64, 64, ColorInfo.UNKNOWN);
    private static final long STRIDE = SegmentDescriptor.pageAligned(FORMAT.frameBytes());
    private static final long RING = SLOTS * STRIDE;
    private static final long EPOCH = 99;

    private final StreamFixture stream = new StreamFixture();
    private final Arena arena = Arena.ofShared();

    @AfterEach
    void cleanUp() {
        arena.close();
        stream.close();
    }

    /** What to answer a subscriber's HELLO with. */
    private interface Answer {
        void give(int socket, SocketMessage message);
    }

    /** One connection, answered once, then held until the subscriber has made up its mind. */
    private CuframesException connectTo(Answer answer) {
        List<String> descriptors = StreamFixture.descriptors();
        List<String> mappings = StreamFixture.mappings();
        CuframesException refused;
        try (Descriptor listener = new Descriptor(
                Posix.check(Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0), "socket"))) {
            Posix.check(new UnixAddress(stream.socket()).bind(listener), "bind");
            Posix.check(Libc.listen(listener.fd(), 4), "listen");
            CompletableFuture<Void> hostility = CompletableFuture.runAsync(() -> {
                int fd = Posix.check(
                        Libc.accept4(listener.fd(), MemorySegment.NULL, MemorySegment.NULL, Libc.SOCK_CLOEXEC),
                        "accept");
                try (Descriptor socket = new Descriptor(fd);
                        SocketMessage message = new SocketMessage(2048, arena)) {
                    Posix.check(message.receive(socket.fd(), 0, MessageDescriptor.HELLO_LENGTH, 0), "receive");
                    answer.give(socket.fd(), message);
                    message.receive(socket.fd(), 0, 1, 0); // returns once the subscriber closes
                }
            });
            refused = assertThrows(
                    CuframesException.class,
                    () -> Subscriber.builder(stream.key())
                            .socketDirectory(stream.directory())
                            .connectTimeout(Duration.ofMillis(1))
                            .open()
                            .close());
            hostility.join();
        }
        assertEquals(descriptors, StreamFixture.descriptors());
        assertEquals(mappings, StreamFixture.mappings());
        return refused;
    }

    private void assertProtocolError(String fragment, Answer answer) {
        CuframesException refused = connectTo(answer);
        assertEquals(ErrorCode.PROTOCOL, refused.code(), refused.getMessage());
        assertTrue(refused.getMessage().contains(fragment), refused.getMessage());
        assertTrue(refused.getMessage().contains(stream.key()), refused.getMessage());
        cleanSocket();
    }

    private void cleanSocket() {
        Posix.unlink(stream.socket());
    }

    private static void header(SocketMessage message, int length, int type) {
        message.payload().fill((byte) 0);
        message.payload().set(ValueLayout.JAVA_INT, 0, length);
        message.payload().set(ValueLayout.JAVA_SHORT, 4, (short) type);
    }

    @Test
    void garbageIsNamed() {
        assertProtocolError("claims 1347703880 bytes", (socket, message) -> {
            message.payload().setString(0, "HTTP/1.1 400 Bad Request\r\n");
            message.send(socket, 0, 26, 0);
        });
        assertProtocolError("type 77", (socket, message) -> {
            header(message, 8, 77);
            message.send(socket, 0, 8, 0);
        });
        assertProtocolError("WELCOME of another length", (socket, message) -> {
            header(message, 60, MessageDescriptor.WELCOME);
            message.send(socket, 0, 60, 0);
        });
        assertProtocolError("REJECT that does not make sense", (socket, message) -> {
            header(message, 20, MessageDescriptor.REJECT);
            message.payload().set(ValueLayout.JAVA_INT, MessageDescriptor.REJECT_TEXT_LENGTH_OFFSET, 400);
            message.send(socket, 0, 20, 0);
        });
    }

    @Test
    void silenceAndHalfAnAnswerAreGivenUp() {
        CuframesException silent = connectTo((socket, message) -> {});
        assertEquals(ErrorCode.NOT_FOUND, silent.code());
        assertTrue(silent.getMessage().contains("did not answer"), silent.getMessage());
        cleanSocket();
        CuframesException half = connectTo((socket, message) -> {
            header(message, MessageDescriptor.WELCOME_LENGTH, MessageDescriptor.WELCOME);
            message.send(socket, 0, 30, 0);
        });
        assertEquals(ErrorCode.NOT_FOUND, half.code());
    }

    @Test
    void aTextFromAPublisherCannotSteerATerminal() {
        CuframesException refused = connectTo((socket, message) -> {
            header(message, 26, MessageDescriptor.REJECT);
            message.payload().set(ValueLayout.JAVA_INT, MessageDescriptor.REJECT_CODE_OFFSET, 4);
            message.payload().set(ValueLayout.JAVA_INT, MessageDescriptor.REJECT_TEXT_LENGTH_OFFSET, 6);
            message.payload().setString(MessageDescriptor.REJECT_TEXT_OFFSET, "\u001b[31mx");
            message.send(socket, 0, 26, 0);
        });
        assertEquals(ErrorCode.ACCESS_DENIED, refused.code());
        assertTrue(refused.getMessage().endsWith("(ACCESS): ?[31mx"), refused.getMessage());
    }

    /** A change to what an honest publisher would send. */
    private interface Lie {
        void apply(MemorySegment welcome, MemorySegment segment);
    }

    /** Sends a good WELCOME, segment, control page and ring, but for the lie. */
    private Answer welcome(Lie lie, int descriptorsSent, long controlLength, boolean sealed, long ringLength) {
        return (socket, message) -> {
            try (Arena local = Arena.ofConfined();
                    Descriptor segment = Posix.memfd("fake-segment");
                    Descriptor control = Posix.memfd("fake-control");
                    Descriptor ring = Posix.memfd("fake-ring")) {
                Posix.reserve(segment, SegmentDescriptor.length(SLOTS), "segment");
                MemorySegment bytes = Posix.map(segment, SegmentDescriptor.length(SLOTS), true, local, "segment");
                fill(bytes);
                makeControl(control, controlLength, sealed, local);
                Posix.reserve(ring, ringLength, "ring");
                if (sealed) {
                    Posix.seal(ring, Libc.F_SEAL_SHRINK);
                }
                header(message, MessageDescriptor.WELCOME_LENGTH, MessageDescriptor.WELCOME);
                MemorySegment welcome = message.payload();
                welcome.set(ValueLayout.JAVA_SHORT, MessageDescriptor.WELCOME_MAJOR_OFFSET, (short) 1);
                welcome.set(ValueLayout.JAVA_INT, MessageDescriptor.WELCOME_SUBSCRIBER_OFFSET, 1);
                welcome.set(ValueLayout.JAVA_LONG, MessageDescriptor.WELCOME_EPOCH_OFFSET, EPOCH);
                welcome.set(ValueLayout.JAVA_LONG, MessageDescriptor.WELCOME_SEGMENT_LENGTH_OFFSET, bytes.byteSize());
                welcome.set(ValueLayout.JAVA_LONG, MessageDescriptor.WELCOME_RING_LENGTH_OFFSET, RING);
                welcome.set(ValueLayout.JAVA_INT, MessageDescriptor.WELCOME_TRANSPORT_OFFSET, 1);
                welcome.set(ValueLayout.JAVA_INT, MessageDescriptor.WELCOME_DESCRIPTORS_OFFSET, 3);
                welcome.set(ValueLayout.JAVA_INT, MessageDescriptor.WELCOME_MAX_LEASES_OFFSET, 1);
                lie.apply(welcome, bytes);
                int[] all = {segment.fd(), control.fd(), ring.fd()};
                message.send(socket, 0, MessageDescriptor.WELCOME_LENGTH, 0, Arrays.copyOf(all, descriptorsSent));
            }
        };
    }

    private void fill(MemorySegment segment) {
        new SegmentHeader(
                        stream.key(),
                        EPOCH,
                        1,
                        1,
                        PublishPolicy.DROP_OLDEST,
                        TimeBase.UNKNOWN,
                        FORMAT,
                        new RingLayout(Transport.HOST, Ownership.LIBRARY, SLOTS, STRIDE, RING, DeviceUuid.NONE))
                .write(segment);
        for (int slot = 0; slot < SLOTS; slot++) {
            long at = SegmentDescriptor.slotOffset(slot);
            segment.set(ValueLayout.JAVA_LONG, at + SlotDescriptor.OFFSET_OFFSET, slot * STRIDE);
            segment.set(ValueLayout.JAVA_LONG, at + SlotDescriptor.LENGTH_OFFSET, STRIDE);
            segment.set(ValueLayout.JAVA_LONG, at + SlotDescriptor.ALLOCATION_LENGTH_OFFSET, RING);
        }
        segment.set(ValueLayout.JAVA_INT, SegmentDescriptor.STATE_OFFSET, SegmentDescriptor.STATE_READY);
    }

    private static void makeControl(Descriptor control, long length, boolean sealed, Arena arena) {
        Posix.reserve(control, length, "control");
        MemorySegment page = Posix.map(control, length, true, arena, "control");
        page.set(ValueLayout.JAVA_LONG, ControlDescriptor.MAGIC_OFFSET, ControlDescriptor.MAGIC);
        page.set(ValueLayout.JAVA_LONG, ControlDescriptor.EPOCH_OFFSET, EPOCH);
        if (sealed) {
            Posix.seal(control, Libc.F_SEAL_SHRINK);
        }
    }

    private Answer lie(Lie lie) {
        return welcome(lie, 3, ControlDescriptor.LENGTH, true, RING);
    }

    private static Lie truth() {
        return (welcome, segment) -> {};
    }

    @Test
    void theTruthIsBelieved() {
        AssertionError connected = assertThrows(AssertionError.class, () -> connectTo(lie(truth())));
        assertTrue(connected.getMessage().contains("nothing was thrown"), connected.getMessage());
    }

    @Test
    void liesInTheWelcomeAreFound() {
        assertProtocolError(
                "version 3.0",
                lie((welcome, segment) ->
                        welcome.set(ValueLayout.JAVA_SHORT, MessageDescriptor.WELCOME_MAJOR_OFFSET, (short) 3)));
        assertProtocolError(
                "announces 3 descriptors and brings 0", welcome(truth(), 0, ControlDescriptor.LENGTH, true, RING));
        assertProtocolError(
                "announces 3 descriptors and brings 2", welcome(truth(), 2, ControlDescriptor.LENGTH, true, RING));
        assertProtocolError(
                "the publisher said 8192",
                lie((welcome, segment) ->
                        welcome.set(ValueLayout.JAVA_LONG, MessageDescriptor.WELCOME_SEGMENT_LENGTH_OFFSET, 8192)));
        assertProtocolError(
                "differ from what the publisher said",
                lie((welcome, segment) ->
                        welcome.set(ValueLayout.JAVA_LONG, MessageDescriptor.WELCOME_EPOCH_OFFSET, 1)));
        assertProtocolError(
                "differ from what the publisher said",
                lie((welcome, segment) ->
                        welcome.set(ValueLayout.JAVA_INT, MessageDescriptor.WELCOME_TRANSPORT_OFFSET, 2)));
    }

    @Test
    void liesInTheSegmentAreFound() {
        assertProtocolError(
                "does not begin with CUFRAMES", lie((welcome, segment) -> segment.set(ValueLayout.JAVA_INT, 0, 0)));
        assertProtocolError(
                "protocol version 2.0",
                lie((welcome, segment) ->
                        segment.set(ValueLayout.JAVA_SHORT, SegmentDescriptor.MAJOR_OFFSET, (short) 2)));
        assertProtocolError(
                "slot 1",
                lie((welcome, segment) -> segment.set(
                        ValueLayout.JAVA_LONG, SegmentDescriptor.slotOffset(1) + SlotDescriptor.OFFSET_OFFSET, RING)));
        assertProtocolError("it is of key \"other\"", lie((welcome, segment) -> {
            segment.asSlice(SegmentDescriptor.KEY_OFFSET, SegmentDescriptor.KEY_LENGTH)
                    .fill((byte) 0);
            segment.setString(SegmentDescriptor.KEY_OFFSET, "other");
        }));
    }

    @Test
    void aPixelFormatFromTheFutureIsToldFromALie() {
        CuframesException refused = connectTo(
                lie((welcome, segment) -> segment.set(ValueLayout.JAVA_INT, SegmentDescriptor.PIXEL_FORMAT_OFFSET, 9)));
        assertEquals(ErrorCode.UNSUPPORTED, refused.code());
        assertTrue(refused.getMessage().contains("\"" + stream.key() + "\""), refused.getMessage());
        assertTrue(refused.getMessage().contains("pixel format 9"), refused.getMessage());
        assertTrue(refused.getMessage().contains("update it"), refused.getMessage());
    }

    @Test
    void memoryThatCouldVanishUnderTheReaderIsRefused() {
        assertProtocolError("not a sealed memfd", welcome(truth(), 3, ControlDescriptor.LENGTH, false, RING));
        assertProtocolError("not a sealed memfd", welcome(truth(), 3, 8192, true, RING));
        CuframesException shortRing = connectTo(welcome(truth(), 3, ControlDescriptor.LENGTH, true, STRIDE));
        assertEquals(ErrorCode.PROTOCOL, shortRing.code());
        assertTrue(shortRing.getMessage().contains("a ring of " + STRIDE + " bytes"), shortRing.getMessage());
    }
}
