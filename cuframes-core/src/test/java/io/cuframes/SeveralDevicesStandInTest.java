// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ffm.CudaPointerAttributes;
import io.cuframes.ffm.LibCudart;
import io.cuframes.testing.Child;
import io.cuframes.testing.CudaStandIn;
import io.cuframes.testing.DeviceStream;
import io.cuframes.testing.FramePattern;
import io.cuframes.testing.StandInTest;
import io.cuframes.testing.StreamFixture;
import io.cuframes.testing.SubscriberProcess;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A machine with two devices: which one is used, and what the caller's threads see of that. */
@StandInTest
class SeveralDevicesStandInTest {
    private final StreamFixture stream = new StreamFixture();

    @AfterEach
    void removeStream() {
        stream.close();
    }

    private Publisher publisherOn(int device) {
        return publisherOn(device, Transport.CUDA_IPC);
    }

    private Publisher publisherOn(int device, Transport transport) {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(transport)
                .device(device)
                .size(320, 180)
                .open();
    }

    private Child subscriberThatSees(String devices) {
        return Child.start(
                Map.of(CudaStandIn.variable("VISIBLE"), devices),
                SubscriberProcess.class,
                stream.key(),
                stream.directory(),
                SubscriberMode.NEWEST_ONLY);
    }

    @Test
    void aRingIsOnTheDeviceAskedForAndTheCallersDeviceStaysItsOwn() {
        try (Publisher publisher = publisherOn(1);
                Arena arena = Arena.ofConfined()) {
            assertEquals(0, currentDevice(arena));
            try (WritableFrame frame = publisher.acquire()) {
                MemorySegment attributes = arena.allocate(CudaPointerAttributes.LENGTH, Long.BYTES);
                long address = frame.plane(0).pointer().address();
                assertEquals(LibCudart.cudaSuccess, LibCudart.cudaPointerGetAttributes(attributes, address));
                assertEquals(1, attributes.get(JAVA_INT, CudaPointerAttributes.DEVICE_OFFSET));
                new FramePattern(publisher.format()).write(frame, 1);
                frame.publish(1);
            }
            assertEquals(0, currentDevice(arena));
        }
    }

    private static int currentDevice(Arena arena) {
        MemorySegment device = arena.allocate(JAVA_INT);
        assertEquals(LibCudart.cudaSuccess, LibCudart.cudaGetDevice(device));
        return device.get(JAVA_INT, 0);
    }

    @Test
    void aThreadThatNeverUsedCudaPublishes() throws Exception {
        try (Publisher publisher = publisherOn(1)) {
            CompletableFuture<Long> published = new CompletableFuture<>();
            Thread.ofPlatform()
                    .start(() ->
                            published.completeAsync(() -> publisher.acquire().publish(1), Runnable::run));
            assertEquals(1, published.get());
        }
    }

    @Test
    void aSubscriberOnAnotherOrdinalOfTheSameGpuFindsTheRing() {
        try (Publisher publisher = publisherOn(1);
                Child reader = subscriberThatSees("1")) {
            assertEquals("ready CUDA_IPC", reader.answer());
            try (WritableFrame frame = publisher.acquire()) {
                new FramePattern(publisher.format()).write(frame, 1);
                frame.publish(40_000_000);
            }
            assertEquals("read 1 0 1 0 true", reader.ask("read 1"));
        }
    }

    @Test
    void aSubscriberThatDoesNotSeeTheGpuIsToldWhichItIs() {
        try (Publisher publisher = publisherOn(1);
                Child blind = subscriberThatSees("0")) {
            String answer = blind.answer();
            assertTrue(answer.startsWith("error CUDA the frames are on GPU-"), answer);
            assertTrue(answer.contains("CUDA_VISIBLE_DEVICES"), answer);
            assertEquals(0, publisher.subscribers());
        }
    }

    @Test
    void aSubscriberReadsOnAnotherGpuThanTheRingIsOn() {
        try (Publisher publisher = publisherOn(1, Transport.CUDA_VMM);
                Subscriber subscriber = Subscriber.builder(stream.key())
                        .socketDirectory(stream.directory())
                        .device(0)
                        .open();
                DeviceStream own = new DeviceStream()) {
            FramePattern pattern = new FramePattern(publisher.format());
            for (int seq = 1; seq <= 10; seq++) {
                try (WritableFrame frame = publisher.acquire()) {
                    pattern.write(frame, seq);
                    frame.publish(seq);
                }
                try (Frame frame = subscriber.next(Duration.ofSeconds(20))) {
                    assertEquals(-1, pattern.firstFault(frame, seq));
                    frame.closeOn(own.handle()); // a stream of the device that reads
                }
            }
            own.await();
        }
    }

    @Test
    void aCudaIpcRingIsReadOnItsOwnGpuAlone() {
        try (Publisher publisher = publisherOn(1)) {
            CuframesException refused = assertThrows(
                    CuframesException.class,
                    () -> Subscriber.builder(stream.key())
                            .socketDirectory(stream.directory())
                            .device(0)
                            .open());
            assertEquals(ErrorCode.UNSUPPORTED, refused.code());
            assertTrue(refused.getMessage().contains("publish with transport CUDA_VMM"), refused.getMessage());
            assertEquals(0, publisher.subscribers());
        }
    }
}
