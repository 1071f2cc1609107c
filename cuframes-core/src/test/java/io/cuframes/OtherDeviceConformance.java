// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.internal.connect.Observation;
import io.cuframes.internal.connect.Observer;
import io.cuframes.internal.connect.Place;
import io.cuframes.internal.connect.StreamKey;
import io.cuframes.internal.cuda.Cuda;
import io.cuframes.testing.Child;
import io.cuframes.testing.DeviceStream;
import io.cuframes.testing.FramePattern;
import io.cuframes.testing.OwnBuffers;
import io.cuframes.testing.PublisherProcess;
import io.cuframes.testing.StreamFixture;
import io.cuframes.testing.SubscriberProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A machine with two GPUs: a ring on one, and readers on the other, which may see that one alone. */
abstract class OtherDeviceConformance {
    private static final int SLOTS = 4;
    private static final int WIDTH = 320;
    private static final int HEIGHT = 180;
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final StreamFixture stream = new StreamFixture();

    /** The variable, of this kind of CUDA, that chooses which devices a process sees and in which order. */
    abstract String visibility();

    @BeforeEach
    void initialize() {
        Cuda.load();
    }

    @AfterEach
    void removeStream() {
        stream.close();
    }

    private Child publisherThatSees(String devices, Transport transport) {
        Child child = Child.start(
                Map.of(visibility(), devices),
                PublisherProcess.class,
                stream.key(),
                stream.directory(),
                transport,
                SLOTS,
                WIDTH,
                HEIGHT);
        assertEquals("ready " + transport, child.answer());
        return child;
    }

    /** A strict reader. */
    private Child readerThatSees(String devices, String... options) {
        List<Object> arguments =
                new ArrayList<>(List.of(stream.key(), stream.directory(), SubscriberMode.STRICT_ORDER));
        arguments.addAll(List.of(options));
        return Child.start(Map.of(visibility(), devices), SubscriberProcess.class, arguments.toArray());
    }

    private Publisher publisherOn(int device, Transport transport) {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(transport)
                .device(device)
                .slots(SLOTS)
                .size(WIDTH, HEIGHT)
                .open();
    }

    private Subscriber.Builder subscriber() {
        return Subscriber.builder(stream.key()).socketDirectory(stream.directory());
    }

    private static void publish(Publisher publisher, int seq) {
        try (WritableFrame frame = publisher.acquire()) {
            new FramePattern(publisher.format()).write(frame, seq);
            frame.publish(seq);
        }
    }

    /** Some frames to a reader that is there, each way of reading. */
    private static void read(Child publisher, Child reader) {
        assertEquals("subscribers 1", publisher.ask("await 1"));
        assertEquals("published 3", publisher.ask("publish 3"));
        assertEquals("read 3 0 3 0 true", reader.ask("read 3"));
        for (int batch = 2; batch <= 10; batch++) {
            publisher.ask("publish 3");
            assertEquals("read " + 3 * batch + " 0 " + 3 * batch + " 0 true", reader.ask("async 3"));
        }
        assertEquals("slots " + SLOTS, publisher.ask("slots"), "the GPU that reads has ended its leases");
    }

    @Test
    void aProcessThatSeesTheOtherGpuAloneReads() {
        try (Child publisher = publisherThatSees("0", Transport.CUDA_VMM);
                Child reader = readerThatSees("1")) {
            assertEquals("ready CUDA_VMM", reader.answer());
            String device = reader.ask("device");
            assertTrue(device.contains("CUDA_VMM on device 0 "), device);
            assertTrue(device.endsWith(", from a ring on " + Cuda.device(0).uuid()), device);
            read(publisher, reader);
            Observation seen = Observer.look(new StreamKey(stream.key()), Place.chosen(stream.directory()))
                    .observation();
            assertEquals(
                    Cuda.device(1).uuid(), seen.readers().getFirst().device(), "who looks is told where it is read");
            assertEquals(Cuda.device(0).uuid(), seen.shape().device());
        }
    }

    @Test
    void aContainerWithAGpuOfItsOwnReads() throws Exception {
        NamespaceConformance.requireNamespaces();
        List<String> container = new ArrayList<>(List.of("env", visibility() + "=1"));
        container.addAll(NamespaceConformance.CONTAINER);
        try (Child publisher = publisherThatSees("0", Transport.CUDA_VMM);
                Child reader = Child.startBy(
                        container,
                        SubscriberProcess.class,
                        stream.key(),
                        stream.directory(),
                        SubscriberMode.STRICT_ORDER)) {
            assertEquals("ready CUDA_VMM", reader.answer());
            assertTrue(reader.ask("device").contains("from a ring on"));
            read(publisher, reader);
        }
    }

    @Test
    void theSameTheOtherWayRoundAndWithTheOrderTurned() {
        try (Child publisher = publisherThatSees("1,0", Transport.CUDA_VMM);
                Child reader = readerThatSees("0")) {
            assertEquals("ready CUDA_VMM", reader.answer());
            String device = reader.ask("device");
            assertTrue(device.endsWith(", from a ring on " + Cuda.device(1).uuid()), device);
            read(publisher, reader);
        }
    }

    @Test
    void aProcessThatSeesBothFindsTheRingsOwnInEitherOrder() {
        for (Transport transport : List.of(Transport.CUDA_VMM, Transport.CUDA_IPC)) {
            try (Child publisher = publisherThatSees("0", transport);
                    Child reader = readerThatSees("1,0")) {
                assertEquals("ready " + transport, reader.answer());
                String device = reader.ask("device");
                assertTrue(device.contains(" on device 1 ") && !device.contains("from a ring"), device);
                read(publisher, reader);
            }
        }
    }

    @Test
    void aProcessThatSeesBothReadsOnTheOneItChooses() {
        try (Child publisher = publisherThatSees("0", Transport.CUDA_VMM);
                Child reader = readerThatSees("0,1", "device=1")) {
            assertEquals("ready CUDA_VMM", reader.answer());
            String device = reader.ask("device");
            assertTrue(device.contains("CUDA_VMM on device 1 ") && device.contains("from a ring on"), device);
            read(publisher, reader);
        }
    }

    @Test
    void whatIsMappedOnTheOtherGpuCannotBeWrittenThere() {
        try (Child publisher = publisherThatSees("0", Transport.CUDA_VMM);
                Child writer = readerThatSees("1");
                Child witness = readerThatSees("0")) {
            assertEquals("ready CUDA_VMM", writer.answer());
            assertEquals("ready CUDA_VMM", witness.answer());
            assertEquals("subscribers 2", publisher.ask("await 2"));
            publisher.ask("publish 1");
            assertEquals("read 1 0 1 0 true", writer.ask("hold 1"));
            for (String status :
                    writer.ask("write").substring("wrote ".length()).split(" ", -1)) {
                assertNotEquals("0", status);
            }
            assertEquals("read 1 0 1 0 true", witness.ask("read 1"), "the pixels are as they were");
        }
    }

    @Test
    void aReaderThatDiesOnTheOtherGpuLeavesItsSlotsFree() {
        try (Child publisher = publisherThatSees("0", Transport.CUDA_VMM)) {
            for (int round = 0; round < 5; round++) {
                try (Child reader = readerThatSees("1")) {
                    assertEquals("ready CUDA_VMM", reader.answer());
                    assertEquals("subscribers 1", publisher.ask("await 1"));
                    publisher.ask("publish 2");
                    assertTrue(reader.ask("hold 2").endsWith(" 0 true"));
                    assertEquals("slots " + (SLOTS - 2), publisher.ask("slots"));
                    reader.kill();
                    assertEquals("subscribers 0", publisher.ask("await 0"));
                    assertEquals("slots " + SLOTS, publisher.ask("slots"));
                }
            }
        }
    }

    @Test
    void aReaderOnTheOtherGpuSurvivesItsPublisherAndFollowsTheNext() {
        try (Child reader = followed()) {
            try (Child second = publisherThatSees("0", Transport.CUDA_VMM)) {
                reader.tell("read 2");
                assertEquals("subscribers 1", second.ask("await 1"));
                second.ask("publish 2");
                reader.answer();
                assertTrue(reader.ask("epochs").endsWith(", NV12 320x180 2"));
            }
        }
    }

    /** A reader whose publisher was killed while it held a frame, which stays whole. */
    private Child followed() {
        try (Child first = publisherThatSees("0", Transport.CUDA_VMM)) {
            Child reader = readerThatSees("1", "reconnect");
            assertEquals("ready CUDA_VMM", reader.answer());
            assertEquals("subscribers 1", first.ask("await 1"));
            first.ask("publish 1");
            assertEquals("read 1 0 1 0 true", reader.ask("hold 1"));
            first.kill();
            assertEquals("read 1 0 1 0 true", reader.ask("check"));
            reader.ask("drop");
            return reader;
        }
    }

    @Test
    void aRingOfCudaIpcIsReadOnItsOwnGpuAloneAndSaysWhy() {
        try (Publisher publisher = publisherOn(0, Transport.CUDA_IPC)) {
            CuframesException chosen = assertThrows(
                    CuframesException.class, () -> subscriber().device(1).open());
            assertEquals(ErrorCode.UNSUPPORTED, chosen.code());
            assertTrue(chosen.getMessage().contains("its handle opens on that one alone"), chosen.getMessage());
            try (Child blind = readerThatSees("1")) {
                String answer = blind.answer();
                assertTrue(
                        answer.startsWith(
                                "error CUDA the frames are on " + Cuda.device(0).uuid()),
                        answer);
                assertTrue(answer.contains("CUDA_VISIBLE_DEVICES"), answer);
                assertTrue(answer.contains("CUDA_VMM on others"), answer);
            }
            assertEquals(0, publisher.subscribers());
        }
    }

    @Test
    void streamsOfTheGpuThatReadsEndLeasesAndThoseOfTheRingsAreRefused() {
        try (Publisher publisher = publisherOn(0, Transport.CUDA_VMM);
                Subscriber subscriber = subscriber().device(1).open();
                DeviceStream ofRing = new DeviceStream();
                DeviceStream ofReader = streamOf(1)) {
            assertEquals(1, subscriber.deviceOrdinal());
            for (int seq = 1; seq <= 2 * SLOTS; seq++) {
                publish(publisher, seq);
                try (Frame frame = subscriber.next(PATIENCE)) {
                    assertEquals(-1, new FramePattern(frame.format()).firstFault(frame, seq));
                    CuframesException refused =
                            assertThrows(CuframesException.class, () -> frame.closeOn(ofRing.handle()));
                    assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code());
                    frame.closeOn(ofReader.handle());
                }
            }
            ofReader.await();
            assertEquals(0, publisher.stats().leasedSlots());
        }
    }

    private static DeviceStream streamOf(int device) {
        long previous = Cuda.useDevice(device);
        try {
            return new DeviceStream();
        } finally {
            Cuda.restoreDevice(previous, device);
        }
    }

    @Test
    void registeredBuffersOfTheOtherGpuAreReadThere() {
        FrameFormat layout = OwnBuffers.layout(WIDTH, HEIGHT);
        long previous = Cuda.useDevice(1);
        try (OwnBuffers own = new OwnBuffers(Transport.CUDA_IPC, layout, SLOTS);
                Publisher publisher = own.register(
                                Publisher.builder(stream.key()).socketDirectory(stream.directory()))
                        .device(1)
                        .open();
                Child reader = readerThatSees("1")) {
            assertEquals("ready CUDA_IPC", reader.answer());
            publish(publisher, 1);
            assertEquals("read 1 0 1 0 false", reader.ask("read 1"), "whole; this reader does not know its pts");
        } finally {
            Cuda.restoreDevice(previous, 1);
        }
    }
}
