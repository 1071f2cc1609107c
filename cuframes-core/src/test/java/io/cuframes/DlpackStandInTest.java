// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ffm.DLManagedTensorVersioned;
import io.cuframes.ffm.Dlpack;
import io.cuframes.ffm.LibCudart;
import io.cuframes.internal.cuda.Cuda;
import io.cuframes.testing.CudaStandIn;
import io.cuframes.testing.ProducedTensor;
import io.cuframes.testing.StandInTest;
import io.cuframes.testing.StreamFixture;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** When the leases of frames in device memory end that consumers read on streams, seen step by step, without a GPU. */
@StandInTest
@Timeout(60)
class DlpackStandInTest {
    private static final int WIDTH = 64;
    private static final int HEIGHT = 16;
    private static final int SLOTS = 4;

    private final StreamFixture stream = new StreamFixture();
    private final List<Long> streams = new ArrayList<>();
    private long scratch;
    private CudaStandIn.Hold hold;
    private Publisher publisher;
    private Subscriber subscriber;

    @BeforeEach
    void open() {
        publisher = Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.CUDA_IPC)
                .size(WIDTH, HEIGHT)
                .slots(SLOTS)
                .open();
        subscriber = Subscriber.builder(stream.key())
                .socketDirectory(stream.directory())
                .open();
        Cuda.useDevice(0);
        scratch = allocate(WIDTH);
    }

    @AfterEach
    void close() {
        if (hold != null) {
            hold.close();
        }
        subscriber.close();
        publisher.close();
        streams.forEach(LibCudart::cudaStreamDestroy);
        LibCudart.cudaFree(scratch);
        stream.close();
    }

    private static long allocate(long length) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(JAVA_LONG);
            Cuda.check(LibCudart.cudaMalloc(address, length), "cudaMalloc");
            return address.get(JAVA_LONG, 0);
        }
    }

    private long newStream() {
        streams.add(Cuda.createStream());
        return streams.getLast();
    }

    private Frame frame() {
        try (WritableFrame frame = publisher.acquire()) {
            frame.publish(1);
        }
        Frame frame = subscriber.next(Duration.ofSeconds(5));
        assertEquals(1, frame.ptsNanos());
        return frame;
    }

    /** The consumer's reading. */
    private void read(DlpackTensor tensor, long onStream) {
        Cuda.copyRows(scratch, WIDTH, tensor.address(), WIDTH, WIDTH, 1, onStream);
    }

    private static void delete(long tensor) {
        long deleter = Dlpack.memory(tensor, DLManagedTensorVersioned.LENGTH)
                .get(JAVA_LONG, DLManagedTensorVersioned.DELETER_OFFSET);
        Dlpack.callDeleter(deleter, tensor);
    }

    private int acquirable() {
        List<WritableFrame> taken = new ArrayList<>();
        for (WritableFrame frame = publisher.acquire(); frame != null; frame = publisher.acquire()) {
            taken.add(frame);
        }
        taken.forEach(WritableFrame::close);
        return taken.size();
    }

    @Test
    void theTensorIsOnTheRingsDevice() {
        try (Frame frame = frame();
                DlpackTensor luma = frame.dlpackY()) {
            assertEquals(TensorDevice.CUDA, luma.device());
            assertEquals(0, luma.deviceOrdinal());
            assertEquals(frame.plane(0).pointer().address(), luma.address());
        }
    }

    @Test
    void theLeaseEndsBehindTheConsumersWork() {
        long reads = newStream();
        DlpackTensor luma;
        try (Frame frame = frame()) {
            luma = frame.dlpackY();
        }
        hold = new CudaStandIn.Hold();
        read(luma, reads);
        delete(luma.handOver(reads));
        assertEquals(SLOTS - 1, acquirable(), "not read yet");
        assertTrue(hold.step(reads));
        assertEquals(SLOTS - 1, acquirable(), "read, and the end of the lease is queued");
        assertTrue(hold.step(reads));
        assertEquals(SLOTS, acquirable());
        assertFalse(hold.step(reads));
    }

    @Test
    void theLeaseEndsBehindTheWorkOfEveryConsumer() {
        long first = newStream();
        long second = newStream();
        DlpackTensor luma;
        DlpackTensor chroma;
        try (Frame frame = frame()) {
            luma = frame.dlpackY();
            chroma = frame.dlpackUv();
        }
        hold = new CudaStandIn.Hold();
        read(luma, first);
        read(chroma, second);
        delete(luma.handOver(first));
        delete(chroma.handOver(second));
        long ending = CudaStandIn.newestStream();
        stepAll(second); // which does not wait for the first
        assertFalse(hold.step(ending), "it waits for the first");
        assertEquals(SLOTS - 1, acquirable());
        stepAll(first);
        assertEquals(SLOTS - 1, acquirable());
        assertTrue(hold.step(ending));
        assertEquals(SLOTS, acquirable());
    }

    /** Has a held stream do all that it can do now. */
    private void stepAll(long handle) {
        assertTrue(hold.step(handle));
        while (hold.step(handle)) {
            Thread.onSpinWait();
        }
    }

    /** Runs something in a thread of its own, with the default stream that such a thread has. */
    private static void inAnotherThread(Runnable something) throws InterruptedException {
        List<Throwable> thrown = new ArrayList<>();
        Thread thread = Thread.ofPlatform()
                .uncaughtExceptionHandler((failed, e) -> thrown.add(e))
                .start(() -> {
                    Cuda.useDevice(0);
                    something.run();
                });
        thread.join();
        assertEquals(List.of(), thrown);
    }

    @Test
    void whatIsLeftToTheDefaultStreamOfOneThreadIsAwaitedWhereAnotherEndsTheLease() throws InterruptedException {
        Frame frame = frame();
        DlpackTensor luma = frame.dlpackY();
        hold = new CudaStandIn.Hold();
        read(luma, DlpackTensor.PER_THREAD_STREAM);
        frame.closeOn(DlpackTensor.PER_THREAD_STREAM);
        inAnotherThread(() -> {
            luma.close();
            assertFalse(hold.step(DlpackTensor.PER_THREAD_STREAM), "nothing is on the stream of this thread");
        });
        long ending = CudaStandIn.newestStream();
        assertFalse(hold.step(ending), "it waits for the reading");
        assertEquals(SLOTS - 1, acquirable());
        stepAll(DlpackTensor.PER_THREAD_STREAM);
        assertTrue(hold.step(ending));
        assertEquals(SLOTS, acquirable());
    }

    @Test
    void theDefaultStreamsOfTwoThreadsAreAwaitedBoth() throws InterruptedException {
        Frame frame = frame();
        DlpackTensor luma = frame.dlpackY();
        DlpackTensor chroma = frame.dlpackUv();
        long reads = newStream();
        hold = new CudaStandIn.Hold();
        read(luma, DlpackTensor.PER_THREAD_STREAM);
        frame.closeOn(DlpackTensor.PER_THREAD_STREAM);
        read(luma, reads);
        inAnotherThread(() -> delete(luma.handOver(reads)));
        long ending = CudaStandIn.newestStream();
        inAnotherThread(() -> {
            read(chroma, DlpackTensor.PER_THREAD_STREAM);
            stepAll(DlpackTensor.PER_THREAD_STREAM);
            chroma.close();
        });
        stepAll(reads);
        assertFalse(hold.step(ending), "it waits for the first thread's");
        assertEquals(SLOTS - 1, acquirable());
        stepAll(DlpackTensor.PER_THREAD_STREAM);
        assertTrue(hold.step(ending));
        assertEquals(SLOTS, acquirable());
    }

    @Test
    void aStreamMayBeDestroyedOnceAFrameWasClosedOnIt() {
        long reads = Cuda.createStream();
        Frame frame = frame();
        DlpackTensor luma = frame.dlpackY();
        hold = new CudaStandIn.Hold();
        read(luma, reads);
        frame.closeOn(reads);
        assertEquals(LibCudart.cudaSuccess, LibCudart.cudaStreamDestroy(reads));
        luma.close();
        assertEquals(SLOTS - 1, acquirable(), "not read yet");
        hold.close();
        while (acquirable() < SLOTS) {
            Thread.onSpinWait();
        }
    }

    /** An event belongs to a context, and the application's streams may be of one of its own. */
    @Test
    void theWorkOfStreamsOfSeveralContextsIsAwaited() {
        long other = CudaStandIn.streamOfAnotherContext();
        streams.add(other);
        long reads = newStream();
        for (long[] order : new long[][] {{other, reads}, {reads, other}}) {
            Frame frame = frame();
            DlpackTensor luma = frame.dlpackY();
            DlpackTensor chroma = frame.dlpackUv();
            hold = new CudaStandIn.Hold();
            read(luma, order[0]);
            frame.closeOn(order[0]);
            read(chroma, order[1]);
            delete(luma.handOver(order[1]));
            chroma.close();
            stepAll(order[0]);
            assertEquals(SLOTS - 1, acquirable());
            stepAll(order[1]);
            hold.close();
            while (acquirable() < SLOTS) {
                Thread.onSpinWait();
            }
        }
    }

    @Test
    void aFrameThatOneStreamReadsIsClosedWithoutAnEvent() {
        long reads = newStream();
        Frame frame = frame();
        List<String> calls = CudaStandIn.calls(() -> frame.closeOn(reads));
        assertEquals(1, calls.stream().filter("cuStreamWriteValue64_v2"::equals).count(), calls.toString());
        assertTrue(calls.stream().noneMatch(call -> call.contains("Event")), calls.toString());
    }

    @Test
    void aFrameThatIsClosedLastEndsTheLeaseBehindTheConsumersWork() {
        long reads = newStream();
        Frame frame = frame();
        DlpackTensor luma = frame.dlpackY();
        hold = new CudaStandIn.Hold();
        read(luma, reads);
        delete(luma.handOver(reads));
        frame.close();
        assertFalse(hold.step(CudaStandIn.newestStream()), "it waits for the reading");
        assertEquals(SLOTS - 1, acquirable());
        long ending = CudaStandIn.newestStream();
        stepAll(reads);
        assertTrue(hold.step(ending));
        assertEquals(SLOTS, acquirable());
    }

    @Test
    void withoutAStreamTheLeaseEndsWithTheDeleter() {
        DlpackTensor luma;
        try (Frame frame = frame()) {
            luma = frame.dlpackY();
        }
        hold = new CudaStandIn.Hold();
        delete(luma.handOver(DlpackTensor.NO_STREAM));
        assertEquals(SLOTS, acquirable());
    }

    @Test
    void whatIsReadOnTheDefaultStreamOfOneThreadIsAwaitedByADeleterOnAnother() throws InterruptedException {
        DlpackTensor luma;
        try (Frame frame = frame()) {
            luma = frame.dlpackY();
        }
        hold = new CudaStandIn.Hold();
        read(luma, DlpackTensor.PER_THREAD_STREAM);
        long taken = luma.handOver(DlpackTensor.PER_THREAD_STREAM);
        Thread.ofPlatform().start(() -> delete(taken)).join();
        assertFalse(hold.step(DlpackTensor.LEGACY_STREAM), "it waits for this thread's");
        assertEquals(SLOTS - 1, acquirable());
        assertTrue(hold.step(DlpackTensor.PER_THREAD_STREAM));
        assertTrue(hold.step(DlpackTensor.LEGACY_STREAM));
        assertEquals(SLOTS, acquirable());
    }

    @Test
    void aLeaseThatTheGpuCannotEndEndsWhenTheGpuIsIdle() {
        long reads = newStream();
        DlpackTensor luma;
        try (Frame frame = frame()) {
            luma = frame.dlpackY();
        }
        read(luma, reads);
        long taken = luma.handOver(reads);
        CudaStandIn.set("FAIL", "cuStreamWriteValue64_v2:1:400");
        List<String> calls = CudaStandIn.calls(() -> delete(taken)); // and that ends no process
        assertTrue(calls.contains("cuCtxSynchronize"), calls.toString());
        assertEquals(SLOTS, acquirable());
    }

    @Test
    void aLeaseEndsThoughTheGpuIsLost() {
        DlpackTensor luma;
        try (Frame frame = frame()) {
            luma = frame.dlpackY();
        }
        long taken = luma.handOver(DlpackTensor.LEGACY_STREAM);
        CudaStandIn.loseDevice(700);
        delete(taken);
        assertEquals(SLOTS, acquirable());
        subscriber.close(); // a lost context is no failure of this close
        assertThrows(CudaException.class, publisher::close);
        CudaStandIn.recoverDevice(); // lets go of the pages that were pinned for it
    }

    @Test
    void aTensorOfTheDeviceIsPublishedInStreamOrder() {
        byte[] pixels = new byte[WIDTH * HEIGHT];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) (i * 7);
        }
        long device = allocate(pixels.length);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocateFrom(JAVA_BYTE, pixels);
            Cuda.copyRows(device, WIDTH, host.address(), WIDTH, WIDTH, HEIGHT, publisher.stream());
            ProducedTensor produced = ProducedTensor.versioned(arena)
                    .data(device)
                    .device(Dlpack.kDLCUDA, 0)
                    .shape(HEIGHT, WIDTH);
            try (DlpackTensor tensor = DlpackTensor.wrap(produced.address());
                    WritableFrame frame = publisher.acquire()) {
                frame.copyPlane(0, tensor, publisher.stream());
                frame.publish(1);
                try (Frame read = subscriber.next(Duration.ofSeconds(5))) {
                    MemorySegment copy = arena.allocate(read.sizeBytes());
                    read.copyTo(copy);
                    for (int i = 0; i < pixels.length; i++) {
                        long at = (long) i / WIDTH * read.plane(0).pitch() + i % WIDTH;
                        assertEquals(pixels[i], copy.get(JAVA_BYTE, at));
                    }
                }
            }
        } finally {
            LibCudart.cudaFree(device);
        }
    }
}
