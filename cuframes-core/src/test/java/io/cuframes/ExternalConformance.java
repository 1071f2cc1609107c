// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.Child;
import io.cuframes.testing.FramePattern;
import io.cuframes.testing.OwnBuffers;
import io.cuframes.testing.StreamFixture;
import io.cuframes.testing.SubscriberProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What must hold of rings of an application's own buffers, on every transport. */
abstract class ExternalConformance {
    static final int WIDTH = 320;
    static final int HEIGHT = 180;
    static final Duration PATIENCE = Duration.ofSeconds(10);

    final Transport transport;
    final StreamFixture stream = new StreamFixture();
    private final List<OwnBuffers> buffers = new ArrayList<>();
    private final List<Child> children = new ArrayList<>();

    ExternalConformance(Transport transport) {
        this.transport = transport;
    }

    @AfterEach
    void cleanUp() {
        children.forEach(Child::close);
        buffers.forEach(OwnBuffers::close);
        stream.close();
    }

    /** Buffers that live until the test ends. */
    OwnBuffers own(int count) {
        OwnBuffers made = new OwnBuffers(transport, OwnBuffers.layout(WIDTH, HEIGHT), count);
        buffers.add(made);
        return made;
    }

    Publisher.Builder publisher() {
        return Publisher.builder(stream.key()).socketDirectory(stream.directory());
    }

    Subscriber.Builder subscriber() {
        return Subscriber.builder(stream.key()).socketDirectory(stream.directory());
    }

    Child subscriberProcess(SubscriberMode mode) {
        Child child = Child.start(SubscriberProcess.class, stream.key(), stream.directory(), mode);
        children.add(child);
        assertEquals("ready " + transport, child.answer());
        return child;
    }

    static void publish(Publisher publisher, WritableFrame frame, long number) {
        new FramePattern(publisher.format()).write(frame, number);
        assertEquals(number, frame.publish(number * 40_000_000));
        while (publisher.announced() < number) {
            Thread.onSpinWait();
        }
    }

    static void publish(Publisher publisher, long number) {
        try (WritableFrame frame = publisher.acquire()) {
            publish(publisher, frame, number);
        }
    }

    /** Opening is refused, the message says why, and nothing is left. */
    void refused(Consumer<Publisher.Builder> change, String... fragments) {
        List<String> descriptors = StreamFixture.descriptors();
        Publisher.Builder builder = publisher();
        change.accept(builder);
        CuframesException refused =
                assertThrows(CuframesException.class, () -> builder.open().close());
        assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code(), refused.getMessage());
        for (String fragment : fragments) {
            assertTrue(refused.getMessage().contains(fragment), refused.getMessage());
        }
        assertEquals(List.of(), stream.remains());
        assertEquals(descriptors, StreamFixture.descriptors());
    }

    @Test
    void framesInOwnBuffersArriveCompleteAndInOrder() {
        try (Publisher publisher = own(7).register(publisher()).open()) {
            Child strict = subscriberProcess(SubscriberMode.STRICT_ORDER);
            for (int batch = 1; batch <= 10; batch++) {
                for (int i = 1; i <= 5; i++) {
                    publish(publisher, batch * 5L - 5 + i);
                }
                assertEquals("read " + batch * 5 + " 0 " + batch * 5 + " 0 true", strict.ask("read 5"));
            }
            strict.close(); // a publisher of device memory waits for it
        }
    }

    @Test
    void aFrameHeldInAnOwnBufferNeverChangesAndNeverStopsTheWriter() {
        try (Publisher publisher = own(4).register(publisher()).open()) {
            Child holder = subscriberProcess(SubscriberMode.NEWEST_ONLY);
            publish(publisher, 1);
            assertEquals("read 1 0 1 0 true", holder.ask("hold 1"));
            for (int i = 2; i <= 50; i++) {
                publish(publisher, i);
            }
            assertEquals("read 1 0 1 0 true", holder.ask("check"));
            assertEquals(0, publisher.dropped());
            holder.close();
        }
    }

    @Test
    void aFrameTellsWhichBufferItIsAndLiesThere() {
        OwnBuffers own = own(5);
        try (Publisher publisher = own.register(publisher()).open()) {
            assertEquals(Ownership.EXTERNAL, publisher.ownership());
            assertEquals(own.layout(), publisher.format());
            Set<Integer> seen = new TreeSet<>();
            List<WritableFrame> frames = new ArrayList<>();
            for (WritableFrame frame = publisher.acquire(); frame != null; frame = publisher.acquire()) {
                seen.add(frame.slot());
                frames.add(frame);
                for (int i = 0; i < 2; i++) {
                    Plane plane = frame.plane(i);
                    long address = transport.isDevice()
                            ? plane.pointer().address()
                            : plane.segment().address();
                    assertEquals(own.address(frame.slot(), i), address);
                }
            }
            assertEquals(Set.of(0, 1, 2, 3, 4), seen);
            frames.forEach(WritableFrame::close);
            assertThrows(IllegalStateException.class, () -> frames.getFirst().slot());
        }
    }

    @Test
    void aSubscriberLearnsOfOwnershipAndLayout() {
        OwnBuffers own = own(3);
        try (Publisher publisher = own.register(publisher()).open();
                Subscriber subscriber = subscriber().open()) {
            assertEquals(Ownership.EXTERNAL, subscriber.ownership());
            assertEquals(own.layout(), subscriber.format());
            assertEquals(3, subscriber.slots());
            assertTrue(publisher.describe().contains("registered buffers"), publisher.describe());
        }
    }

    @Test
    void aParticularSlotIsGivenUnlessItIsReadOrTaken() {
        try (Publisher publisher = own(4).register(publisher()).open();
                Subscriber subscriber = subscriber().open()) {
            for (int i = 1; i <= 3; i++) {
                try (WritableFrame frame = publisher.acquire(2)) { // also where it holds the newest frame
                    assertEquals(2, frame.slot());
                    publish(publisher, frame, i);
                }
            }
            Frame held = subscriber.next(PATIENCE);
            assertEquals(3, held.seq());
            assertNull(publisher.acquire(2), "it is being read");
            assertEquals(0, publisher.dropped(), "the caller may have another buffer");
            try (WritableFrame frame = publisher.acquire(0)) {
                assertThrows(IllegalStateException.class, () -> publisher.acquire(0));
                publish(publisher, frame, 4);
            }
            assertEquals(-1, new FramePattern(publisher.format()).firstFault(held, 3));
            held.close();
            publisher.acquire(2).close();
            assertThrows(IndexOutOfBoundsException.class, () -> publisher.acquire(4));
            assertThrows(IndexOutOfBoundsException.class, () -> publisher.acquire(-1));
        }
    }

    @Test
    void aReaderIsNotGivenAFrameThatAnAcquiredSlotHeld() {
        try (Publisher publisher = own(4).register(publisher()).open();
                Subscriber strict =
                        subscriber().mode(SubscriberMode.STRICT_ORDER).open()) {
            for (int i = 1; i <= 3; i++) {
                try (WritableFrame frame = publisher.acquire(i)) {
                    publish(publisher, frame, i);
                }
            }
            try (WritableFrame frame = publisher.acquire(2)) { // that of frame 2, while 1 and 3 are older and newer
                publish(publisher, frame, 4);
            }
            for (long seq : new long[] {1, 3, 4}) {
                try (Frame frame = strict.next(PATIENCE)) {
                    assertEquals(seq, frame.seq());
                    assertEquals(seq == 3 ? 1 : 0, frame.missed());
                    assertEquals(-1, new FramePattern(publisher.format()).firstFault(frame, seq));
                }
            }
        }
    }

    @Test
    void theBuffersStayTheApplicationsAndNothingElseRemains() {
        OwnBuffers own = own(4);
        List<String> descriptors = StreamFixture.descriptors();
        List<String> mappings = StreamFixture.mappings();
        for (int round = 0; round < 3; round++) { // the same buffers again
            try (Publisher publisher = own.register(publisher()).open();
                    Subscriber subscriber = subscriber().open()) {
                for (int i = 1; i <= 6; i++) {
                    publish(publisher, i);
                    try (Frame frame = subscriber.next(PATIENCE)) {
                        assertEquals(-1, new FramePattern(publisher.format()).firstFault(frame, i));
                    }
                }
            }
            requireUsable(own);
            assertEquals(List.of(), stream.remains());
            assertEquals(descriptors, StreamFixture.descriptors());
            assertEquals(mappings, StreamFixture.mappings());
        }
    }

    /** Writes to the buffers and reads back. */
    abstract void requireUsable(OwnBuffers own);

    @Test
    void twoPublishersMayShareOneAllocation() {
        OwnBuffers own = own(4);
        StreamFixture other = new StreamFixture();
        try (Publisher second = halfOf(own, 2, Publisher.builder(other.key()).socketDirectory(other.directory()))
                .open()) {
            Publisher first = halfOf(own, 0, publisher()).open();
            publish(second, 1);
            first.close(); // and with it its use of the allocation
            try (Subscriber subscriber = Subscriber.builder(other.key())
                            .socketDirectory(other.directory())
                            .open();
                    Frame frame = subscriber.next(PATIENCE)) {
                assertEquals(-1, new FramePattern(second.format()).firstFault(frame, 1));
            }
        } finally {
            other.close();
        }
    }

    /** The slots that begin in the first or the second half of each allocation. */
    private Publisher.Builder halfOf(OwnBuffers own, int from, Publisher.Builder builder) {
        List<Integer> slots = List.of(from / 2, from / 2 + 2);
        return transport.isDevice()
                ? builder.externalDevice(
                        own.layout(), slots.stream().map(own.device()::get).toList())
                : builder.externalHost(
                        own.layout(), slots.stream().map(own.host()::get).toList());
    }

    @Test
    void aRingOfOwnBuffersIsNotReopenedAndGoesOn() {
        try (Publisher publisher = own(3).register(publisher()).open();
                Subscriber subscriber = subscriber().open()) {
            CuframesException refused = assertThrows(
                    CuframesException.class,
                    () -> publisher.reopen(FrameFormat.of(PixelFormat.NV12, 640, 360, ColorInfo.UNKNOWN)));
            assertEquals(ErrorCode.UNSUPPORTED, refused.code());
            assertTrue(refused.getMessage().contains("registered buffers"), refused.getMessage());
            publish(publisher, 1);
            try (Frame frame = subscriber.next(PATIENCE)) {
                assertEquals(1, frame.seq());
            }
        }
    }

    @Test
    void whatContradictsTheBuffersIsRefused() {
        OwnBuffers own = own(3);
        Transport another = transport.isDevice() ? Transport.HOST : Transport.CUDA_IPC;
        refused(b -> own.register(b).size(640, 360), "size is 640x360", "320x180");
        refused(b -> own.register(b).format(PixelFormat.GRAY8), "format is GRAY8", "NV12");
        refused(b -> own.register(b).slots(6), "slots is 6", "buffers 3");
        refused(b -> own.register(b).transport(another), "transport is " + another, transport.toString());
        refused(
                b -> own.register(b).color(new ColorInfo(1, 1, 1, ColorInfo.Range.FULL)),
                "color is ",
                ColorInfo.UNKNOWN.toString());
        try (Publisher agreed = own.register(publisher())
                .size(WIDTH, HEIGHT)
                .format(PixelFormat.NV12)
                .slots(3)
                .transport(transport)
                .open()) {
            assertEquals(Ownership.EXTERNAL, agreed.ownership());
        }
    }

    @Test
    void tooFewOrTooManyBuffersAreRefused() {
        OwnBuffers own = own(65);
        refused(b -> own.register(b), "slots is 65", "2 to 64");
        OwnBuffers one = own(1);
        refused(b -> one.register(b), "slots is 1", "2 to 64");
    }
}
