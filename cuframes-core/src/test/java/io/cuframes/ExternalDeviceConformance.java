// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cuframes.ffm.CUmemAccessDesc;
import io.cuframes.ffm.CUmemAllocationProp;
import io.cuframes.ffm.LibCuda;
import io.cuframes.ffm.LibCudart;
import io.cuframes.ffm.NativeLibrary;
import io.cuframes.internal.cuda.Cuda;
import io.cuframes.testing.Needs;
import io.cuframes.testing.OwnBuffers;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Own buffers in device memory. */
abstract class ExternalDeviceConformance extends ExternalConformance {
    private static final long BLOCK = 2L << 20;

    ExternalDeviceConformance() {
        super(Transport.CUDA_IPC);
    }

    @Override
    void requireUsable(OwnBuffers own) {
        long bytes = own.layout().frameBytes();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment back = arena.allocate(bytes);
            for (DevicePtr buffer : own.device()) {
                Cuda.check(LibCudart.cudaMemset(buffer.address(), 7, bytes), "cudaMemset");
                Cuda.check(
                        LibCudart.cudaMemcpy(back.address(), buffer.address(), bytes, LibCudart.cudaMemcpyDeviceToHost),
                        "cudaMemcpy");
                assertEquals(7, back.get(JAVA_BYTE, bytes - 1));
            }
        }
    }

    /** Registers buffers of which number 1 is at another address. */
    private void refusedBuffer(long address, String... fragments) {
        refusedBuffer(own(3), address, fragments);
    }

    private void refusedBuffer(OwnBuffers own, long address, String... fragments) {
        List<DevicePtr> buffers = new ArrayList<>(own.device());
        buffers.set(1, new DevicePtr(address));
        List<String> all = new ArrayList<>(List.of("slot 1: 0x" + Long.toHexString(address)));
        all.addAll(List.of(fragments));
        refused(b -> b.externalDevice(own.layout(), buffers), all.toArray(String[]::new));
    }

    @Test
    void whatIsNoDeviceMemoryIsRefusedByWhatItIs() {
        try (Arena arena = Arena.ofConfined()) {
            refusedBuffer(arena.allocate(1 << 20).address(), "unknown to CUDA", "cudaMalloc");
            refusedBuffer(0, "unknown to CUDA");
            refusedBuffer(0x1234567, "unknown to CUDA");
            MemorySegment pinned = arena.allocate(JAVA_LONG);
            Cuda.check(LibCudart.cudaHostAlloc(pinned, 1 << 20, LibCudart.cudaHostAllocMapped), "cudaHostAlloc");
            refusedBuffer(pinned.get(JAVA_LONG, 0), "page-locked host memory", "cannot share", "cudaMalloc");
            Cuda.check(LibCudart.cudaFreeHost(pinned.get(JAVA_LONG, 0)), "cudaFreeHost");
        }
    }

    @Test
    void freedMemoryIsRefused() {
        OwnBuffers own = own(3); // first, since it may get the address that is freed
        long freed = OwnBuffers.allocate(BLOCK);
        Cuda.check(LibCudart.cudaFree(freed), "cudaFree");
        refusedBuffer(own, freed, "freed");
    }

    @Test
    void managedMemoryIsRefused() {
        long managed = allocateBy("cudaMallocManaged", 1);
        refusedBuffer(
                managed, "managed memory, which CUDA cannot share between processes: allocate it with cudaMalloc");
        Cuda.check(LibCudart.cudaFree(managed), "cudaFree");
    }

    @Test
    void memoryOfAPoolIsRefused() {
        long pooled = allocateBy("cudaMallocAsync", 0);
        refusedBuffer(pooled, "does not share", "cudaMallocAsync", "allocate it with cudaMalloc");
        Cuda.check(LibCudart.cudaFree(pooled), "cudaFree");
    }

    /** 1 MiB, by a function that the library does not bind: {@code (void **, size_t, flags or stream)}. */
    @SuppressWarnings("restricted") // loading and linking are what this is for
    private static long allocateBy(String function, long last) {
        try (Arena arena = Arena.ofConfined()) {
            SymbolLookup symbols = SymbolLookup.libraryLookup(NativeLibrary.CUDART.load(), arena);
            Needs.gpu(symbols.find(function).isPresent(), "this CUDA has no " + function);
            MemorySegment address = arena.allocate(JAVA_LONG);
            int status = (int) Linker.nativeLinker()
                    .downcallHandle(
                            symbols.find(function).orElseThrow(),
                            FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG))
                    .invokeExact(address, 1L << 20, last);
            Needs.gpu(status == LibCudart.cudaSuccess, function + " gives " + status);
            Cuda.check(LibCudart.cudaDeviceSynchronize(), "cudaDeviceSynchronize");
            return address.get(JAVA_LONG, 0);
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    @Test
    void memoryOfTheVirtualMemoryFunctionsIsRefused() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment properties = arena.allocate(CUmemAllocationProp.LAYOUT);
            properties.set(JAVA_INT, CUmemAllocationProp.TYPE_OFFSET, LibCuda.CU_MEM_ALLOCATION_TYPE_PINNED);
            properties.set(JAVA_INT, CUmemAllocationProp.LOCATION_TYPE_OFFSET, LibCuda.CU_MEM_LOCATION_TYPE_DEVICE);
            MemorySegment out = arena.allocate(JAVA_LONG);
            driver(LibCuda.cuMemCreate(out, BLOCK, properties, 0));
            long handle = out.get(JAVA_LONG, 0);
            driver(LibCuda.cuMemAddressReserve(out, BLOCK, 0, 0, 0));
            long address = out.get(JAVA_LONG, 0);
            driver(LibCuda.cuMemMap(address, BLOCK, 0, handle, 0));
            MemorySegment access = arena.allocate(CUmemAccessDesc.LAYOUT);
            access.set(JAVA_INT, CUmemAccessDesc.LOCATION_TYPE_OFFSET, LibCuda.CU_MEM_LOCATION_TYPE_DEVICE);
            access.set(JAVA_INT, CUmemAccessDesc.FLAGS_OFFSET, LibCuda.CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
            driver(LibCuda.cuMemSetAccess(address, BLOCK, access, 1));
            refusedBuffer(address, "does not share", "cuMemCreate", "allocate it with cudaMalloc");
            driver(LibCuda.cuMemUnmap(address, BLOCK));
            driver(LibCuda.cuMemRelease(handle));
            driver(LibCuda.cuMemAddressFree(address, BLOCK));
        }
    }

    private static void driver(int status) {
        assertEquals(LibCuda.CUDA_SUCCESS, status);
    }

    @Test
    void memoryOfAnotherDeviceIsRefusedNamingBoth() {
        Needs.gpu(Cuda.devices().size() > 1, "a second one, and there is one only");
        long previous = Cuda.useDevice(1);
        long other = OwnBuffers.allocate(BLOCK);
        Cuda.restoreDevice(previous, 1);
        refusedBuffer(other, Cuda.device(0).toString(), Cuda.device(1).toString(), "device(1)");
        Cuda.check(LibCudart.cudaFree(other), "cudaFree");
    }

    @Test
    void aBufferTooNearTheEndOfItsAllocationIsRefused() {
        long bytes = OwnBuffers.layout(WIDTH, HEIGHT).frameBytes();
        long allocation = OwnBuffers.allocate(BLOCK);
        refusedBuffer(allocation + BLOCK - bytes + 1, (bytes - 1) + " bytes before the end", "takes " + bytes);
        Cuda.check(LibCudart.cudaFree(allocation), "cudaFree");
    }

    @Test
    void buffersThatOverlapAreRefused() {
        FrameFormat layout = OwnBuffers.layout(WIDTH, HEIGHT);
        long allocation = OwnBuffers.allocate(BLOCK);
        List<DevicePtr> buffers = List.of(
                new DevicePtr(allocation + layout.frameBytes()),
                new DevicePtr(allocation + 2 * layout.frameBytes()),
                new DevicePtr(allocation + 1));
        refused(b -> b.externalDevice(layout, buffers), "slot 2", "slot 0", "overlap");
        Cuda.check(LibCudart.cudaFree(allocation), "cudaFree");
    }

    @Test
    void samplesThatWouldNotBeAlignedAreRefused() {
        FrameFormat layout = FrameFormat.of(PixelFormat.P010, WIDTH, HEIGHT, ColorInfo.UNKNOWN);
        long allocation = OwnBuffers.allocate(BLOCK);
        List<DevicePtr> buffers =
                List.of(new DevicePtr(allocation), new DevicePtr(allocation + layout.frameBytes() + 1));
        refused(b -> b.externalDevice(layout, buffers), "slot 1", "not a multiple of the 2 bytes");
        Cuda.check(LibCudart.cudaFree(allocation), "cudaFree");
    }
}
