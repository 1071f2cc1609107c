// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ffm.CUmemAccessDesc;
import io.cuframes.ffm.CUmemAllocationProp;
import io.cuframes.ffm.CudaPointerAttributes;
import io.cuframes.ffm.LibCuda;
import io.cuframes.ffm.LibCudart;
import io.cuframes.ffm.Libc;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.protocol.Shared;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.function.ToIntFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What cuframes takes for granted of CUDA. One subclass asks a GPU, the other the stand-in: what holds for both may be tested with either. */
abstract class CudaContract {
    private static final int PAGE = 4096;
    private static final long BLOCK = 2L << 20;
    static final int WITH_BARRIER = LibCuda.CU_STREAM_WRITE_VALUE_DEFAULT;

    final Arena arena = Arena.ofShared();

    /** Also has CUDA load what it loads at first use: loading waits for streams, also for those that a test makes wait. */
    @BeforeEach
    void useTheFirstDevice() {
        ok(LibCudart.cudaSetDevice(0));
        long memory = allocate(64);
        ok(LibCudart.cudaMemset(memory, 0, 64));
        ok(LibCudart.cudaMemset2DAsync(memory, 16, 0, 8, 2, 0));
        ok(LibCudart.cudaDeviceSynchronize());
        ok(LibCudart.cudaFree(memory));
    }

    /** Also forgets the last error that was asked for: who launches a kernel next in this thread would be told of it. */
    @AfterEach
    void free() {
        arena.close();
        LibCudart.cudaGetLastError();
    }

    static void ok(int status) {
        assertEquals(LibCudart.cudaSuccess, status);
    }

    /** Calls a function that returns a handle or address. */
    long made(ToIntFunction<MemorySegment> call) {
        MemorySegment out = arena.allocate(JAVA_LONG);
        ok(call.applyAsInt(out));
        return out.get(JAVA_LONG, 0);
    }

    private long allocate(long bytes) {
        return made(out -> LibCudart.cudaMalloc(out, bytes));
    }

    /** A page that processes share, as the segment and the control pages are. */
    MemorySegment sharedPage() {
        try (Descriptor file = Posix.memfd("cuframes-test")) {
            Posix.reserve(file, PAGE, "a page");
            return Posix.map(file, PAGE, true, arena, "a page");
        }
    }

    long registered(MemorySegment page) {
        ok(LibCudart.cudaHostRegister(page, page.byteSize(), LibCudart.cudaHostRegisterMapped));
        return made(out -> LibCudart.cudaHostGetDevicePointer(out, page, 0));
    }

    private byte[] read(long address, int bytes) {
        MemorySegment target = arena.allocate(bytes);
        ok(LibCudart.cudaMemcpy(target.address(), address, bytes, LibCudart.cudaMemcpyDeviceToHost));
        return target.toArray(JAVA_BYTE);
    }

    private static byte[] repeated(int value, int count) {
        byte[] bytes = new byte[count];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    @Test
    void rowsAreCopiedAndFilledWithTheirPitch() {
        long memory = allocate(64);
        MemorySegment source = arena.allocateFrom(JAVA_BYTE, new byte[] {1, 2, 3, 0, 4, 5, 6, 0});
        ok(LibCudart.cudaMemset(memory, 9, 64));
        ok(LibCudart.cudaMemcpy2D(memory, 8, source.address(), 4, 3, 2, LibCudart.cudaMemcpyHostToDevice));
        assertEquals("010203090909090904050609", HexFormat.of().formatHex(read(memory, 12)));
        ok(LibCudart.cudaMemset2DAsync(memory, 8, 7, 2, 2, 0));
        assertEquals("070703090909090907070609", HexFormat.of().formatHex(read(memory, 12)));
        ok(LibCudart.cudaFree(memory));
    }

    @Test
    void aStreamDoesOneThingAfterTheOtherAndLater() {
        long memory = allocate(8);
        MemorySegment page = sharedPage();
        long word = registered(page);
        try (StreamGate gate = new StreamGate();
                DeviceStream stream = new DeviceStream()) {
            ok(LibCudart.cudaMemset(memory, 0, 8));
            ok(LibCudart.cudaDeviceSynchronize());
            gate.block(stream.handle());
            ok(LibCudart.cudaMemsetAsync(memory, 5, 8, stream.handle()));
            ok(LibCuda.cuStreamWriteValue64_v2(stream.handle(), word, 1L << 40 | 3, WITH_BARRIER));
            ok(LibCuda.cuStreamWriteValue32_v2(stream.handle(), word + 8, -2, WITH_BARRIER));
            assertEquals(LibCudart.cudaErrorNotReady, LibCudart.cudaStreamQuery(stream.handle()));
            assertEquals(0, Shared.getLongAcquire(page, 0));
            gate.open();
            ok(LibCudart.cudaStreamSynchronize(stream.handle()));
            ok(LibCudart.cudaStreamQuery(stream.handle()));
            assertEquals(1L << 40 | 3, Shared.getLongAcquire(page, 0));
            assertEquals(-2, Shared.getIntAcquire(page, 8));
            assertEquals("0505050505050505", HexFormat.of().formatHex(read(memory, 8)));
        }
        ok(LibCudart.cudaHostUnregister(page));
        ok(LibCudart.cudaFree(memory));
    }

    @Test
    void aCopyFromPinnedMemoryReadsItWhenItsTurnComes() {
        long memory = allocate(PAGE);
        MemorySegment page = sharedPage();
        registered(page);
        try (StreamGate gate = new StreamGate();
                DeviceStream stream = new DeviceStream()) {
            page.fill((byte) 1);
            gate.block(stream.handle());
            ok(LibCudart.cudaMemcpyAsync(
                    memory, page.address(), PAGE, LibCudart.cudaMemcpyHostToDevice, stream.handle()));
            page.fill((byte) 2); // too soon
            gate.open();
            stream.await();
            assertEquals(
                    HexFormat.of().formatHex(repeated(2, PAGE)), HexFormat.of().formatHex(read(memory, PAGE)));
        }
        ok(LibCudart.cudaHostUnregister(page));
        ok(LibCudart.cudaFree(memory));
    }

    @Test
    void settingDeviceMemoryIsNotWaitedFor() {
        long memory = allocate(PAGE);
        try (StreamGate gate = new StreamGate()) {
            gate.block(0);
            ok(LibCudart.cudaMemset(memory, 1, PAGE));
            assertEquals(LibCudart.cudaErrorNotReady, LibCudart.cudaStreamQuery(0));
        }
        ok(LibCudart.cudaFree(memory));
    }

    @Test
    void theDefaultStreamWaitsForBlockingStreamsAndTheyForIt() {
        long blocking = made(out -> LibCudart.cudaStreamCreateWithFlags(out, LibCudart.cudaStreamDefault));
        long memory = allocate(1);
        try (StreamGate gate = new StreamGate();
                DeviceStream free = new DeviceStream()) {
            gate.block(blocking);
            ok(LibCudart.cudaMemsetAsync(memory, 1, 1, 0));
            ok(LibCudart.cudaMemsetAsync(memory, 2, 1, free.handle()));
            free.await();
            assertEquals(LibCudart.cudaErrorNotReady, LibCudart.cudaStreamQuery(0));
            gate.open();
            assertEquals(1, read(memory, 1)[0]);
        }
        try (StreamGate gate = new StreamGate()) {
            gate.block(0);
            ok(LibCudart.cudaMemsetAsync(memory, 3, 1, blocking));
            assertEquals(LibCudart.cudaErrorNotReady, LibCudart.cudaStreamQuery(blocking));
        }
        ok(LibCudart.cudaStreamDestroy(blocking));
        ok(LibCudart.cudaFree(memory));
    }

    @Test
    void anEventStandsForItsLatestRecordAndForNothingBeforeTheFirst() {
        long event = made(out -> LibCudart.cudaEventCreateWithFlags(out, LibCudart.cudaEventDisableTiming));
        ok(LibCudart.cudaEventQuery(event));
        try (StreamGate gate = new StreamGate();
                DeviceStream first = new DeviceStream();
                DeviceStream second = new DeviceStream()) {
            ok(LibCudart.cudaStreamWaitEvent(second.handle(), event, 0)); // not recorded: no wait
            second.await();
            gate.block(first.handle());
            ok(LibCudart.cudaEventRecord(event, first.handle()));
            assertEquals(LibCudart.cudaErrorNotReady, LibCudart.cudaEventQuery(event));
            ok(LibCudart.cudaStreamWaitEvent(second.handle(), event, 0));
            assertEquals(LibCudart.cudaErrorNotReady, LibCudart.cudaStreamQuery(second.handle()));
            gate.open();
            ok(LibCudart.cudaEventSynchronize(event));
            second.await();
        }
        MemorySegment ms = arena.allocate(JAVA_INT);
        assertEquals(LibCudart.cudaErrorInvalidResourceHandle, LibCudart.cudaEventElapsedTime(ms, event, event));
        ok(LibCudart.cudaEventDestroy(event));
    }

    @Test
    void aHandleIsOpenedByAnotherProcessOnceAndCountedAndByItsOwnNever() throws IOException {
        MemorySegment handle = arena.allocate(LibCudart.CUDA_IPC_HANDLE_SIZE);
        MemorySegment address = arena.allocate(JAVA_LONG);
        long own = allocate(BLOCK);
        ok(LibCudart.cudaIpcGetMemHandle(handle, own));
        assertNotEquals(LibCudart.cudaSuccess, LibCudart.cudaIpcOpenMemHandle(address, handle, 1));
        ok(LibCudart.cudaFree(own));

        try (Child exporter = Child.start(Exporter.class)) {
            handle.copyFrom(MemorySegment.ofArray(HexFormat.of().parseHex(exporter.answer())));
            long first = made(out -> LibCudart.cudaIpcOpenMemHandle(out, handle, 1));
            long second = made(out -> LibCudart.cudaIpcOpenMemHandle(out, handle, 1));
            assertEquals(first, second);
            assertEquals("2a2a2a2a", HexFormat.of().formatHex(read(first, 4)));
            ok(LibCudart.cudaMemset(first, 0x2b, BLOCK));
            ok(LibCudart.cudaDeviceSynchronize());
            assertEquals("2b2b2b2b", exporter.ask("read"));
            ok(LibCudart.cudaIpcCloseMemHandle(first));
            assertEquals("2b2b2b2b", HexFormat.of().formatHex(read(first, 4))); // the other use
            ok(LibCudart.cudaIpcCloseMemHandle(second));
            assertNotEquals(LibCudart.cudaSuccess, LibCudart.cudaIpcCloseMemHandle(first));
        }
    }

    /** Exports a block of 42s; says the handle, then the first bytes whenever it is asked. */
    static final class Exporter extends CudaContract {
        public static void main(String[] args) throws IOException {
            new Exporter().serve();
        }

        private void serve() throws IOException {
            long memory = super.allocate(BLOCK);
            ok(LibCudart.cudaMemset(memory, 42, BLOCK));
            ok(LibCudart.cudaDeviceSynchronize());
            MemorySegment handle = arena.allocate(LibCudart.CUDA_IPC_HANDLE_SIZE);
            ok(LibCudart.cudaIpcGetMemHandle(handle, memory));
            System.out.println(HexFormat.of().formatHex(handle.toArray(JAVA_BYTE)));
            while (System.in.read() >= 0) {
                if (System.in.available() == 0) {
                    System.out.println(HexFormat.of().formatHex(super.read(memory, 4)));
                }
            }
        }
    }

    @Test
    void aPageIsRegisteredOnceAndThenWrittenByStreams() {
        MemorySegment page = sharedPage();
        long word = registered(page);
        assertEquals(
                LibCudart.cudaErrorHostMemoryAlreadyRegistered,
                LibCudart.cudaHostRegister(page, PAGE, LibCudart.cudaHostRegisterMapped));
        ok(LibCuda.cuStreamWriteValue64_v2(0, word + 64, 11, WITH_BARRIER));
        ok(LibCudart.cudaStreamSynchronize(0));
        assertEquals(11, Shared.getLongAcquire(page, 64));
        ok(LibCudart.cudaHostUnregister(page));
        assertEquals(LibCudart.cudaErrorHostMemoryNotRegistered, LibCudart.cudaHostUnregister(page));
    }

    @Test
    void anEventStandsForWhatWasQueuedWhenItWasRecorded() {
        long event = made(out -> LibCuda.cuEventCreate(out, LibCuda.CU_EVENT_DISABLE_TIMING));
        assertEquals(LibCuda.CUDA_SUCCESS, LibCuda.cuEventQuery(event), "it was never recorded");
        try (StreamGate gate = new StreamGate();
                DeviceStream first = new DeviceStream();
                DeviceStream second = new DeviceStream();
                DeviceStream after = new DeviceStream()) {
            gate.block(first.handle());
            ok(LibCuda.cuEventRecord(event, first.handle()));
            assertEquals(LibCuda.CUDA_ERROR_NOT_READY, LibCuda.cuEventQuery(event));
            ok(LibCuda.cuStreamWaitEvent(after.handle(), event, 0));
            ok(LibCuda.cuEventRecord(event, second.handle()));
            second.await();
            assertEquals(LibCuda.CUDA_SUCCESS, LibCuda.cuEventQuery(event), "what it stands for now");
            assertEquals(LibCuda.CUDA_ERROR_NOT_READY, LibCuda.cuStreamQuery(after.handle()), "what it stood for");
            ok(LibCuda.cuEventDestroy_v2(event));
            assertEquals(LibCuda.CUDA_ERROR_NOT_READY, LibCuda.cuStreamQuery(after.handle()));
            gate.open();
            after.await();
        }
    }

    @Test
    void addressesAreToldApart() {
        long memory = allocate(BLOCK);
        MemorySegment page = sharedPage();
        registered(page);
        MemorySegment plain = arena.allocate(64);
        assertEquals(LibCudart.cudaMemoryTypeDevice, type(memory + 100));
        assertEquals(LibCudart.cudaMemoryTypeHost, type(page.address() + 100));
        assertEquals(LibCudart.cudaMemoryTypeUnregistered, type(plain.address()));

        MemorySegment out = arena.allocate(JAVA_LONG, 2);
        ok(LibCuda.cuMemGetAddressRange_v2(out, out.asSlice(8), memory + BLOCK - 1));
        assertEquals(memory, out.get(JAVA_LONG, 0));
        assertEquals(BLOCK, out.get(JAVA_LONG, 8));
        ok(LibCuda.cuMemGetInfo_v2(out, out.asSlice(8)));
        assertTrue(out.get(JAVA_LONG, 0) > 0 && out.get(JAVA_LONG, 0) <= out.get(JAVA_LONG, 8) - BLOCK);
        ok(LibCuda.cuPointerGetAttribute(out, LibCuda.CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, memory));
        assertEquals(0, out.get(JAVA_INT, 0));
        assertEquals(
                LibCuda.CUDA_ERROR_INVALID_VALUE,
                LibCuda.cuPointerGetAttribute(out, LibCuda.CU_POINTER_ATTRIBUTE_MEMORY_TYPE, plain.address()));
        ok(LibCudart.cudaHostUnregister(page));
        ok(LibCudart.cudaFree(memory));
    }

    private int type(long address) {
        MemorySegment attributes = arena.allocate(CudaPointerAttributes.LENGTH, Long.BYTES);
        ok(LibCudart.cudaPointerGetAttributes(attributes, address));
        int type = attributes.get(JAVA_INT, CudaPointerAttributes.TYPE_OFFSET);
        if (type == LibCudart.cudaMemoryTypeDevice) {
            assertEquals(0, attributes.get(JAVA_INT, CudaPointerAttributes.DEVICE_OFFSET));
            assertEquals(address, attributes.get(JAVA_LONG, CudaPointerAttributes.DEVICE_POINTER_OFFSET));
        }
        return type;
    }

    @Test
    void memoryIsSharedByADescriptorAndMappedReadOnly() {
        MemorySegment prop = arena.allocate(CUmemAllocationProp.LENGTH, Long.BYTES);
        prop.set(JAVA_INT, CUmemAllocationProp.TYPE_OFFSET, LibCuda.CU_MEM_ALLOCATION_TYPE_PINNED);
        prop.set(
                JAVA_INT,
                CUmemAllocationProp.REQUESTED_HANDLE_TYPES_OFFSET,
                LibCuda.CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR);
        prop.set(JAVA_INT, CUmemAllocationProp.LOCATION_TYPE_OFFSET, LibCuda.CU_MEM_LOCATION_TYPE_DEVICE);
        long granularity =
                made(out -> LibCuda.cuMemGetAllocationGranularity(out, prop, LibCuda.CU_MEM_ALLOC_GRANULARITY_MINIMUM));
        long size = 2 * granularity;
        assertEquals(
                LibCuda.CUDA_ERROR_INVALID_VALUE, LibCuda.cuMemCreate(arena.allocate(JAVA_LONG), size + 1, prop, 0));
        long physical = made(out -> LibCuda.cuMemCreate(out, size, prop, 0));
        long written = map(physical, size, LibCuda.CU_MEM_ACCESS_FLAGS_PROT_READWRITE);

        MemorySegment descriptor = arena.allocate(JAVA_INT);
        ok(LibCuda.cuMemExportToShareableHandle(
                descriptor, physical, LibCuda.CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0));
        int fd = descriptor.get(JAVA_INT, 0);
        long imported = made(out ->
                LibCuda.cuMemImportFromShareableHandle(out, fd, LibCuda.CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR));
        assertEquals(0, Libc.close(fd)); // neither side needs it any more
        long seen = map(imported, size, LibCuda.CU_MEM_ACCESS_FLAGS_PROT_READ);
        ok(LibCuda.cuMemRelease(physical));
        ok(LibCuda.cuMemRelease(imported)); // the mappings keep the memory

        ok(LibCudart.cudaMemset(written, 6, size));
        assertEquals("06060606", HexFormat.of().formatHex(read(seen + size - 4, 4)));
        assertNotEquals(LibCudart.cudaSuccess, LibCudart.cudaMemset(seen, 7, size));
        assertEquals(LibCudart.cudaMemoryTypeDevice, type(seen));
        for (long address : new long[] {written, seen}) {
            ok(LibCuda.cuMemUnmap(address, size));
            ok(LibCuda.cuMemAddressFree(address, size));
        }
    }

    private long map(long physical, long size, int access) {
        long address = made(out -> LibCuda.cuMemAddressReserve(out, size, 0, 0, 0));
        ok(LibCuda.cuMemMap(address, size, 0, physical, 0));
        MemorySegment desc = arena.allocate(CUmemAccessDesc.LENGTH, Integer.BYTES);
        desc.set(JAVA_INT, CUmemAccessDesc.LOCATION_TYPE_OFFSET, LibCuda.CU_MEM_LOCATION_TYPE_DEVICE);
        desc.set(JAVA_INT, CUmemAccessDesc.FLAGS_OFFSET, access);
        ok(LibCuda.cuMemSetAccess(address, size, desc, 1));
        return address;
    }

    @Test
    void theRuntimeMakesAContextCurrentAndTheDriverNeedsOne() throws InterruptedException {
        MemorySegment context = arena.allocate(ADDRESS);
        int[] statuses = new int[3];
        Thread.ofPlatform()
                .start(() -> {
                    statuses[0] = LibCuda.cuStreamWriteValue64_v2(0, 8, 1, WITH_BARRIER);
                    statuses[1] = LibCudart.cudaSetDevice(0);
                    statuses[2] = LibCuda.cuCtxGetCurrent(context);
                })
                .join();
        assertEquals(LibCuda.CUDA_ERROR_INVALID_CONTEXT, statuses[0]);
        ok(statuses[1]);
        ok(statuses[2]);
        assertNotEquals(MemorySegment.NULL, context.get(ADDRESS, 0));
    }
}
