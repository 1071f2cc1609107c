// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ffm.LibCudart;
import io.cuframes.internal.cuda.Cuda;
import io.cuframes.testing.FramePattern;
import io.cuframes.testing.Needs;
import io.cuframes.testing.OwnBuffers;
import io.cuframes.testing.StreamFixture;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What CUDA streams and addresses publishers and subscribers take from their callers, and what they do with them. */
abstract class DeviceStreamConformance {
    final Transport transport;

    DeviceStreamConformance(Transport transport) {
        this.transport = transport;
    }

    private static final int WIDTH = 320;
    private static final int HEIGHT = 180;
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    final StreamFixture fixture = new StreamFixture();

    @BeforeEach
    void initialize() {
        Cuda.load(); // the streams of a test may be its first use of CUDA
    }

    @AfterEach
    void cleanUp() {
        fixture.close();
    }

    Publisher.Builder publisher() {
        return Publisher.builder(fixture.key())
                .socketDirectory(fixture.directory())
                .transport(transport)
                .size(WIDTH, HEIGHT);
    }

    Subscriber.Builder subscriber() {
        return Subscriber.builder(fixture.key()).socketDirectory(fixture.directory());
    }

    /** A stream of that device. */
    private static long streamOf(int device) {
        long previous = Cuda.useDevice(device);
        try {
            return Cuda.createStream();
        } finally {
            Cuda.restoreDevice(previous, device);
        }
    }

    private static void destroy(long stream) {
        assertEquals(LibCudart.cudaSuccess, LibCudart.cudaStreamDestroy(stream));
    }

    private static void refused(Executable call, String... fragments) {
        CuframesException refused = assertThrows(CuframesException.class, call);
        assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code(), refused.getMessage());
        for (String fragment : fragments) {
            assertTrue(refused.getMessage().contains(fragment), refused.getMessage());
        }
    }

    private static void requireFrame(Subscriber subscriber, long number) {
        try (Frame frame = subscriber.next(PATIENCE)) {
            assertEquals(-1, new FramePattern(subscriber.format()).firstFault(frame, number));
        }
    }

    @Test
    void aPublisherPublishesOnTheStreamItIsGivenAndLeavesItAlone() {
        long stream = streamOf(0);
        try (Publisher publisher = publisher().stream(stream).open();
                Subscriber subscriber = subscriber().stream(stream).open()) {
            assertEquals(stream, publisher.stream());
            FramePattern pattern = new FramePattern(publisher.format());
            for (int i = 1; i <= 5; i++) {
                try (WritableFrame frame = publisher.acquire()) {
                    pattern.write(frame, i);
                    frame.publish(i);
                }
                requireFrame(subscriber, i);
            }
        }
        assertEquals(LibCudart.cudaSuccess, LibCudart.cudaStreamQuery(stream));
        destroy(stream);
    }

    @Test
    void aStreamMayBeDestroyedOnceItsFramesAreAnnounced() {
        long stream = streamOf(0);
        try (Publisher publisher = publisher().open()) {
            assertNotEquals(stream, publisher.stream());
            try (WritableFrame frame = publisher.acquire()) {
                frame.publish(stream, 1);
            }
            while (publisher.announced() < 1) {
                Thread.onSpinWait();
            }
            destroy(stream);
        }
    }

    @Test
    void theDefaultStreamsAreTaken() {
        for (long stream = 0; stream <= 2; stream++) {
            try (Publisher publisher = publisher().stream(stream).open();
                    Subscriber subscriber = subscriber().stream(stream).open()) {
                assertEquals(stream, publisher.stream());
                FramePattern pattern = new FramePattern(publisher.format());
                for (long other = 0; other <= 2; other++) {
                    try (WritableFrame frame = publisher.acquire()) {
                        pattern.write(frame, other + 1);
                        frame.publish(other, 1);
                    }
                    Frame frame = subscriber.next(PATIENCE);
                    assertEquals(-1, pattern.firstFault(frame, other + 1));
                    frame.closeOn(other);
                }
            }
        }
    }

    @Test
    void whatIsNoStreamIsRefused() {
        for (long number : new long[] {-2, 3, 4095, Long.MIN_VALUE}) {
            String named = "0x" + Long.toHexString(number) + " is no CUDA stream";
            refused(() -> publisher().stream(number).open().close(), named);
            try (Publisher publisher = publisher().open();
                    Subscriber subscriber = subscriber().open()) {
                refused(() -> subscriber().stream(number).open().close(), named);
                try (WritableFrame frame = publisher.acquire()) {
                    refused(() -> frame.publish(number, 1), named);
                    frame.publish(1);
                }
                Frame frame = subscriber.next(PATIENCE);
                refused(() -> frame.closeOn(number), named);
                frame.close();
            }
            assertEquals(List.of(), fixture.remains());
        }
    }

    @Test
    void aStreamOfAnotherDeviceIsRefusedNamingBothAndNothingIsLost() {
        Needs.gpu(Cuda.devices().size() > 1, "a second one, and there is one only");
        String[] both = {Cuda.device(0).toString(), Cuda.device(1).toString()};
        long other = streamOf(1);
        long own = streamOf(0);
        long source = OwnBuffers.allocate(1 << 20);
        refused(() -> publisher().stream(other).open().close(), both);
        assertEquals(List.of(), fixture.remains());
        try (Publisher publisher = publisher().slots(2).maxLeases(2).open();
                Subscriber subscriber = subscriber().open()) {
            refused(() -> subscriber().stream(other).open().close(), both);
            FramePattern pattern = new FramePattern(publisher.format());
            for (int i = 1; i <= 4; i++) { // more often than there are slots
                try (WritableFrame frame = publisher.acquire()) {
                    refused(() -> frame.copyPlane(0, new DevicePtr(source), WIDTH, other), both);
                    pattern.write(frame, i);
                    refused(() -> frame.publish(other, 1), both);
                    assertEquals(i, frame.publish(own, 1));
                }
                Frame frame = subscriber.next(PATIENCE);
                refused(() -> frame.closeOn(other), both);
                assertEquals(-1, pattern.firstFault(frame, i), "it is still leased");
                frame.closeOn(own);
            }
        }
        Cuda.check(LibCudart.cudaFree(source), "cudaFree");
        destroy(own);
        destroy(other);
    }

    @Test
    void theCallersDeviceIsCurrentAsBefore() {
        Needs.gpu(Cuda.devices().size() > 1, "a second one, and there is one only");
        long stream = streamOf(0);
        long previous = Cuda.useDevice(1);
        long callers = Cuda.useDevice(1);
        try (Publisher publisher = publisher().stream(stream).open()) {
            try (WritableFrame frame = publisher.acquire()) {
                frame.publish(stream, 1);
            }
            assertEquals(callers, Cuda.useDevice(1));
        } finally {
            Cuda.restoreDevice(previous, 1);
        }
        destroy(stream);
    }

    @Test
    void aSourceThatIsNoDeviceMemoryIsRefusedAndTheFrameGoesOn() {
        try (Publisher publisher = publisher().open();
                Subscriber subscriber = subscriber().open();
                Arena arena = Arena.ofConfined();
                WritableFrame frame = publisher.acquire()) {
            long stream = publisher.stream();
            MemorySegment host = arena.allocate(1 << 20);
            for (long address : new long[] {host.address(), 0, 0x1234, -4096}) {
                refused(
                        () -> frame.copyPlane(0, new DevicePtr(address), WIDTH, stream),
                        "the source of a plane: 0x" + Long.toHexString(address),
                        "not device memory");
            }
            new FramePattern(publisher.format()).write(frame, 3);
            frame.publish(1);
            requireFrame(subscriber, 3);
        }
    }

    @Test
    void aSourceInDeviceMemoryIsCopied() {
        try (Publisher publisher = publisher().open();
                Subscriber subscriber = subscriber().open()) {
            long source = OwnBuffers.allocate(1 << 20);
            Cuda.check(LibCudart.cudaMemset(source, 9, 1 << 20), "cudaMemset");
            Cuda.check(LibCudart.cudaDeviceSynchronize(), "cudaDeviceSynchronize");
            try (WritableFrame frame = publisher.acquire()) {
                for (int i = 0; i < 2; i++) {
                    frame.copyPlane(i, new DevicePtr(source), WIDTH, publisher.stream());
                }
                frame.publish(1);
            }
            try (Frame frame = subscriber.next(PATIENCE);
                    Arena arena = Arena.ofConfined()) {
                MemorySegment copy = arena.allocate(frame.sizeBytes());
                frame.copyTo(copy);
                for (PlaneLayout plane : frame.format().planes()) {
                    long end = plane.offset() + plane.bytes() - plane.pitch() + plane.rowBytes();
                    assertEquals(9, copy.get(JAVA_BYTE, plane.offset()), plane.toString());
                    assertEquals(9, copy.get(JAVA_BYTE, end - 1), plane.toString());
                }
            }
            assertNull(subscriber.next(Duration.ZERO));
            Cuda.check(LibCudart.cudaFree(source), "cudaFree");
        }
    }
}
