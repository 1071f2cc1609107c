// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import static io.cuframes.fuzz.Limits.require;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.cuframes.Frame;
import io.cuframes.Publisher;
import io.cuframes.Subscriber;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import io.cuframes.ffm.Libc;
import io.cuframes.ffm.SocketMessage;
import io.cuframes.fuzz.Input;
import io.cuframes.fuzz.RawSocket;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.os.UnixAddress;
import io.cuframes.internal.protocol.MessageDescriptor;
import io.cuframes.testing.StreamFixture;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What a publisher's server is sent, against a live publisher: up to four parts of any bytes, with any number of descriptors of any kind. It answers
 * what the protocol says for these bytes and closes, keeps nothing, and goes on to serve others.
 */
class PublisherFuzzTest {
    private static final int PATIENCE_MILLIS = 10_000;
    private static final int MOST_PARTS = 4;
    private static final int LONGEST_PART = 1200;

    /** How often an honest subscriber comes along. */
    private static final int RUNS_PER_VISIT = 64;

    private static final StreamFixture STREAM = new StreamFixture();
    private static final Publisher PUBLISHER = Publisher.builder(STREAM.key())
            .socketDirectory(STREAM.directory())
            .transport(Transport.HOST)
            .size(64, 64)
            .open();
    private static final OfferedDescriptors OFFERED = new OfferedDescriptors();

    private static final UnixAddress ADDRESS = new UnixAddress(STREAM.socket());

    private int runs;

    /** What this process has open and mapped without a subscriber; of its first run, since the JVM opens some of its own. */
    private static List<String> heldFirst;

    static Stream<byte[]> conversations() {
        byte[] hello = SeedMessages.hello(1, "");
        return Stream.of(
                parts(hello),
                parts(SeedMessages.hello(2, "recorder"), SeedMessages.ready()),
                parts(hello, SeedMessages.ready(), SeedMessages.ready()),
                parts(SeedMessages.hello(3, "")),
                tooManyDescriptors(hello),
                parts(SeedMessages.bye()),
                parts(new byte[] {112, 0, 0}, new byte[] {0, 1, 0, 0, 0, 'C'}),
                parts("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII)));
    }

    private static byte[] tooManyDescriptors(byte[] message) {
        byte[] bytes = new byte[13 + message.length];
        bytes[1] = SocketMessage.MAX_DESCRIPTORS + 1;
        bytes[11] = (byte) message.length;
        System.arraycopy(message, 0, bytes, 13, message.length);
        return bytes;
    }

    private static byte[] parts(byte[]... messages) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(messages.length - 1);
        for (int i = 0; i < messages.length; i++) {
            bytes.write(i); // descriptors
            for (int kind = 0; kind < i; kind++) {
                bytes.write(kind);
            }
            bytes.write(messages[i].length);
            bytes.write(messages[i].length >> 8);
            bytes.writeBytes(messages[i]);
        }
        return bytes.toByteArray();
    }

    @MethodSource("conversations")
    @FuzzTest(maxDuration = "5m")
    void oneConversation(byte[] bytes) {
        try (Descriptor socket = new Descriptor(
                Posix.check(Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0), "socket"))) {
            Posix.check(ADDRESS.connect(socket), "connect");
            ByteArrayOutputStream sent = new ByteArrayOutputStream();
            Input input = new Input(bytes);
            int tooManyFrom = Integer.MAX_VALUE;
            for (int parts = input.u8() % MOST_PARTS; parts >= 0; parts--) {
                int[] descriptors = OFFERED.choose(input);
                byte[] part = input.take(input.u16() % LONGEST_PART);
                RawSocket.send(socket, part, descriptors);
                if (part.length > 0 && descriptors.length > SocketMessage.MAX_DESCRIPTORS) {
                    tooManyFrom = Math.min(tooManyFrom, sent.size());
                }
                sent.writeBytes(part);
            }
            Libc.shutdown(socket.fd(), Libc.SHUT_WR); // no more: the server sees the end
            requireAnswer(socket, sent.toByteArray(), tooManyFrom);
        }
        if (runs++ % RUNS_PER_VISIT == 0) {
            visit();
            awaitNothingKept();
        }
    }

    /** Reads to the end, and compares with what the protocol says for what was sent. */
    private static void requireAnswer(Descriptor socket, byte[] sent, int tooManyFrom) {
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        int descriptors = 0;
        try (Arena arena = Arena.ofConfined();
                SocketMessage message = new SocketMessage(MessageDescriptor.MAX_LENGTH, arena)) {
            long received = 1;
            while (received > 0) {
                require(RawSocket.isReadable(socket, PATIENCE_MILLIS), "the publisher keeps the connection");
                received = message.receive(socket.fd(), 0, MessageDescriptor.MAX_LENGTH, 0);
                if (received > 0) {
                    answer.writeBytes(message.payload().asSlice(0, received).toArray(JAVA_BYTE));
                }
                descriptors = Math.max(descriptors, message.descriptorCount());
            }
        }
        int expected = expected(sent, tooManyFrom);
        byte[] got = answer.toByteArray();
        // A close with bytes unread may overtake the answer.
        if (got.length == 0 && expected != MessageDescriptor.WELCOME) {
            return;
        }
        ByteBuffer words = ByteBuffer.wrap(got).order(ByteOrder.LITTLE_ENDIAN);
        require(got.length >= MessageDescriptor.HEADER_LENGTH, got.length + " bytes of an answer");
        int type = words.getShort(4);
        require(type == expected, "type " + type + " and not " + expected);
        int more = type == OBSERVED ? 128 * words.getInt(112) : 0; // its READERs
        require(
                words.getInt(0) + more == got.length,
                words.getInt(0) + " and " + more + " of " + got.length + " bytes");
        require(descriptors == (type == MessageDescriptor.WELCOME ? 3 : 0), descriptors + " descriptors");
    }

    /** What an observer is answered, of 256 bytes. */
    private static final int OBSERVED = 6;

    /**
     * The type of the answer, 0 for none: section 6 of docs/protocol.md, read once more.
     *
     * @param tooManyFrom the byte that came with more descriptors than any message has
     */
    private static int expected(byte[] sent, int tooManyFrom) {
        if (tooManyFrom < MessageDescriptor.HEADER_LENGTH) {
            return MessageDescriptor.REJECT;
        }
        if (sent.length < MessageDescriptor.HEADER_LENGTH) {
            return 0;
        }
        ByteBuffer bytes = ByteBuffer.wrap(sent).order(ByteOrder.LITTLE_ENDIAN);
        int length = bytes.getInt(0);
        if (length < 8 || length > 1024 || tooManyFrom < length) {
            return MessageDescriptor.REJECT;
        }
        if (sent.length < length) {
            return 0;
        }
        boolean good = length == 112
                && bytes.getShort(4) == 1
                && bytes.getInt(8) == 0x48465543
                && bytes.getShort(12) == 1
                && isText(bytes.slice(48, 64));
        if (good && bytes.getInt(20) == 3) {
            return OBSERVED;
        }
        boolean reader = good && (bytes.getInt(16) & 2) != 0 && (bytes.getInt(20) == 1 || bytes.getInt(20) == 2);
        return reader ? MessageDescriptor.WELCOME : MessageDescriptor.REJECT;
    }

    private static boolean isText(ByteBuffer field) {
        while (field.hasRemaining()) {
            byte next = field.get();
            if (next == 0) {
                return true;
            }
            if (next < 0x20 || next == 0x7f) {
                return false;
            }
        }
        return false;
    }

    /** An honest subscriber finds everything as it should be. */
    private static void visit() {
        try (Subscriber subscriber = Subscriber.builder(STREAM.key())
                .socketDirectory(STREAM.directory())
                .open()) {
            try (WritableFrame frame = PUBLISHER.acquire()) {
                frame.publish(1);
            }
            try (Frame frame = subscriber.next(Duration.ofSeconds(10))) {
                require(frame != null, "no frame");
            }
        }
    }

    /** The server lets go of a peer some time after the peer has let go of it. */
    private static void awaitNothingKept() {
        long start = System.nanoTime();
        List<String> before = List.of();
        while (true) {
            List<String> now = held();
            boolean still = heldFirst == null
                    ? now.equals(before) && !now.toString().contains("cuframes-control")
                    : now.equals(heldFirst);
            if (still && PUBLISHER.subscribers() == 0) {
                heldFirst = now;
                return;
            }
            require(
                    System.nanoTime() - start < PATIENCE_MILLIS * 1_000_000L,
                    "held were " + heldFirst + " and are " + now);
            before = now;
            LockSupport.parkNanos(heldFirst == null ? 50_000_000 : 1_000_000);
        }
    }

    private static List<String> held() {
        return Stream.concat(StreamFixture.descriptors().stream(), StreamFixture.mappings().stream())
                .toList();
    }
}
