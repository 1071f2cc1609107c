// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ffm.Libc;
import io.cuframes.internal.cuda.Cuda;
import io.cuframes.internal.cuda.CudaDevice;
import io.cuframes.internal.cuda.CudaVmmRing;
import io.cuframes.internal.cuda.CudaVmmRingView;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.protocol.RingLayout;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.testing.Child;
import io.cuframes.testing.PublisherProcess;
import io.cuframes.testing.StreamFixture;
import io.cuframes.testing.SubscriberProcess;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What {@link Transport#CUDA_VMM} promises beyond what every transport does. */
abstract class CudaVmmConformance {
    private static final int SLOTS = 4;
    private static final int WIDTH = 320;
    private static final int HEIGHT = 180;

    final StreamFixture stream = new StreamFixture();

    @BeforeEach
    void initialize() {
        Cuda.load();
    }

    @AfterEach
    void removeStream() {
        stream.close();
    }

    private Child publisher(Map<String, String> environment, Transport transport) {
        Child child = Child.start(
                environment, PublisherProcess.class, stream.key(), stream.directory(), transport, SLOTS, WIDTH, HEIGHT);
        assertEquals("ready CUDA_VMM", child.answer());
        return child;
    }

    private Child subscriber(Map<String, String> environment) {
        Child child = Child.start(
                environment, SubscriberProcess.class, stream.key(), stream.directory(), SubscriberMode.STRICT_ORDER);
        assertEquals("ready CUDA_VMM", child.answer());
        return child;
    }

    @Test
    void itIsChosenWhereItWorks() {
        try (Child publisher = publisher(Map.of(), Transport.AUTO)) {
            assertEquals("published 1", publisher.ask("publish 1"));
        }
    }

    @Test
    void theRuntimeLibraryIsNotNeeded() {
        Map<String, String> without = Map.of("CUFRAMES_CUDART", "/nonexistent/libcudart.so");
        try (Child publisher = publisher(without, Transport.AUTO);
                Child reader = subscriber(without)) {
            assertEquals("subscribers 1", publisher.ask("await 1"));
            assertEquals("published 3", publisher.ask("publish 3"));
            assertEquals("read 3 0 3 0 true", reader.ask("read 3"));
        }
    }

    @Test
    void aReaderThatWritesFailsAloneAndWhatItReadsStays() {
        try (Child publisher = publisher(Map.of(), Transport.CUDA_VMM);
                Child writer = subscriber(Map.of());
                Child reader = subscriber(Map.of())) {
            assertEquals("subscribers 2", publisher.ask("await 2"));
            publisher.ask("publish 1");
            assertEquals("read 1 0 1 0 true", writer.ask("hold 1"));
            String[] wrote = writer.ask("write").split(" ", -1);
            assertEquals(List.of("wrote"), List.of(wrote).subList(0, 1));
            for (String status : List.of(wrote).subList(1, wrote.length)) {
                assertNotEquals("0", status, String.join(" ", wrote));
            }
            assertEquals("read 1 0 1 0 true", reader.ask("read 1"), "the pixels are as they were");
            writer.kill();
            assertEquals("subscribers 1", publisher.ask("await 1"));
            assertEquals("published 11", publisher.ask("publish 10"));
        }
    }

    @Test
    void whatIsNoSuchMemoryIsRefusedAndNothingOfItKept() {
        CudaDevice device = Cuda.device(0);
        try (CudaVmmRing ring = new CudaVmmRing(device, SLOTS, SegmentDescriptor.PAGE);
                Descriptor memfd = Posix.memfd("no-ring");
                Descriptor event = new Descriptor(Posix.check(Libc.eventfd(0, Libc.EFD_CLOEXEC), "eventfd"))) {
            RingLayout layout = ring.layout();
            Posix.reserve(memfd, layout.length(), "no ring");
            RingLayout longer = new RingLayout(
                    layout.transport(),
                    layout.ownership(),
                    layout.slots(),
                    layout.slotStride(),
                    2 * layout.length(),
                    layout.device());
            List<String> descriptors = StreamFixture.descriptors();
            refused(device, memfd, layout, "is not memory of a GPU");
            refused(device, event, layout, "is not memory of a GPU");
            refused(device, ring.descriptor(), longer, "a ring of " + longer.length() + " bytes could not be mapped");
            assertEquals(descriptors, StreamFixture.descriptors());
            new CudaVmmRingView(device, device, ring.descriptor(), layout, new long[SLOTS]).close();
            assertEquals(descriptors, StreamFixture.descriptors());
        }
    }

    private static void refused(CudaDevice device, Descriptor descriptor, RingLayout layout, String text) {
        CuframesException refused = assertThrows(
                CuframesException.class,
                () -> new CudaVmmRingView(device, device, descriptor, layout, new long[SLOTS]));
        assertEquals(ErrorCode.CUDA, refused.code());
        assertTrue(refused.getMessage().contains(text), refused.getMessage());
    }
}
