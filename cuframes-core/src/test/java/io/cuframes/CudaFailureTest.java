// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ffm.LibCudart;
import io.cuframes.testing.Child;
import io.cuframes.testing.CudaStandIn;
import io.cuframes.testing.DeviceFrame;
import io.cuframes.testing.DeviceStream;
import io.cuframes.testing.FramePattern;
import io.cuframes.testing.PublisherProcess;
import io.cuframes.testing.StandInTest;
import io.cuframes.testing.StreamFixture;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each CUDA call fails once: the exception names it, and nothing is left behind. */
@StandInTest
class CudaFailureTest {
    private static final int UNKNOWN = 999;
    private static final int ILLEGAL_ADDRESS = 700;

    /** What fails in vain: it would let go of something that is done with, and there is nothing to be done if it does not. */
    private static final Set<String> MAY_FAIL = Set.of("cuMemRelease");

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final StreamFixture stream = new StreamFixture();
    private List<String> descriptors;
    private List<String> mappings;

    @BeforeEach
    void look() {
        descriptors = StreamFixture.descriptors();
        mappings = StreamFixture.mappings();
    }

    @AfterEach
    void removeStream() {
        stream.close();
    }

    private Publisher publisher(int device) {
        return publisher(Transport.CUDA_IPC, device);
    }

    private Publisher publisher(Transport transport, int device) {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(transport)
                .device(device)
                .size(320, 180)
                .slots(4)
                .open();
    }

    private Subscriber subscriber() {
        return Subscriber.builder(stream.key())
                .socketDirectory(stream.directory())
                .open();
    }

    private Child publisherProcess() {
        return publisherProcess(Transport.CUDA_IPC);
    }

    private Child publisherProcess(Transport transport) {
        Child child = Child.start(PublisherProcess.class, stream.key(), stream.directory(), transport, 4, 320, 180);
        assertEquals("ready " + transport, child.answer());
        return child;
    }

    /** Has the call at an index fail when the same calls are made once more. */
    private static String failAt(List<String> calls, int index) {
        String call = calls.get(index);
        CudaStandIn.set("FAIL", call + ":" + Collections.frequency(calls.subList(0, index + 1), call) + ":" + UNKNOWN);
        return call;
    }

    private static void assertNames(String call, CudaException failure) {
        assertEquals(call.replaceFirst("_v2$", ""), failure.call());
        assertEquals(UNKNOWN, failure.status());
        assertTrue(failure.getMessage().contains(failure.call()), failure.getMessage());
    }

    private void assertNothingOfTheSystemIsLeft(String after) {
        assertEquals(descriptors, StreamFixture.descriptors(), after);
        assertEquals(mappings, StreamFixture.mappings(), after);
        assertFalse(
                Thread.getAllStackTraces().keySet().stream()
                        .anyMatch(thread -> thread.getName().contains(stream.key())),
                after);
    }

    private void assertNothingIsLeft(String after) {
        assertNothingOfTheSystemIsLeft(after);
        assertEquals(List.of(), CudaStandIn.remains(), after);
    }

    @ParameterizedTest
    @CsvSource({ // the first device is current on this thread; the other must be made so, and unmade
        "CUDA_IPC, 0, cudaMalloc",
        "CUDA_IPC, 1, cudaMalloc",
        "CUDA_VMM, 0, cuMemCreate",
        "CUDA_VMM, 1, cuMemCreate"
    })
    void aPublisherOpensOrLeavesNothing(Transport transport, int device, String allocation) {
        publisher(transport, device).close(); // what is done once in a process is done
        List<Publisher> opened = new ArrayList<>();
        List<String> calls = CudaStandIn.calls(() -> opened.add(publisher(transport, device)));
        opened.getFirst().close();
        assertTrue(calls.contains(allocation) && calls.contains("cuStreamWriteValue64_v2"), calls.toString());
        for (int i = 0; i < calls.size(); i++) {
            if (MAY_FAIL.contains(calls.get(i))) {
                continue;
            }
            String call = failAt(calls, i);
            String after = call + ", call " + i + " of " + calls;
            if (isRestoring(calls, i)) {
                publisher(transport, device).close(); // the caller's device is not this publisher's affair
            } else {
                assertNames(call, assertThrows(CudaException.class, () -> publisher(transport, device), after));
            }
            assertEquals(LibCudart.cudaSuccess, LibCudart.cudaSetDevice(0));
            assertEquals(List.of(), stream.remains(), after);
            assertNothingIsLeft(after);
        }
        CudaStandIn.set("FAIL", "");
        publisher(transport, device).close();
    }

    /** Whether the call makes the context current that was before: the other kind follows the question which that is. */
    private static boolean isRestoring(List<String> calls, int index) {
        return calls.get(index).equals("cuCtxSetCurrent")
                && !calls.get(index - 1).equals("cuCtxGetCurrent");
    }

    @ParameterizedTest
    @CsvSource({"CUDA_IPC, cudaIpcOpenMemHandle", "CUDA_VMM, cuMemImportFromShareableHandle"})
    void aSubscriberOpensOrLeavesNothing(Transport transport, String mapping) {
        try (Child publisher = publisherProcess(transport)) {
            List<Subscriber> opened = new ArrayList<>();
            List<String> calls = CudaStandIn.calls(() -> opened.add(subscriber()));
            opened.getFirst().close();
            assertTrue(calls.contains(mapping) && calls.contains("cuMemHostRegister_v2"), calls.toString());
            for (int i = 0; i < calls.size(); i++) {
                if (MAY_FAIL.contains(calls.get(i)) || calls.get(i).equals("cuMemsetD8_v2")) {
                    continue; // the fill is the attempt to write that has to fail
                }
                String call = failAt(calls, i);
                String after = call + ", call " + i + " of " + calls;
                assertNames(call, assertThrows(CudaException.class, this::subscriber, after));
                assertNothingIsLeft(after);
            }
            CudaStandIn.set("FAIL", "");
            publisher.ask("publish 1");
            try (Subscriber subscriber = subscriber();
                    Frame frame = subscriber.next(PATIENCE)) {
                assertEquals(-1, new FramePattern(subscriber.format()).firstFault(frame, 1));
                assertEquals("stats 1 1 0", publisher.ask("stats"));
            }
        }
    }

    @Test
    void aFrameThatCannotBePublishedIsNoFrameAndTheNextOneIs() {
        List<String> calls = callsOfPublishingBehindAnotherStream();
        assertTrue(calls.contains("cuStreamWaitEvent"), calls.toString());
        for (int i = 0; i < calls.size(); i++) {
            String after = calls.get(i) + ", call " + i + " of " + calls;
            try (DeviceStream first = new DeviceStream();
                    DeviceStream second = new DeviceStream();
                    Publisher publisher = publisher(0);
                    Subscriber subscriber = Subscriber.builder(stream.key())
                            .socketDirectory(stream.directory())
                            .mode(SubscriberMode.STRICT_ORDER)
                            .open();
                    DeviceFrame source = new DeviceFrame(publisher.format())) {
                FramePattern pattern = new FramePattern(publisher.format());
                source.load(pattern.pixels(7));
                try (CudaStandIn.Hold held = new CudaStandIn.Hold()) {
                    publish(publisher, source, first);
                    String call = failAt(calls, i);
                    CudaException failure =
                            assertThrows(CudaException.class, () -> publish(publisher, source, second), after);
                    assertNames(call, failure);
                    assertEquals(1, publisher.published(), after);
                    CudaStandIn.set("FAIL", "");
                }
                publish(publisher, source, second);
                for (int seq = 1; seq <= 2; seq++) {
                    try (Frame frame = subscriber.next(PATIENCE)) {
                        assertEquals(seq, frame.seq(), after);
                        assertEquals(-1, pattern.firstFault(frame, 7), after);
                    }
                }
                second.await();
            }
            assertNothingIsLeft(after);
        }
    }

    @Test
    void theEndDoesNotWaitForAFrameThatCouldNotBePublished() {
        Publisher publisher = publisher(0);
        publisher.acquire().publish(1);
        CudaStandIn.set("FAIL", "cuStreamWriteValue64_v2:1:" + UNKNOWN);
        assertThrows(CudaException.class, () -> publisher.acquire().publish(2));
        assertEquals(1, publisher.published());
        long start = System.nanoTime();
        publisher.close();
        assertTrue(System.nanoTime() - start < 1_000_000_000, "it gives a GPU two seconds");
        assertNothingIsLeft("a frame that could not be published");
    }

    private List<String> callsOfPublishingBehindAnotherStream() {
        try (DeviceStream first = new DeviceStream();
                DeviceStream second = new DeviceStream();
                Publisher publisher = publisher(0);
                DeviceFrame source = new DeviceFrame(publisher.format());
                CudaStandIn.Hold hold = new CudaStandIn.Hold()) {
            publish(publisher, source, first);
            List<String> calls = CudaStandIn.calls(() -> publish(publisher, source, second));
            hold.close();
            first.await();
            second.await();
            return calls;
        }
    }

    private static void publish(Publisher publisher, DeviceFrame source, DeviceStream on) {
        try (WritableFrame frame = publisher.acquire()) {
            source.queueInto(frame, on.handle());
            frame.publish(on.handle(), 1);
        }
    }

    @Test
    void aFrameWhoseReleaseCannotBeQueuedIsStillOpen() {
        try (Child publisher = publisherProcess();
                DeviceStream reading = new DeviceStream();
                Subscriber subscriber = subscriber()) {
            publisher.ask("publish 1");
            Frame frame = subscriber.next(PATIENCE);
            CudaStandIn.set("FAIL", "cuStreamWriteValue64_v2:1:" + UNKNOWN);
            CudaException failure = assertThrows(CudaException.class, () -> frame.closeOn(reading.handle()));
            assertNames("cuStreamWriteValue64_v2", failure);
            assertEquals(1, subscriber.stats().errors());
            assertEquals(1, subscriber.stats().heldLeases());
            assertEquals(-1, new FramePattern(subscriber.format()).firstFault(frame, 1));
            assertEquals("slots 3", publisher.ask("slots"));
            frame.closeOn(reading.handle());
            reading.await();
            assertEquals("slots 4", publisher.ask("slots"));
        }
    }

    @Test
    void aPublisherThatLosesItsDeviceFreesItsKey() {
        Publisher publisher = publisher(0);
        try (WritableFrame frame = publisher.acquire();
                Arena arena = Arena.ofConfined()) {
            MemorySegment pixels = arena.allocate(publisher.format().frameBytes());
            CudaStandIn.loseDevice(ILLEGAL_ADDRESS);
            CudaException lost = assertThrows(
                    CudaException.class,
                    () -> frame.copyPlane(
                            0, pixels, publisher.format().planes().get(0).pitch()));
            assertEquals(ILLEGAL_ADDRESS, lost.status());
        }
        assertEquals(
                ILLEGAL_ADDRESS,
                assertThrows(CudaException.class, publisher::close).status());
        assertEquals(List.of(), stream.remains());
        CudaStandIn.recoverDevice(); // lets go of the pages that were pinned for it
        assertNothingOfTheSystemIsLeft("losing the device");
        publisher(0).close();
    }

    @Test
    void aSubscriberThatLosesItsDeviceLetsGoOfEverything() {
        try (Child publisher = publisherProcess()) {
            Subscriber subscriber = subscriber();
            publisher.ask("publish 1");
            Frame frame = subscriber.next(PATIENCE);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment target = arena.allocate(frame.sizeBytes());
                CudaStandIn.set("FAIL", "operation:1:" + ILLEGAL_ADDRESS); // as a kernel that goes astray
                CudaException lost = assertThrows(CudaException.class, () -> frame.copyTo(target));
                assertEquals(ILLEGAL_ADDRESS, lost.status());
                assertEquals("cuStreamSynchronize", lost.call());
            }
            subscriber.close(); // that it is lost was reported, and is no failure of the close
            CudaStandIn.recoverDevice(); // lets go of the pages that were pinned for it
            assertNothingOfTheSystemIsLeft("losing the device");
            while (!publisher.ask("slots").equals("slots 4")) { // it has seen that the subscriber is gone
                Thread.onSpinWait();
            }
        }
    }
}
