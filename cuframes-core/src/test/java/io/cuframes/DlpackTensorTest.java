// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ffm.DLManagedTensor;
import io.cuframes.ffm.DLManagedTensorVersioned;
import io.cuframes.ffm.DLTensor;
import io.cuframes.ffm.Dlpack;
import io.cuframes.internal.cuda.CudaDevice;
import io.cuframes.internal.dlpack.ExportedTensors;
import io.cuframes.internal.dlpack.TensorSpec;
import io.cuframes.internal.protocol.DeviceUuid;
import io.cuframes.testing.ProducedTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tensors out under leases of the test's own, and in from producers of the test's own. */
@Timeout(60)
class DlpackTensorTest {
    private static final FrameFormat FORMAT = FrameFormat.of(PixelFormat.NV12, 100, 50, ColorInfo.UNKNOWN);
    private static final CudaDevice GPU = new CudaDevice(3, DeviceUuid.NONE, "a GPU");
    private static final long ADDRESS = 0x10000;

    /** The streams that leases were released on, in order. */
    private final List<Long> released = Collections.synchronizedList(new ArrayList<>());

    private DlpackTensor onHost() {
        return DlpackTensor.export(plane(0, null), released::add);
    }

    private DlpackTensor onGpu() {
        return DlpackTensor.export(plane(1, GPU), released::add);
    }

    private static TensorSpec plane(int index, CudaDevice gpu) {
        return TensorSpec.ofPlane(PixelFormat.NV12, FORMAT.planes().get(index), ADDRESS, gpu, true);
    }

    /** Deletes as a consumer does: by the function whose address is in the structure. */
    private static void deleteVersioned(long tensor) {
        Dlpack.callDeleter(
                Dlpack.memory(tensor, DLManagedTensorVersioned.LENGTH)
                        .get(JAVA_LONG, DLManagedTensorVersioned.DELETER_OFFSET),
                tensor);
    }

    private static void deleteUnversioned(long tensor) {
        Dlpack.callDeleter(
                Dlpack.memory(tensor, DLManagedTensor.LENGTH).get(JAVA_LONG, DLManagedTensor.DELETER_OFFSET), tensor);
    }

    @Test
    void aPlaneIsRowsAndColumnsAndComponentsWithStridesInElements() {
        try (DlpackTensor luma = onHost();
                DlpackTensor chroma = onGpu()) {
            assertArrayEquals(new long[] {50, 100}, luma.shape());
            assertArrayEquals(new long[] {256, 1}, luma.strides());
            assertEquals(TensorDevice.CPU, luma.device());
            assertEquals(0, luma.deviceOrdinal());
            assertArrayEquals(new long[] {25, 50, 2}, chroma.shape());
            assertArrayEquals(new long[] {256, 2, 1}, chroma.strides());
            assertEquals(TensorDevice.CUDA, chroma.device());
            assertEquals(3, chroma.deviceOrdinal());
            for (DlpackTensor tensor : List.of(luma, chroma)) {
                assertEquals(TensorType.UINT8, tensor.type());
                assertEquals(ADDRESS, tensor.address());
                assertTrue(tensor.isReadOnly());
            }
        }
    }

    @Test
    void aWholeFrameIsTheRowsOfItsPlanes() {
        try (DlpackTensor frame = DlpackTensor.export(TensorSpec.ofFrame(FORMAT, ADDRESS, null, true), released::add)) {
            assertArrayEquals(new long[] {75, 100}, frame.shape());
            assertArrayEquals(new long[] {256, 1}, frame.strides());
        }
    }

    @Test
    void planesThatDoNotLieOneBelowTheOtherAreNotOneTensor() {
        PlaneLayout luma = FORMAT.planes().get(0);
        for (PlaneLayout chroma : List.of(
                new PlaneLayout(luma.bytes() + 256, 256, 50, 25, 2), // a gap
                new PlaneLayout(luma.bytes(), 512, 50, 25, 2))) { // another pitch
            FrameFormat format =
                    new FrameFormat(PixelFormat.NV12, 100, 50, ColorInfo.UNKNOWN, List.of(luma, chroma), 1 << 20);
            assertRefused(ErrorCode.UNSUPPORTED, () -> TensorSpec.ofFrame(format, ADDRESS, null, true));
        }
    }

    @Test
    void theLeaseLastsUntilTheConsumerDeletes() {
        DlpackTensor tensor = onGpu();
        long taken = tensor.handOver(77);
        tensor.close();
        assertEquals(List.of(), released);
        deleteVersioned(taken);
        assertEquals(List.of(77L), released);
    }

    @Test
    void theLeaseOfTheUnversionedFormLastsUntilTheConsumerDeletes() {
        DlpackTensor tensor = onGpu();
        long taken = tensor.handOverUnversioned(77);
        tensor.close();
        assertEquals(List.of(), released);
        deleteUnversioned(taken);
        assertEquals(List.of(77L), released);
    }

    @Test
    void aTensorNobodyTookReleasesWhenItIsClosedAndOnce() {
        DlpackTensor tensor = onGpu();
        tensor.close();
        tensor.close();
        assertEquals(List.of(DlpackTensor.NO_STREAM), released);
    }

    @Test
    void aTensorIsHandedOverOnce() {
        DlpackTensor tensor = onGpu();
        long taken = tensor.handOver(DlpackTensor.NO_STREAM);
        assertThrows(IllegalStateException.class, () -> tensor.handOver(1));
        assertThrows(IllegalStateException.class, () -> tensor.handOverUnversioned(1));
        assertThrows(IllegalStateException.class, tensor::address);
        deleteVersioned(taken);
        assertEquals(1, released.size());
    }

    @Test
    void aClosedTensorIsOfNoUse() {
        DlpackTensor tensor = onHost();
        tensor.close();
        assertThrows(IllegalStateException.class, () -> tensor.handOver(1));
        assertThrows(IllegalStateException.class, () -> tensor.handOverUnversioned(1));
        assertThrows(IllegalStateException.class, tensor::address);
    }

    @Test
    void theLeaseIsReleasedInTheOrderOfTheConsumersStream() {
        for (long stream : List.of(DlpackTensor.NO_STREAM, DlpackTensor.LEGACY_STREAM, 0x7f0012345678L)) {
            deleteVersioned(onGpu().handOver(stream));
            assertEquals(stream, released.removeFirst());
        }
    }

    @Test
    void thePerThreadStreamIsAwaitedOnWhateverThreadTheDeleterRuns() {
        deleteVersioned(onGpu().handOver(DlpackTensor.PER_THREAD_STREAM));
        assertEquals(List.of(DlpackTensor.LEGACY_STREAM), released); // it waits for the default streams of all threads
    }

    @Test
    void hostMemoryHasNoStreams() {
        deleteVersioned(onHost().handOver(77));
        assertEquals(List.of(DlpackTensor.NO_STREAM), released);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -2, Long.MIN_VALUE})
    void anAmbiguousStreamIsRefusedAndTheTensorStaysOpen(long stream) {
        try (DlpackTensor tensor = onGpu()) {
            assertRefused(ErrorCode.INVALID_ARGUMENT, () -> tensor.handOver(stream));
            assertRefused(ErrorCode.INVALID_ARGUMENT, () -> tensor.handOverUnversioned(stream));
            assertEquals(ADDRESS, tensor.address());
        }
        assertEquals(List.of(DlpackTensor.NO_STREAM), released);
    }

    @Test
    void aSecondDeletionReleasesNothing() {
        long before = ExportedTensors.count();
        long taken = onGpu().handOver(1);
        long deleter = Dlpack.memory(taken, DLManagedTensorVersioned.LENGTH)
                .get(JAVA_LONG, DLManagedTensorVersioned.DELETER_OFFSET);
        Dlpack.callDeleter(deleter, taken);
        Dlpack.callDeleter(deleter, taken);
        Dlpack.callDeleter(deleter, 0); // and what was never a tensor
        assertEquals(1, released.size());
        assertEquals(before, ExportedTensors.count());
    }

    @Test
    void whatALeaseThrowsDoesNotReachTheConsumer() {
        for (Throwable thrown : List.of(new IllegalStateException("a lease that fails"), new AssertionError("so"))) {
            DlpackTensor tensor = DlpackTensor.export(plane(0, GPU), stream -> {
                released.add(stream);
                throwUnchecked(thrown);
            });
            deleteVersioned(tensor.handOver(1)); // if it did, this process would be gone
        }
        assertEquals(List.of(1L, 1L), released);
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <T extends Throwable> void throwUnchecked(Throwable thrown) throws T {
        throw (T) thrown;
    }

    @Test
    void manyThreadsHandOverAndDeleteAtOnce() throws InterruptedException {
        int threads = 4;
        int rounds = 20_000;
        CountDownLatch start = new CountDownLatch(threads);
        List<Thread> workers = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            workers.add(Thread.ofPlatform().start(() -> {
                start.countDown();
                for (int round = 0; round < rounds; round++) {
                    deleteVersioned(onGpu().handOver(1));
                }
            }));
        }
        for (Thread worker : workers) {
            worker.join();
        }
        assertEquals(threads * rounds, released.size());
    }

    @Test
    void aMillionTensorsLeaveNoMemoryBehind() {
        long[] count = {0};
        int before = ExportedTensors.count();
        long heldBefore = 0;
        int million = 1_000_000;
        for (int i = -10_000; i < million; i++) { // the first ones fill the allocator's and the JVM's own pools
            if (i == 0) {
                heldBefore = allocatedBytes();
            }
            DlpackTensor tensor = DlpackTensor.export(plane(i & 1, GPU), stream -> count[0]++);
            switch (i % 3) {
                case 0 -> deleteVersioned(tensor.handOver(1));
                case 1 -> deleteUnversioned(tensor.handOverUnversioned(1));
                default -> tensor.close();
            }
        }
        long grown = allocatedBytes() - heldBefore;
        assertEquals(million + 10_000, count[0]);
        assertEquals(before, ExportedTensors.count());
        assertTrue(grown < 16L << 20, grown + " bytes more are allocated"); // two thirds of a million are 75 MB
    }

    /** What malloc has given out and was not given back, by all threads of the process. */
    @SuppressWarnings("restricted")
    private static long allocatedBytes() {
        MemoryLayout info = MemoryLayout.structLayout(
                MemoryLayout.sequenceLayout(4, JAVA_LONG),
                JAVA_LONG.withName("hblkhd"),
                MemoryLayout.sequenceLayout(2, JAVA_LONG),
                JAVA_LONG.withName("uordblks"),
                MemoryLayout.sequenceLayout(2, JAVA_LONG));
        try (Arena arena = Arena.ofConfined()) {
            MethodHandle mallinfo2 = Linker.nativeLinker()
                    .downcallHandle(
                            Linker.nativeLinker()
                                    .defaultLookup()
                                    .find("mallinfo2")
                                    .orElseThrow(),
                            FunctionDescriptor.of(info));
            MemorySegment now = (MemorySegment) mallinfo2.invoke((SegmentAllocator) arena);
            return now.get(JAVA_LONG, 7 * 8) + now.get(JAVA_LONG, 4 * 8);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    @Test
    void aProducersTensorIsReadAndGivenBackOnce() {
        try (Arena arena = Arena.ofConfined()) {
            ProducedTensor produced = ProducedTensor.versioned(arena)
                    .data(ADDRESS)
                    .byteOffset(40)
                    .device(Dlpack.kDLCUDA, 2)
                    .type(Dlpack.kDLFloat, 16, 1)
                    .shape(5, 7, 3)
                    .strides(100, 3, 1);
            DlpackTensor tensor = DlpackTensor.wrap(produced.address());
            assertArrayEquals(new long[] {5, 7, 3}, tensor.shape());
            assertArrayEquals(new long[] {100, 3, 1}, tensor.strides());
            assertEquals(TensorType.FLOAT16, tensor.type());
            assertEquals(TensorDevice.CUDA, tensor.device());
            assertEquals(2, tensor.deviceOrdinal());
            assertEquals(ADDRESS + 40, tensor.address());
            assertFalse(tensor.isReadOnly());
            assertEquals(0, produced.deletions());
            tensor.close();
            tensor.close();
            assertEquals(1, produced.deletions());
            assertThrows(IllegalStateException.class, tensor::address);
        }
    }

    @Test
    void anUnversionedTensorIsReadAndGivenBackOnce() {
        try (Arena arena = Arena.ofConfined()) {
            ProducedTensor produced = ProducedTensor.unversioned(arena).device(Dlpack.kDLCUDAHost, 9);
            try (DlpackTensor tensor = DlpackTensor.wrapUnversioned(produced.address())) {
                assertArrayEquals(new long[] {4, 6}, tensor.shape());
                assertEquals(TensorDevice.CUDA_HOST, tensor.device());
                assertEquals(0, tensor.deviceOrdinal());
                assertFalse(tensor.isReadOnly());
            }
            assertEquals(1, produced.deletions());
        }
    }

    @Test
    void theReadOnlyFlagOfAProducerIsHeeded() {
        try (Arena arena = Arena.ofConfined()) {
            long flags = Dlpack.DLPACK_FLAG_BITMASK_READ_ONLY | Dlpack.DLPACK_FLAG_BITMASK_IS_COPIED;
            try (DlpackTensor tensor = DlpackTensor.wrap(
                    ProducedTensor.versioned(arena).flags(flags).address())) {
                assertTrue(tensor.isReadOnly());
            }
        }
    }

    @Test
    void withoutStridesTheRowsFollowOneAnother() {
        try (Arena arena = Arena.ofConfined();
                DlpackTensor tensor = DlpackTensor.wrap(
                        ProducedTensor.versioned(arena).shape(2, 3, 4).address())) {
            assertArrayEquals(new long[] {12, 4, 1}, tensor.strides());
        }
    }

    @Test
    void aScalarAndAnEmptyTensorAreTensors() {
        try (Arena arena = Arena.ofConfined()) {
            try (DlpackTensor scalar =
                    DlpackTensor.wrap(ProducedTensor.versioned(arena).shape().address())) {
                assertEquals(0, scalar.shape().length);
            }
            try (DlpackTensor empty = DlpackTensor.wrap(
                    ProducedTensor.versioned(arena).shape(3, 0).data(0).address())) {
                assertArrayEquals(new long[] {3, 0}, empty.shape());
            }
        }
    }

    @Test
    void aTensorWithoutDeleterNeedsNone() {
        try (Arena arena = Arena.ofConfined()) {
            DlpackTensor.wrap(ProducedTensor.versioned(arena).withoutDeleter().address())
                    .close();
        }
    }

    @Test
    void aLaterMinorVersionIsRead() {
        try (Arena arena = Arena.ofConfined()) {
            DlpackTensor.wrap(ProducedTensor.versioned(arena).version(1, 99).address())
                    .close();
        }
    }

    static Stream<Arguments> spoiled() {
        return Stream.of(
                Arguments.of("2.0", ErrorCode.UNSUPPORTED, fresh().version(2, 0)),
                Arguments.of("0.8", ErrorCode.UNSUPPORTED, fresh().version(0, 8)),
                Arguments.of("99 dimensions", ErrorCode.INVALID_ARGUMENT, fresh().dimensions(99)),
                Arguments.of("-1 dimensions", ErrorCode.INVALID_ARGUMENT, fresh().dimensions(-1)),
                Arguments.of("Vulkan", ErrorCode.UNSUPPORTED, fresh().device(7, 0)),
                Arguments.of("two lanes", ErrorCode.UNSUPPORTED, fresh().type(Dlpack.kDLUInt, 8, 2)),
                Arguments.of("bfloat16", ErrorCode.UNSUPPORTED, fresh().type(4, 16, 1)),
                Arguments.of("4 bits", ErrorCode.UNSUPPORTED, fresh().type(Dlpack.kDLUInt, 4, 1)),
                Arguments.of("negative shape", ErrorCode.INVALID_ARGUMENT, fresh().shape(4, -6)),
                Arguments.of(
                        "no shape", ErrorCode.INVALID_ARGUMENT, fresh().shape().dimensions(2)),
                Arguments.of("too large", ErrorCode.INVALID_ARGUMENT, fresh().shape(1L << 40, 1L << 40)),
                Arguments.of("no memory", ErrorCode.INVALID_ARGUMENT, fresh().data(0)));
    }

    private static ProducedTensor fresh() {
        return ProducedTensor.versioned(Arena.ofAuto());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("spoiled")
    void aRefusedTensorIsDeletedAndTheReasonNamed(String what, ErrorCode code, ProducedTensor produced) {
        int before = produced.deletions();
        CuframesException refused = assertRefused(code, () -> DlpackTensor.wrap(produced.address()));
        assertTrue(refused.getMessage().startsWith("a DLPack tensor is refused: "), refused.getMessage());
        assertEquals(before + 1, produced.deletions(), what);
    }

    @Test
    void addressZeroIsRefused() {
        assertRefused(ErrorCode.INVALID_ARGUMENT, () -> DlpackTensor.wrap(0));
        assertRefused(ErrorCode.INVALID_ARGUMENT, () -> DlpackTensor.wrapUnversioned(0));
    }

    @Test
    void aRefusedUnversionedTensorIsDeleted() {
        try (Arena arena = Arena.ofConfined()) {
            ProducedTensor produced = ProducedTensor.unversioned(arena).dimensions(99);
            assertRefused(ErrorCode.INVALID_ARGUMENT, () -> DlpackTensor.wrapUnversioned(produced.address()));
            assertEquals(1, produced.deletions());
        }
    }

    @Test
    void aProducersTensorCanBeHandedOnInTheOtherForm() {
        try (Arena arena = Arena.ofConfined()) {
            ProducedTensor produced = ProducedTensor.unversioned(arena);
            DlpackTensor tensor = DlpackTensor.wrapUnversioned(produced.address());
            long address = tensor.address();
            long taken = tensor.handOver(DlpackTensor.NO_STREAM);
            MemorySegment structure = Dlpack.memory(taken, DLManagedTensorVersioned.LENGTH);
            assertEquals(1, structure.get(JAVA_INT, 0));
            assertEquals(0, structure.get(JAVA_LONG, DLManagedTensorVersioned.FLAGS_OFFSET));
            assertEquals(
                    address,
                    structure.get(JAVA_LONG, DLManagedTensorVersioned.DL_TENSOR_OFFSET + DLTensor.DATA_OFFSET));
            assertNotEquals(produced.address(), taken);
            assertEquals(0, produced.deletions());
            deleteVersioned(taken);
            assertEquals(1, produced.deletions());
        }
    }

    private static CuframesException assertRefused(ErrorCode code, org.junit.jupiter.api.function.Executable call) {
        CuframesException refused = assertThrows(CuframesException.class, call);
        assertEquals(code, refused.code(), refused.getMessage());
        return refused;
    }
}
