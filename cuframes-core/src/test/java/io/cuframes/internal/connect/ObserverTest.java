// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.Frame;
import io.cuframes.Ownership;
import io.cuframes.PublishPolicy;
import io.cuframes.Publisher;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import io.cuframes.internal.connect.Sighting.Standing;
import io.cuframes.internal.protocol.DeviceUuid;
import io.cuframes.internal.protocol.MessageDescriptor;
import io.cuframes.internal.protocol.ObservationDescriptor;
import io.cuframes.internal.protocol.RejectCode;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.testing.StreamFixture;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who only looks: what it is told, that nobody notices it, and whom it may meet. */
class ObserverTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int SLOTS = 4;

    /** The common pool has one thread where there are two cores. */
    private static final Executor OWN_THREAD = Thread.ofPlatform()::start;

    private final StreamFixture stream = new StreamFixture();

    @AfterEach
    void removeAll() {
        stream.close();
    }

    private Publisher.Builder publisher() {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .slots(SLOTS)
                .size(64, 48);
    }

    private Subscriber subscriber(String name, SubscriberMode mode) {
        return Subscriber.builder(stream.key())
                .socketDirectory(stream.directory())
                .mode(mode)
                .name(name)
                .open();
    }

    private static void publish(Publisher publisher) {
        try (WritableFrame frame = publisher.acquire()) {
            frame.publish(publisher.published());
        }
    }

    private Sighting look() {
        return Observer.look(new StreamKey(stream.key()), Place.chosen(stream.directory()));
    }

    private Observation observe() {
        Sighting sighting = look();
        assertEquals(Standing.SEEN, sighting.standing(), sighting::toString);
        return sighting.observation();
    }

    private static void publishDamaged(Publisher publisher) {
        try (WritableFrame frame = publisher.acquire()) {
            frame.damaged(true).publish(publisher.published());
        }
    }

    private static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - deadline < 0, what);
            LockSupport.parkNanos(5_000_000);
        }
    }

    @Test
    void anObserverIsToldOfTheStreamAndItsReaders() {
        try (Publisher publisher = publisher()
                        .policy(PublishPolicy.DROP_NEWEST)
                        .maxSubscribers(5)
                        .open();
                Subscriber holder = subscriber("holder", SubscriberMode.STRICT_ORDER);
                Subscriber sleeper = subscriber("", SubscriberMode.NEWEST_ONLY)) {
            await("both read", () -> publisher.subscribers() == 2);
            publish(publisher);
            publish(publisher);
            try (Frame frame = holder.next(PATIENCE)) {
                Observation seen = observe();
                assertEquals(1, frame.seq());
                assertEquals(stream.key(), seen.key());
                assertEquals((int) ProcessHandle.current().pid(), seen.pid());
                assertFalse(seen.ended());
                assertFalse(seen.idle());
                assertEquals("NV12", seen.shape().pixelFormat());
                assertEquals(64, seen.shape().width());
                assertEquals(48, seen.shape().height());
                assertEquals(Transport.HOST, seen.shape().transport());
                assertEquals(DeviceUuid.NONE, seen.shape().device());
                assertEquals(Ownership.LIBRARY, seen.shape().ownership());
                assertEquals(PublishPolicy.DROP_NEWEST, seen.shape().policy());
                assertEquals(SLOTS, seen.shape().slots());
                assertEquals(publisher.format().frameBytes(), seen.shape().frameBytes());
                assertEquals(2, seen.counts().published());
                assertEquals(2, seen.counts().head());
                assertEquals(2, seen.counts().subscribers());
                assertEquals(1, seen.times().oldestSeq());
                assertTrue(seen.ageNanos() >= 0 && seen.ageNanos() < PATIENCE.toNanos(), seen::toString);
                assertTrue(seen.ringRate() > 0, seen::toString);
                assertEquals(5, seen.maxSubscribers());
                assertEquals(1, seen.slotsInUse());
                assertEquals(2, seen.readers().size());
                Observation.Reader first = seen.readers().get(0);
                assertEquals("holder", first.name());
                assertEquals((int) ProcessHandle.current().pid(), first.pid());
                assertEquals(SubscriberMode.STRICT_ORDER, first.mode());
                assertTrue(first.ready());
                assertEquals(1, Long.bitCount(first.leasedSlots()));
                assertEquals(1, seen.lag(first));
                assertEquals(1, first.received());
                Observation.Reader second = seen.readers().get(1);
                assertEquals(SubscriberMode.NEWEST_ONLY, second.mode());
                assertEquals(2, seen.lag(second));
                assertEquals(0, second.received());
            }
            publisher.setIdle(true);
            assertTrue(observe().idle());
            assertNotNull(sleeper);
        }
        assertEquals(Standing.ABSENT, look().standing());
    }

    @Test
    void anObserverIsToldOfDamagedFrames() {
        try (Publisher publisher = publisher().open()) {
            publish(publisher);
            assertEquals(0, observe().counts().damaged());
            publishDamaged(publisher);
            publishDamaged(publisher);
            assertEquals(2, observe().counts().damaged());
            assertEquals(3, observe().counts().published());
            assertEquals(1, observe().minor());
        }
    }

    @Test
    void moreDamagedFramesThanAnAnswerHasRoomForAreTheMost() throws IOException {
        try (Publisher publisher = publisher().open()) {
            publishDamaged(publisher);
            try (FileChannel segment =
                    FileChannel.open(Path.of("/dev/shm/cuframes-" + stream.key()), StandardOpenOption.WRITE)) {
                ByteBuffer count = ByteBuffer.allocate(Long.BYTES)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(0, 0x1_0000_0007L);
                assertEquals(Long.BYTES, segment.write(count, SegmentDescriptor.DAMAGED_OFFSET));
            }
            assertEquals(4_294_967_295L, observe().counts().damaged());
        }
    }

    @Test
    void theRateIsThatOfTheFramesBetweenTwoLooks() {
        try (Publisher publisher = publisher().open()) {
            publish(publisher);
            Observation before = observe();
            assertEquals(0, observe().rateSince(before));
            for (int i = 0; i < 10; i++) {
                LockSupport.parkNanos(1_000_000);
                publish(publisher);
            }
            Observation now = observe();
            double seconds = (now.times().newest() - before.times().newest()) / 1e9;
            assertEquals(10 / seconds, now.rateSince(before), 1e-6);
        }
    }

    /** The property that a list rests on: who only looks is nobody. */
    @Test
    void aStrictStreamGoesOnUnaffectedByHundredsOfObservers() throws Exception {
        int frames = 2000;
        try (Publisher publisher = publisher()
                        .policy(PublishPolicy.STRICT_WAIT)
                        .waitTimeout(PATIENCE)
                        .gracePeriod(PATIENCE)
                        .maxSubscribers(1) // nobody else could come in
                        .open();
                Subscriber strict = subscriber("strict", SubscriberMode.STRICT_ORDER)) {
            await("it reads", () -> publisher.subscribers() == 1);
            List<String> descriptors =
                    StreamFixture.descriptors(); // before any observer: the server closes its ends later
            CompletableFuture<Long> reading = CompletableFuture.supplyAsync(
                    () -> {
                        long last = 0;
                        while (last < frames) {
                            try (Frame frame = strict.next(PATIENCE)) {
                                assertEquals(last + 1, frame.seq());
                                last = frame.seq();
                            }
                        }
                        return last;
                    },
                    OWN_THREAD);
            CompletableFuture<Void> writing = CompletableFuture.runAsync(
                    () -> {
                        for (int i = 0; i < frames; i++) {
                            publish(publisher);
                            LockSupport.parkNanos(100_000);
                        }
                    },
                    OWN_THREAD);
            int looks = 0;
            while (looks < 300 || !writing.isDone()) {
                if (reading.isCompletedExceptionally()) {
                    reading.join();
                }
                Observation seen = observe();
                assertEquals(1, seen.readers().size());
                assertEquals(1, seen.counts().subscribers());
                assertEquals(1, publisher.subscribers());
                looks++;
            }
            writing.join();
            assertEquals(frames, reading.join());
            assertEquals(frames, publisher.published());
            assertEquals(0, publisher.dropped());
            assertEquals(0, publisher.refused());
            assertEquals(0, publisher.stalled());
            Observation after = observe();
            assertEquals(0, after.slotsInUse());
            assertEquals(frames, after.readers().get(0).received());
            assertEquals(0, after.readers().get(0).missed());
            await("nothing is kept", () -> StreamFixture.descriptors().equals(descriptors));
            strict.close();
            await("it is gone", () -> publisher.subscribers() == 0);
            try (Subscriber next = subscriber("next", SubscriberMode.STRICT_ORDER)) {
                assertNotNull(next);
                assertEquals(2, observe().readers().get(0).number()); // observers have had no number
            }
        }
    }

    @Test
    void observersThatNeitherReadNorGoCostThePublisherNothing() throws IOException {
        List<SocketChannel> channels = new ArrayList<>();
        try (Publisher publisher = publisher().open()) {
            SocketChannel.open(StandardProtocolFamily.UNIX).close(); // the JDK opens a socket of its own at the first
            List<String> before = StreamFixture.descriptors();
            for (int i = 0; i < 200; i++) {
                SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
                channels.add(channel);
                channel.connect(UnixDomainSocketAddress.of(stream.socket()));
                channel.write(hello(ObservationDescriptor.MODE_OBSERVE));
            }
            // What is open is the test's own ends alone.
            await("closed", () -> StreamFixture.descriptors().size() == before.size() + channels.size());
            subscriber("late", SubscriberMode.NEWEST_ONLY).close();
            publish(publisher);
            assertEquals(1, observe().counts().published());
        } finally {
            for (SocketChannel channel : channels) {
                channel.close();
            }
        }
    }

    @Test
    void whatIsNoPublishersSocketIsTold() throws IOException {
        assertEquals(Standing.ABSENT, look().standing());
        Files.createFile(stream.socket());
        assertEquals(Standing.NO_SOCKET, look().standing());
        Files.delete(stream.socket());
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(stream.socket()));
        }
        Sighting sighting = look();
        assertEquals(Standing.DEAD, sighting.standing());
        assertTrue(sighting.remedy().contains("rm " + stream.socket()), sighting::remedy);
    }

    private static ByteBuffer hello(int mode) {
        ByteBuffer hello = message(MessageDescriptor.HELLO, MessageDescriptor.HELLO_LENGTH);
        return hello.putInt(8, MessageDescriptor.HELLO_MAGIC)
                .putShort(12, (short) 1)
                .putInt(20, mode);
    }

    private static ByteBuffer message(int type, int length) {
        ByteBuffer message = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        return message.putInt(0, length).putShort(4, (short) type);
    }

    private ByteBuffer observed() {
        ByteBuffer observed = message(ObservationDescriptor.OBSERVED, ObservationDescriptor.OBSERVED_LENGTH);
        observed.putShort(8, (short) 1).putInt(32, 1).putInt(36, 1).putInt(40, 1);
        observed.putInt(44, 64).putInt(48, 48).putInt(52, 4).putInt(56, 1).putInt(60, 1);
        byte[] key = stream.key().getBytes(StandardCharsets.US_ASCII);
        observed.put(192, key);
        return observed;
    }

    private static ByteBuffer join(ByteBuffer... parts) {
        int length = 0;
        for (ByteBuffer part : parts) {
            length += part.capacity();
        }
        ByteBuffer joined = ByteBuffer.allocate(length);
        for (ByteBuffer part : parts) {
            joined.put(part.rewind());
        }
        return joined.rewind();
    }

    /** Has something else in the publisher's place say that, and tells what an observer makes of it. */
    private Sighting answered(ByteBuffer answer) throws IOException {
        Files.deleteIfExists(stream.socket());
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(stream.socket()));
            CompletableFuture<Sighting> look = CompletableFuture.supplyAsync(this::look);
            try (SocketChannel guest = server.accept()) {
                ByteBuffer hello = ByteBuffer.allocate(MessageDescriptor.HELLO_LENGTH);
                while (hello.hasRemaining()) {
                    assertTrue(guest.read(hello) >= 0);
                }
                if (answer == null) {
                    return look.join(); // and keeps the connection open
                }
                guest.write(answer.rewind());
            }
            return look.join();
        }
    }

    private void assertBroken(String fragment, ByteBuffer answer) throws IOException {
        Sighting sighting = answered(answer);
        assertEquals(Standing.BROKEN, sighting.standing(), sighting::toString);
        assertTrue(sighting.found().contains(fragment), sighting::found);
    }

    @Test
    void answersThatAreNoneAreNamedAndNotTrusted() throws IOException {
        assertEquals(Standing.SEEN, answered(observed()).standing());
        assertBroken("claims", ByteBuffer.wrap("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.US_ASCII)));
        assertBroken("type 2", message(MessageDescriptor.WELCOME, MessageDescriptor.WELCOME_LENGTH));
        assertBroken("128 bytes", message(ObservationDescriptor.OBSERVED, 128));
        assertBroken("version 9", observed().putShort(8, (short) 9));
        assertBroken("state 7", observed().putInt(32, 7));
        assertBroken("transport 8", observed().putInt(36, 8));
        assertBroken("slots", observed().putInt(52, 65));
        assertBroken("policy 4", observed().putInt(56, 4));
        assertBroken("ownership 0", observed().putInt(60, 0));
        assertBroken("257 READERs", observed().putInt(112, 257));
        assertBroken("4294967295 READERs", observed().putInt(112, -1));
        assertBroken("of key \"x", observed().put(192, (byte) 'x'));
        assertBroken("printable", observed().put(192, (byte) 27));
        ByteBuffer reader = message(ObservationDescriptor.READER, ObservationDescriptor.READER_LENGTH);
        assertBroken("mode 3", join(observed().putInt(112, 1), reader.putInt(16, 3)));
        assertBroken("READER", join(observed().putInt(112, 1), observed()));
        assertBroken("does not make sense", message(MessageDescriptor.REJECT, 8));
    }

    @Test
    void numbersBeyondSenseAreBroughtBack() throws IOException {
        ByteBuffer reader = message(ObservationDescriptor.READER, ObservationDescriptor.READER_LENGTH)
                .putInt(16, 1)
                .putInt(20, -1)
                .putLong(24, -1)
                .putLong(32, -1);
        ByteBuffer wild =
                observed().putInt(112, 1).putInt(40, 99).putLong(64, 10).putLong(72, -1);
        Observation seen = answered(join(wild, reader)).observation();
        assertEquals("code 99", seen.shape().pixelFormat());
        assertEquals(10, seen.counts().head());
        assertEquals(0, seen.lag(seen.readers().get(0)));
        assertEquals(4, seen.slotsInUse());
    }

    @Test
    void anOlderAndANewerPublisherAnswerAnObserver() throws IOException {
        Observation older = answered(observed().putLong(64, 10)).observation();
        assertEquals(0, older.minor());
        assertEquals(0, older.counts().damaged());
        Observation newer = answered(
                        observed().putShort(10, (short) -1).putLong(64, 10).putInt(188, -1))
                .observation();
        assertEquals(65535, newer.minor());
        assertEquals(4_294_967_295L, newer.counts().damaged());
    }

    /** An observer of version 1.0 and one of a version to come: both are answered, by this version. */
    @Test
    void anObserverOfAnyMinorVersionIsAnswered() throws IOException {
        try (Publisher publisher = publisher().open()) {
            publishDamaged(publisher);
            for (short minor : new short[] {0, 1, -1}) {
                try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
                    channel.connect(UnixDomainSocketAddress.of(stream.socket()));
                    channel.write(hello(ObservationDescriptor.MODE_OBSERVE).putShort(14, minor));
                    ByteBuffer answer = ByteBuffer.allocate(ObservationDescriptor.OBSERVED_LENGTH)
                            .order(ByteOrder.LITTLE_ENDIAN);
                    while (answer.hasRemaining() && channel.read(answer) >= 0) {
                        Thread.onSpinWait();
                    }
                    assertFalse(answer.hasRemaining(), "an answer of " + answer.position() + " bytes");
                    assertEquals(ObservationDescriptor.OBSERVED, answer.getShort(4));
                    assertEquals(1, answer.getShort(8));
                    assertEquals(1, answer.getShort(10));
                    assertEquals(1, answer.getInt(188));
                }
            }
        }
    }

    @Test
    void whoAnswersNothingHalfOrNoIsToldApart() throws IOException {
        assertEquals(Standing.SILENT, answered(null).standing());
        assertEquals(Standing.BUSY, answered(ByteBuffer.allocate(0)).standing());
        assertEquals(Standing.BUSY, answered(observed().putInt(112, 2)).standing());
        assertEquals(Standing.OTHER_VERSION, rejected(RejectCode.VERSION).standing());
        assertTrue(rejected(RejectCode.VERSION).found().contains("version 3.1"));
        assertEquals(Standing.REFUSED, rejected(RejectCode.ACCESS).standing());
        assertEquals(Standing.BUSY, rejected(RejectCode.ENDING).standing());
        assertEquals(Standing.BROKEN, rejected(RejectCode.MALFORMED).standing());
    }

    private Sighting rejected(RejectCode code) throws IOException {
        return answered(message(MessageDescriptor.REJECT, MessageDescriptor.REJECT_FIXED_LENGTH)
                .putInt(8, code.code())
                .putShort(12, (short) 3)
                .putShort(14, (short) 1));
    }
}
