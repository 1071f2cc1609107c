// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import static io.cuframes.fuzz.Limits.require;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.cuframes.ErrorCode;
import io.cuframes.SubscriberMode;
import io.cuframes.ffm.Libc;
import io.cuframes.fuzz.Input;
import io.cuframes.fuzz.Limits;
import io.cuframes.fuzz.RawSocket;
import io.cuframes.internal.cuda.ReaderDevice;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.os.UnixAddress;
import io.cuframes.internal.protocol.RejectCode;
import io.cuframes.testing.StreamFixture;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What answers a subscriber: any bytes in two parts, any number of descriptors of any kind with each, over a segment and a control page with any
 * bytes changed. The subscriber connects and reads, or says with a documented code why not; the other end closes after its answer, so that the
 * time limit of a handshake plays no part.
 */
class SubscriberFuzzTest {
    private static final long PATIENCE_SECONDS = 10;
    private static final int LONGEST = 1100;

    private static final StreamFixture STREAM = new StreamFixture();
    private static final OfferedDescriptors OFFERED = new OfferedDescriptors();
    private static final Descriptor LISTENER = listen();
    private static final SynchronousQueue<Answer> ANSWERS = new SynchronousQueue<>();
    private static final SynchronousQueue<Boolean> ANSWERED = new SynchronousQueue<>();

    /** NO_SLOT, ACCESS_DENIED and UNSUPPORTED are what a REJECT may mean, NOT_FOUND that no whole answer came. */
    private final Limits limits = new Limits(
            ErrorCode.PROTOCOL,
            ErrorCode.UNSUPPORTED,
            ErrorCode.NO_SLOT,
            ErrorCode.ACCESS_DENIED,
            ErrorCode.NOT_FOUND,
            ErrorCode.CUDA);

    static {
        Thread.ofPlatform().daemon().name("fuzz-publisher").start(SubscriberFuzzTest::answerAll);
    }

    /** What the other end does on its connection. */
    private interface Answer {
        void give(Descriptor socket);
    }

    private static Descriptor listen() {
        Descriptor listener = new Descriptor(
                Posix.check(Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0), "socket"));
        UnixAddress address = new UnixAddress(STREAM.directory().resolve(SeedSegment.KEY + ".sock"));
        Posix.check(address.bind(listener), "bind");
        Posix.check(Libc.listen(listener.fd(), 4), "listen");
        return listener;
    }

    private static void answerAll() {
        try {
            while (true) {
                Answer answer = ANSWERS.take();
                require(RawSocket.isReadable(LISTENER, (int) TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS)), "no one");
                int fd = Libc.accept4(LISTENER.fd(), MemorySegment.NULL, MemorySegment.NULL, Libc.SOCK_CLOEXEC);
                try (Descriptor socket = new Descriptor(fd)) {
                    RawSocket.isReadable(socket, 1000); // HELLO: a close with bytes unread would be a reset
                    readHello(socket);
                    answer.give(socket);
                }
                ANSWERED.put(true);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void readHello(Descriptor socket) {
        try (Arena arena = Arena.ofConfined()) {
            Libc.read(socket.fd(), arena.allocate(LONGEST).address(), LONGEST);
        }
    }

    static Stream<byte[]> answers() {
        return Stream.concat(
                Stream.of(
                        answer(SeedMessages.welcome(3), 0, 1, 2),
                        answer(SeedMessages.welcome(3), 3, 1, 2),
                        answer(SeedMessages.welcome(3), 3, 1),
                        answer(SeedMessages.welcome(2), 3, 1),
                        answer(SeedMessages.welcome(3), 5, 1, 2),
                        answer(SeedMessages.welcome(3), 4, 1, 2),
                        answer(SeedMessages.welcome(3), 0, 7, 2),
                        answer(SeedMessages.welcome(3), 0, 6, 2),
                        answer(SeedMessages.welcome(3), 0, 9, 2),
                        answer(SeedMessages.welcome(3), 0, 10, 2),
                        answer(SeedMessages.welcome(3), 0, 1, 8),
                        answer(SeedMessages.welcome(3), 0, 1, 11),
                        answer(SeedMessages.welcome(3), 0, 1, 12),
                        answer(SeedMessages.welcome(3), 14, 15, 16),
                        answer(SeedMessages.welcome(3), 17, 18, 13),
                        answer(SeedMessages.welcome(3), 0, 1, 2, 2, 2, 2, 2, 2, 2),
                        answer(SeedMessages.ready()),
                        patched(64 / 8),
                        patched(512)),
                Stream.of(RejectCode.values()).map(code -> answer(SeedMessages.reject(code, "why"))));
    }

    /** One send; nothing changed. */
    private static byte[] answer(byte[] message, int... kinds) {
        return seed(new byte[] {0, 0}, message, kinds);
    }

    /** A good answer with another byte in the segment. */
    private static byte[] patched(int offset) {
        byte[] patches = {1, (byte) offset, (byte) (offset >> 8), 1, 0x55, 0};
        return seed(patches, SeedMessages.welcome(3), 0, 1, 2);
    }

    private static byte[] seed(byte[] patches, byte[] message, int... kinds) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(patches);
        bytes.write(kinds.length);
        for (int kind : kinds) {
            bytes.write(kind);
        }
        bytes.write(0); // descriptors of the second part
        bytes.write(255); // bytes of the first part
        bytes.writeBytes(message);
        return bytes.toByteArray();
    }

    @MethodSource("answers")
    @FuzzTest(maxDuration = "5m")
    void oneAnswer(byte[] bytes) {
        Input input = new Input(bytes);
        OFFERED.fill(input);
        int[] first = OFFERED.choose(input);
        int[] second = OFFERED.choose(input);
        int split = input.u8();
        byte[] message = input.take(LONGEST);
        int middle = Math.min(split, message.length);
        Answer answer = socket -> {
            RawSocket.send(socket, Arrays.copyOf(message, middle), first);
            RawSocket.send(socket, Arrays.copyOfRange(message, middle, message.length), second);
        };
        limits.check(() -> {
            give(answer);
            try {
                connect();
            } finally {
                await();
            }
        });
    }

    private static void give(Answer answer) {
        try {
            require(ANSWERS.offer(answer, PATIENCE_SECONDS, TimeUnit.SECONDS), "the other end does not take it");
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Until the other end's descriptors are closed. */
    private static void await() {
        try {
            require(ANSWERED.poll(PATIENCE_SECONDS, TimeUnit.SECONDS) != null, "the other end hangs");
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void connect() {
        Connector connector = new Connector(
                new StreamKey(SeedSegment.KEY),
                STREAM.directory(),
                SubscriberMode.NEWEST_ONLY,
                "fuzzed",
                ReaderDevice.AUTOMATIC);
        try (Connection connection = connector.connect(Duration.ZERO, () -> false)) {
            require(connection.maxLeases() >= 1, "leases");
            connection.ready();
            connection.isCut();
            connection.farewell();
            for (SubscriberMode mode : SubscriberMode.values()) {
                SegmentFuzzTest.readRing(connection.segment(), connection.control(), connection.header(), mode);
            }
            for (int slot = 0; slot < connection.header().ring().slots(); slot++) {
                MemorySegment pixels = connection.ring().host(slot);
                pixels.get(ValueLayout.JAVA_BYTE, 0);
                pixels.get(ValueLayout.JAVA_BYTE, pixels.byteSize() - 1);
            }
        }
    }
}
