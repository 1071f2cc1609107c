// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static io.cuframes.testing.Await.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cuframes.ffm.LibCuda;
import io.cuframes.internal.cuda.Cuda;
import io.cuframes.testing.DeviceStream;
import io.cuframes.testing.GpuKernels;
import io.cuframes.testing.GpuTest;
import io.cuframes.testing.StreamFixture;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Closes beside a kernel of the application that runs for long: CUDA releases nothing meanwhile, and the closes return all the same. */
@GpuTest
class LongKernelCloseTest {
    /** Much longer than a close may take. */
    private static final long KERNEL_NANOS = 15_000_000_000L;

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final StreamFixture stream = new StreamFixture();
    private long previous;
    private List<String> mappings;

    @BeforeEach
    void look() {
        previous = Cuda.useDevice(0);
        mappings = StreamFixture.mappings();
    }

    @AfterEach
    void cleanUp() {
        Cuda.restoreDevice(previous, 0);
        stream.close();
    }

    private Publisher.Builder publisher(Transport transport) {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(transport)
                .size(320, 180);
    }

    private static void assertBusy(DeviceStream busy, String what) {
        assertEquals(
                LibCuda.CUDA_ERROR_NOT_READY, LibCuda.cuStreamQuery(busy.handle()), what + " waited for the kernel");
    }

    @ParameterizedTest
    @EnumSource(
            value = Transport.class,
            names = {"CUDA_VMM", "CUDA_IPC"})
    void aPublisherClosesBesideAKernel(Transport transport) {
        GpuKernels kernels = new GpuKernels();
        try (DeviceStream busy = new DeviceStream()) {
            Publisher publisher = publisher(transport).stream(busy.handle()).open();
            kernels.spin(KERNEL_NANOS, busy.handle());
            publisher.acquire().publish(1);
            publisher.close();
            assertBusy(busy, "Publisher.close()");
            assertEquals(List.of(), stream.remains());
            busy.await(); // throws if the announcement found its page gone
            await(() -> mappings.equals(StreamFixture.mappings()), "mappings are left");
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Transport.class,
            names = {"CUDA_VMM", "CUDA_IPC"})
    void aSubscriberClosesBesideAKernel(Transport transport) {
        GpuKernels kernels = new GpuKernels();
        try (DeviceStream busy = new DeviceStream();
                Publisher publisher = publisher(transport).open()) {
            Subscriber subscriber = Subscriber.builder(stream.key())
                    .socketDirectory(stream.directory())
                    .open();
            publisher.acquire().publish(1);
            Frame frame = subscriber.next(PATIENCE);
            kernels.spin(KERNEL_NANOS, busy.handle());
            frame.closeOn(busy.handle());
            subscriber.close();
            assertBusy(busy, "Subscriber.close()");
            assertEquals(1, publisher.stats().leasedSlots(), "the kernel may still read the frame");
            busy.await(); // throws if the end of the lease found its page gone
            await(() -> publisher.stats().leasedSlots() == 0, "the lease is left");
        }
        await(() -> mappings.equals(StreamFixture.mappings()), "mappings are left");
    }
}
