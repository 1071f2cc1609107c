// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
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
import io.cuframes.testing.FakePublisher;
import io.cuframes.testing.StreamFixture;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
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

    /** What the subscriber makes of an answer: that it refuses. */
    private CuframesException connectTo(Answer answer) {
        return assertThrows(CuframesException.class, () -> open(answer));
    }

    /** One connection, answered once, then held until the subscriber has made up its mind. Nothing is left of it either way. */
    private void open(Answer answer) {
        List<String> descriptors = StreamFixture.descriptors();
        List<String> mappings = StreamFixture.mappings();
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
            try {
                Subscriber.builder(stream.key())
                        .socketDirectory(stream.directory())
                        .connectTimeout(Duration.ZERO)
                        .open()
                        .close();
            } finally {
                hostility.join();
            }
        } finally {
            assertEquals(descriptors, StreamFixture.descriptors());
            assertEquals(mappings, StreamFixture.mappings());
        }
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
        return welcome(lie, sent -> Arrays.copyOf(sent, descriptorsSent), controlLength, sealed, ringLength);
    }

    /** The same, with other descriptors than the segment's, the control page's and the ring's. */
    private Answer welcome(
            Lie lie, UnaryOperator<int[]> descriptors, long controlLength, boolean sealed, long ringLength) {
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
                message.send(socket, 0, MessageDescriptor.WELCOME_LENGTH, 0, descriptors.apply(all));
            }
        };
    }

    private void fill(MemorySegment segment) {
        new SegmentHeader(
                        stream.key(),
                        EPOCH,
                        1,
                        1,
                        0,
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
                "protocol version 2.1",
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

    /** Sends something else in one place of the three. */
    private Answer swapped(int place, Descriptor other) {
        return welcome(
                truth(),
                sent -> {
                    sent[place] = other.fd();
                    return sent;
                },
                ControlDescriptor.LENGTH,
                true,
                RING);
    }

    @Test
    void descriptorsOfAnotherKindAreRefused() {
        for (Path other :
                List.of(Path.of("/dev/null"), Path.of("/dev/zero"), Path.of("/"), Path.of("/proc/self/status"))) {
            try (Descriptor opened = Posix.open(other, Libc.O_RDONLY, 0)) {
                assertProtocolError("the publisher said", swapped(0, opened));
                assertProtocolError("not a sealed memfd", swapped(1, opened));
                CuframesException ring = connectTo(swapped(2, opened));
                assertEquals(ErrorCode.PROTOCOL, ring.code(), ring.getMessage());
                assertTrue(ring.getMessage().contains("sent a ring of"), ring.getMessage());
                cleanSocket();
            }
        }
        try (Descriptor event = new Descriptor(Posix.check(Libc.eventfd(0, Libc.EFD_CLOEXEC), "eventfd"))) {
            assertProtocolError("the publisher said", swapped(0, event));
            assertProtocolError("not a sealed memfd", swapped(1, event));
        }
    }

    @Test
    void aRingThatIsNotSealedIsRefused() {
        try (Descriptor open = Posix.memfd("fake-open-ring")) {
            Posix.reserve(open, RING, "ring");
            CuframesException refused = connectTo(swapped(2, open));
            assertEquals(ErrorCode.PROTOCOL, refused.code());
            assertTrue(refused.getMessage().contains("no F_SEAL_SHRINK"), refused.getMessage());
        }
    }

    @Test
    void aControlPageThatCannotBeWrittenIsRefused() {
        try (Descriptor page = Posix.memfd("fake-page")) {
            Posix.reserve(page, ControlDescriptor.LENGTH, "page");
            Posix.seal(page, Libc.F_SEAL_SHRINK);
            try (Descriptor readOnly = Posix.reopenReadOnly(page)) {
                CuframesException refused = connectTo(swapped(1, readOnly));
                assertEquals(ErrorCode.PROTOCOL, refused.code());
                assertTrue(
                        refused.getMessage().contains("the control page of \"" + stream.key()), refused.getMessage());
            }
        }
    }

    @Test
    void moreDescriptorsThanAnnouncedAreRefusedAndClosed() {
        for (int count : new int[] {4, SocketMessage.MAX_DESCRIPTORS}) {
            assertProtocolError(
                    "announces 3 descriptors and brings " + count,
                    welcome(
                            truth(),
                            sent -> {
                                int[] more = Arrays.copyOf(sent, count);
                                Arrays.fill(more, 3, count, sent[0]);
                                return more;
                            },
                            ControlDescriptor.LENGTH,
                            true,
                            RING));
        }
    }

    @Test
    void aPublisherThatGrantsNoLeaseIsRefusedAndOneThatGrantsAllIsTakenAtTheRingsSize() {
        assertProtocolError(
                "grants no lease",
                lie((welcome, segment) ->
                        welcome.set(ValueLayout.JAVA_INT, MessageDescriptor.WELCOME_MAX_LEASES_OFFSET, 0)));
        open(lie((welcome, segment) ->
                welcome.set(ValueLayout.JAVA_INT, MessageDescriptor.WELCOME_MAX_LEASES_OFFSET, -1)));
    }

    private static void sendReject(int socket, SocketMessage message, int code, String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        header(message, 20 + utf8.length, MessageDescriptor.REJECT);
        message.payload().set(ValueLayout.JAVA_INT, MessageDescriptor.REJECT_CODE_OFFSET, code);
        message.payload().set(ValueLayout.JAVA_INT, MessageDescriptor.REJECT_TEXT_LENGTH_OFFSET, utf8.length);
        MemorySegment.copy(
                utf8, 0, message.payload(), ValueLayout.JAVA_BYTE, MessageDescriptor.REJECT_TEXT_OFFSET, utf8.length);
        message.send(socket, 0, 20 + utf8.length, 0);
    }

    @Test
    void neitherControlsOfEightBitsNorDirectionMarksGetThrough() {
        CuframesException refused =
                connectTo((socket, message) -> sendReject(socket, message, 4, "a\u009b31mb\u202ec\u2028d\u00e9"));
        assertTrue(refused.getMessage().endsWith("(ACCESS): a?31mb?c?d\u00e9"), refused.getMessage());
    }

    @Test
    void aRejectOfAnUnknownCodeOrTooLongATextMakesNoSense() {
        assertProtocolError(
                "REJECT that does not make sense", (socket, message) -> sendReject(socket, message, 99, ""));
        assertProtocolError(
                "REJECT that does not make sense",
                (socket, message) -> sendReject(socket, message, 4, "x".repeat(513)));
    }

    @Test
    void aBusyPublisherIsTriedAgainUntilTheTimeout() {
        CuframesException busy =
                connectTo((socket, message) -> sendReject(socket, message, 7, "32 handshakes are under way"));
        assertEquals(ErrorCode.NOT_FOUND, busy.code());
        assertTrue(busy.getMessage().contains("is busy (32 handshakes are under way)"), busy.getMessage());
    }

    /** A publisher turns a foreign user away before it has said anything. */
    @Test
    void aRefusalThatComesBeforeTheHelloWasHeardIsHeardAllTheSame() {
        for (int i = 0; i < 20; i++) {
            try (Descriptor listener = new Descriptor(
                    Posix.check(Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0), "socket"))) {
                Posix.check(new UnixAddress(stream.socket()).bind(listener), "bind");
                Posix.check(Libc.listen(listener.fd(), 4), "listen");
                CompletableFuture<Void> doorman = CompletableFuture.runAsync(() -> {
                    int fd = Posix.check(
                            Libc.accept4(listener.fd(), MemorySegment.NULL, MemorySegment.NULL, Libc.SOCK_CLOEXEC),
                            "accept");
                    try (Descriptor socket = new Descriptor(fd);
                            SocketMessage message = new SocketMessage(2048, arena)) {
                        sendReject(socket.fd(), message, 4, "not you");
                    }
                });
                CuframesException refused = assertThrows(
                        CuframesException.class,
                        () -> Subscriber.builder(stream.key())
                                .socketDirectory(stream.directory())
                                .connectTimeout(Duration.ofMillis(1))
                                .open());
                doorman.join();
                assertEquals(ErrorCode.ACCESS_DENIED, refused.code(), refused.getMessage());
                assertTrue(refused.getMessage().endsWith("refused (ACCESS): not you"), refused.getMessage());
            }
            cleanSocket();
        }
    }

    /** A file of /dev/shm cannot be sealed, so this cannot be kept from happening; it ends what reads there, and not the process. */
    @Test
    void aSegmentThatIsCutShortUnderItsReaderIsAnErrorAndNoCrash() {
        try (FakePublisher publisher = new FakePublisher(stream)) {
            CompletableFuture<FakePublisher.Guest> guest = CompletableFuture.supplyAsync(() -> {
                FakePublisher.Guest accepted = publisher.accept();
                accepted.welcome(2, true);
                return accepted;
            });
            try (Subscriber subscriber = Subscriber.builder(stream.key())
                            .socketDirectory(stream.directory())
                            .open();
                    FakePublisher.Guest publishersEnd = guest.join()) {
                assertNotNull(publishersEnd);
                publisher.truncate();
                InternalError error = assertThrows(InternalError.class, () -> subscriber.next(Duration.ofSeconds(10)));
                assertTrue(error.getMessage().contains("fault occurred"), error.getMessage());
            }
        }
    }

    @Test
    void aFrameInASlotThatIsNotThereIsRefused() {
        for (SubscriberMode mode : SubscriberMode.values()) {
            try (FakePublisher publisher = new FakePublisher(stream)) {
                CompletableFuture<FakePublisher.Guest> guest = CompletableFuture.supplyAsync(() -> {
                    FakePublisher.Guest accepted = publisher.accept();
                    accepted.welcome(2, true);
                    return accepted;
                });
                try (Subscriber subscriber = Subscriber.builder(stream.key())
                                .socketDirectory(stream.directory())
                                .mode(mode)
                                .open();
                        FakePublisher.Guest publishersEnd = guest.join()) {
                    assertNotNull(publishersEnd);
                    publisher.announceNothing(1, 255);
                    CuframesException refused =
                            assertThrows(CuframesException.class, () -> subscriber.next(Duration.ofSeconds(10)));
                    assertEquals(ErrorCode.PROTOCOL, refused.code());
                    assertTrue(refused.getMessage().contains("in slot 255 of a ring of"), refused.getMessage());
                }
            }
        }
    }
}
