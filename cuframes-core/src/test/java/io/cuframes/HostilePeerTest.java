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
import io.cuframes.internal.protocol.MessageDescriptor;
import io.cuframes.internal.protocol.RejectCode;
import io.cuframes.testing.RawReader;
import io.cuframes.testing.StreamFixture;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Peers that break the protocol: each is cut off with the reason, and the publisher and its other subscribers do not notice. */
class HostilePeerTest {
    private static final int HELLO_LENGTH = MessageDescriptor.HELLO_LENGTH;

    private final StreamFixture stream = new StreamFixture();
    private Publisher publisher;
    private Subscriber bystander;
    private List<String> descriptors;

    @BeforeEach
    void open() throws IOException {
        publisher = Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .size(64, 64)
                .open();
        bystander = subscriber();
        connect().close(); // the JDK opens a socket of its own at the first use of its channels
        descriptors = settled();
    }

    /** This process's descriptors once the server has closed those it needs for admitting somebody only. */
    private static List<String> settled() {
        long deadline = System.nanoTime() + 5_000_000_000L;
        List<String> now = StreamFixture.descriptors();
        List<String> before = List.of();
        while (!now.equals(before) || now.toString().contains("cuframes-control")) {
            assertTrue(System.nanoTime() - deadline < 0, now.toString());
            LockSupport.parkNanos(20_000_000);
            before = now;
            now = StreamFixture.descriptors();
        }
        return now;
    }

    @AfterEach
    void theBystanderStillReads() {
        try (WritableFrame frame = publisher.acquire()) {
            frame.publish(1);
        }
        try (Frame frame = bystander.next(Duration.ofSeconds(5))) {
            assertEquals(1, frame.seq());
        }
        subscriber().close(); // and another is let in
        bystander.close();
        publisher.close();
        assertEquals(List.of(), stream.remains());
        stream.close();
    }

    private Subscriber subscriber() {
        return Subscriber.builder(stream.key())
                .socketDirectory(stream.directory())
                .open();
    }

    private SocketChannel connect() throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(stream.socket()));
        return channel;
    }

    private static ByteBuffer hello() {
        ByteBuffer hello = ByteBuffer.allocate(HELLO_LENGTH).order(ByteOrder.LITTLE_ENDIAN);
        hello.putInt(0, HELLO_LENGTH).putShort(4, (short) MessageDescriptor.HELLO);
        hello.putInt(8, MessageDescriptor.HELLO_MAGIC).putShort(12, (short) 1);
        hello.putInt(16, 1 << Transport.HOST.code()).putInt(20, 1);
        return hello;
    }

    /** Everything the publisher says until it closes. */
    private static ByteBuffer readAll(SocketChannel channel) throws IOException {
        ByteBuffer answer = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
        try {
            while (channel.read(answer) >= 0) {
                assertTrue(answer.hasRemaining());
            }
        } catch (IOException e) {
            assertTrue(e.getMessage().contains("reset"), e.toString()); // it closed with our bytes unread
        }
        return answer.flip();
    }

    private void assertRejected(ByteBuffer sent, RejectCode code, String fragment) throws IOException {
        try (SocketChannel channel = connect()) {
            channel.write(sent);
            ByteBuffer answer = readAll(channel);
            assertEquals(MessageDescriptor.REJECT, answer.getShort(4));
            assertEquals(code.code(), answer.getInt(8));
            String text = StandardCharsets.UTF_8
                    .decode(answer.slice(20, answer.getInt(16)))
                    .toString();
            assertTrue(text.contains(fragment), text);
        }
        assertNothingKept();
    }

    private void assertNothingKept() {
        assertEquals(descriptors, settled());
        assertEquals(1, publisher.subscribers());
    }

    @Test
    void garbageIsRejected() throws IOException {
        byte[] garbage = "GET / HTTP/1.1\r\nHost: cam1\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
        assertRejected(ByteBuffer.wrap(garbage), RejectCode.MALFORMED, "bytes");
    }

    @Test
    void aLengthOutOfBoundsIsRejectedBeforeItIsRead() throws IOException {
        for (int length : new int[] {0, 7, 1025, Integer.MAX_VALUE, -1}) {
            assertRejected(
                    hello().putInt(0, length),
                    RejectCode.MALFORMED,
                    "claims " + Integer.toUnsignedString(length) + " bytes");
        }
    }

    @Test
    void aLengthThatDoesNotFitTheTypeIsRejected() throws IOException {
        assertRejected(hello().putInt(0, 64), RejectCode.MALFORMED, "a HELLO has 112 bytes, this one 64");
        assertRejected(hello().putInt(0, 8), RejectCode.MALFORMED, "not a HELLO");
    }

    @Test
    void anotherTypeIsRejected() throws IOException {
        assertRejected(hello().putShort(4, (short) MessageDescriptor.WELCOME), RejectCode.MALFORMED, "type 2");
        assertRejected(hello().putShort(4, (short) 999), RejectCode.MALFORMED, "type 999");
    }

    @Test
    void aHelloWithoutItsMagicModeOrNameIsRejected() throws IOException {
        assertRejected(hello().putInt(8, 0), RejectCode.MALFORMED, "CUFH");
        assertRejected(hello().putInt(20, 7), RejectCode.MALFORMED, "mode 7");
        ByteBuffer endless = hello();
        for (int i = 48; i < HELLO_LENGTH; i++) {
            endless.put(i, (byte) 'x');
        }
        assertRejected(endless, RejectCode.MALFORMED, "name");
        assertRejected(hello().put(48, (byte) 27), RejectCode.MALFORMED, "name");
    }

    @Test
    void anotherVersionIsRejectedByNumber() throws IOException {
        assertRejected(hello().putShort(12, (short) 2), RejectCode.VERSION, "the subscriber 2.0");
        assertRejected(hello().putShort(12, (short) -1).putShort(14, (short) 9), RejectCode.VERSION, "65535.9");
    }

    @Test
    void aSubscriberThatCannotReadTheTransportIsRejected() throws IOException {
        assertRejected(hello().putInt(16, 1 << Transport.CUDA_IPC.code()), RejectCode.TRANSPORT, "HOST");
    }

    @Test
    void halfAMessageOrNoneIsGivenUpAfterTwoSeconds() throws IOException {
        List<SocketChannel> silent = new ArrayList<>();
        for (int sent : new int[] {0, 3, 8, 111}) {
            SocketChannel channel = connect();
            channel.write(hello().limit(sent));
            silent.add(channel);
        }
        long start = System.nanoTime();
        for (SocketChannel channel : silent) {
            assertEquals(0, readAll(channel).remaining());
            channel.close();
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        assertTrue(seconds > 1.5, "given up after " + seconds + " s");
        assertNothingKept();
    }

    @Test
    void aPeerThatGoesAwayHalfWayIsForgotten() throws IOException {
        for (int sent : new int[] {0, 3, 50}) {
            try (SocketChannel channel = connect()) {
                channel.write(hello().limit(sent));
            }
        }
        assertNothingKept();
    }

    @Test
    void aPeerThatIsStillGreetingWhenTheStreamEndsIsToldSo() throws IOException {
        try (Publisher ending = Publisher.builder(stream.key() + "-ending")
                        .socketDirectory(stream.directory())
                        .transport(Transport.HOST)
                        .size(64, 64)
                        .open();
                SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(stream.directory().resolve(ending.key() + ".sock")));
            channel.write(hello().limit(50)); // it is accepted, and waited for
            Subscriber.builder(ending.key())
                    .socketDirectory(stream.directory())
                    .open()
                    .close();
            ending.close();
            ByteBuffer answer = readAll(channel);
            assertEquals(MessageDescriptor.REJECT, answer.getShort(4));
            assertEquals(RejectCode.ENDING.code(), answer.getInt(8));
        }
    }

    /** Says what an admitted subscriber may not say, and expects to be cut off. */
    private void assertCutOffAfterWelcome(ByteBuffer... sent) throws IOException {
        try (SocketChannel channel = connect()) {
            channel.write(hello());
            ByteBuffer welcome =
                    ByteBuffer.allocate(MessageDescriptor.WELCOME_LENGTH).order(ByteOrder.LITTLE_ENDIAN);
            while (welcome.hasRemaining()) {
                assertTrue(channel.read(welcome) > 0);
            }
            assertEquals(MessageDescriptor.WELCOME, welcome.getShort(4));
            for (ByteBuffer message : sent) {
                channel.write(message);
            }
            assertEquals(0, readAll(channel).remaining());
        }
        assertNothingKept();
    }

    private static ByteBuffer ready() {
        ByteBuffer ready = ByteBuffer.allocate(MessageDescriptor.READY_LENGTH).order(ByteOrder.LITTLE_ENDIAN);
        return ready.putInt(0, MessageDescriptor.READY_LENGTH).putShort(4, (short) MessageDescriptor.READY);
    }

    @Test
    void anAdmittedSubscriberThatSaysMoreThanReadyIsCutOff() throws IOException {
        assertCutOffAfterWelcome(hello());
        assertCutOffAfterWelcome(ready().putInt(0, 4));
        assertCutOffAfterWelcome(ready().putInt(0, 12), ByteBuffer.allocate(4));
        assertCutOffAfterWelcome(ready(), ready());
        assertCutOffAfterWelcome(ready(), ByteBuffer.allocate(1));
    }

    @Test
    void manySilentPeersDoNotKeepASubscriberOutForLong() throws IOException {
        List<SocketChannel> silent = new ArrayList<>();
        for (int i = 0; i < 40; i++) { // more than may shake hands at a time
            silent.add(connect());
        }
        long start = System.nanoTime();
        subscriber().close();
        assertTrue(System.nanoTime() - start < 8_000_000_000L);
        for (SocketChannel channel : silent) {
            channel.close();
        }
    }

    @Test
    void silentPeersMakeRoomForOthersAndAreToldSo() throws IOException {
        List<SocketChannel> silent = new ArrayList<>();
        for (int i = 0; i < 60; i++) { // more than may shake hands at a time
            silent.add(connect());
        }
        ByteBuffer answer = readAll(silent.get(0));
        assertEquals(MessageDescriptor.REJECT, answer.getShort(4));
        assertEquals(RejectCode.BUSY.code(), answer.getInt(8));
        try (Subscriber soon = Subscriber.builder(stream.key())
                .socketDirectory(stream.directory())
                .connectTimeout(Duration.ZERO) // it is let in at its first try
                .open()) {
            assertEquals(publisher.epoch(), soon.epoch());
        }
        for (SocketChannel channel : silent) {
            channel.close();
        }
        assertNothingKept();
    }

    @Test
    void tenThousandConnectionsLeaveNothing() throws IOException {
        int refused = 0;
        for (int i = 0; i < 10_000; i++) {
            try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
                channel.configureBlocking(false);
                if (!channel.connect(UnixDomainSocketAddress.of(stream.socket()))) {
                    refused++;
                } else if (i % 3 == 0) {
                    channel.write(hello().limit(i % HELLO_LENGTH));
                }
            } catch (IOException e) {
                refused++; // the backlog is full, or it was cut off already
            }
        }
        assertTrue(refused < 10_000);
        assertNothingKept();
    }

    @Test
    void aMessageThatDripsInIsGivenUpAfterTwoSecondsAllTheSame() throws Exception {
        try (SocketChannel channel = connect()) {
            long start = System.nanoTime();
            int sent = 0;
            while (sent < HELLO_LENGTH) {
                try {
                    channel.write(hello().position(sent).limit(sent + 1));
                } catch (IOException e) {
                    break; // it is closed
                }
                sent++;
                LockSupport.parkNanos(100_000_000);
            }
            assertTrue(sent < HELLO_LENGTH, "it was let drip for " + (System.nanoTime() - start) / 1e9 + " s");
            assertEquals(0, readAll(channel).remaining());
        }
        assertNothingKept();
    }

    @Test
    void descriptorsThatAPeerSendsAreClosed() {
        try (Arena arena = Arena.ofConfined();
                SocketMessage message = new SocketMessage(MessageDescriptor.MAX_LENGTH, arena);
                Descriptor socket = new Descriptor(
                        Posix.check(Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0), "socket"));
                Descriptor gift = Posix.memfd("cuframes-gift")) {
            Posix.check(new UnixAddress(stream.socket()).connect(socket), "connect");
            MemorySegment.copy(MemorySegment.ofBuffer(hello()), 0, message.payload(), 0, HELLO_LENGTH);
            int[] gifts = new int[SocketMessage.MAX_DESCRIPTORS];
            Arrays.fill(gifts, gift.fd());
            assertEquals(50, message.send(socket.fd(), 0, 50, 0, gifts));
            assertEquals(HELLO_LENGTH - 50, message.send(socket.fd(), 50, HELLO_LENGTH - 50, 0, gifts));
            assertEquals(MessageDescriptor.WELCOME_LENGTH, message.receive(socket.fd(), 0, 1024, 0));
            assertEquals(
                    MessageDescriptor.WELCOME,
                    message.payload().get(ValueLayout.JAVA_SHORT, MessageDescriptor.TYPE_OFFSET));
        }
        assertNothingKept();
    }

    @Test
    void aPeerThatNeverSaysReadyTakesAPlaceAndNoMore() {
        try (Publisher small = Publisher.builder(stream.key() + "-small")
                        .socketDirectory(stream.directory())
                        .transport(Transport.HOST)
                        .size(64, 64)
                        .maxSubscribers(1)
                        .open();
                RawReader mute =
                        new RawReader(stream.directory().resolve(small.key() + ".sock"), SubscriberMode.STRICT_ORDER)) {
            Subscriber.Builder builder = Subscriber.builder(small.key()).socketDirectory(stream.directory());
            CuframesException full = assertThrows(CuframesException.class, builder::open);
            assertEquals(ErrorCode.NO_SLOT, full.code());
            assertTrue(full.getMessage().contains("raise its maxSubscribers"), full.getMessage());
            assertEquals(0, small.subscribers());
            mute.close();
            openSoon(builder).close();
        }
    }

    /** The place is free once the publisher has seen the end. */
    private static Subscriber openSoon(Subscriber.Builder builder) {
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (true) {
            try {
                return builder.open();
            } catch (CuframesException e) {
                if (e.code() != ErrorCode.NO_SLOT || System.nanoTime() - deadline > 0) {
                    throw e;
                }
            }
        }
    }
}
