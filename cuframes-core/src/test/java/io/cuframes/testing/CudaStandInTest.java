// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ffm.LibCuda;
import io.cuframes.ffm.LibCudart;
import io.cuframes.internal.cuda.Cuda;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.protocol.Shared;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The stand-in keeps CUDA's contract, and what it promises besides. */
@StandInTest
class CudaStandInTest extends CudaContract {
    @Test
    void everyFunctionThatIsBoundIsThere() {
        List<String> missing = Stream.of(LibCudart.class, LibCuda.class)
                .flatMap(library -> Arrays.stream(library.getDeclaredClasses()))
                .filter(holder -> Arrays.stream(holder.getDeclaredFields())
                        .anyMatch(field -> field.getName().equals("FUNC")))
                .map(Class::getSimpleName)
                .filter(name -> CudaStandIn.symbols().find(name).isEmpty())
                .toList();
        assertEquals(List.of(), missing);
    }

    @Test
    void everyFunctionIsDeclaredAsInTheRealHeaders() throws IOException, InterruptedException {
        Path include = Stream.of(System.getenv("CUDA_HOME"), System.getenv("CUDA_PATH"), "/usr/local/cuda")
                .filter(home -> home != null)
                .map(home -> Path.of(home, "include"))
                .filter(path -> Files.exists(path.resolve("cuda_runtime_api.h")))
                .findFirst()
                .orElse(null);
        Needs.that(
                include != null,
                "CUDA's headers: NVIDIA's packages cuda-cudart-dev and cuda-driver-dev, in /usr/local/cuda or CUDA_HOME");
        List<String> command =
                new ArrayList<>(List.of("cc", "-fsyntax-only", "-DCUDA_HEADERS", "-isystem", include.toString()));
        command.addAll(CudaStandIn.sources());
        command.add("-Wno-enum-conversion");
        Process compiler = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, compiler.waitFor(), output);
    }

    @Test
    void noGpuTestTakesItForAGpu() {
        assertEquals(CudaStandIn.DEVICE_NAME, Cuda.device(0).name());
        assertTrue(new GpuTest.Condition().evaluateExecutionCondition(null).isDisabled());
    }

    @Test
    void devicesHaveNamesOfTheirOwnWhateverTheirOrder() {
        List<String> uuids = uuids();
        assertEquals(2, uuids.stream().distinct().count());
        CudaStandIn.set("VISIBLE", "1,0");
        assertEquals(List.of(uuids.get(1), uuids.get(0)), uuids());
        CudaStandIn.set("DEVICES", "0");
        assertEquals(LibCudart.cudaErrorNoDevice, LibCudart.cudaGetDeviceCount(arena.allocate(JAVA_INT)));
    }

    private static List<String> uuids() {
        return Cuda.devices().stream().map(device -> device.uuid().toString()).toList();
    }

    @Test
    void theProcessorCannotTouchDeviceMemory() throws IOException {
        long memory = made(out -> LibCudart.cudaMalloc(out, 1 << 20));
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            String mapping = lines.filter(line -> {
                        String[] range = line.split("[- ]", -1);
                        return Long.compareUnsigned(Long.parseUnsignedLong(range[0], 16), memory) <= 0
                                && Long.compareUnsigned(memory, Long.parseUnsignedLong(range[1], 16)) < 0;
                    })
                    .findFirst()
                    .orElseThrow();
            assertTrue(mapping.contains(" ---p "), mapping);
        }
        ok(LibCudart.cudaFree(memory));
    }

    @Test
    void aWordIsWrittenWhereItIsRegisteredAndAlignedAndNowhereElse() {
        MemorySegment page = sharedPage();
        long word = registered(page);
        assertEquals(LibCuda.CUDA_ERROR_INVALID_VALUE, LibCuda.cuStreamWriteValue64_v2(0, word + 4, 1, WITH_BARRIER));
        ok(LibCudart.cudaHostUnregister(page));
        assertEquals(LibCuda.CUDA_ERROR_INVALID_VALUE, LibCuda.cuStreamWriteValue64_v2(0, word, 1, WITH_BARRIER));
    }

    @Test
    void aRegisteredPageIsReachedAfterTheProcessHasUnmappedIt() {
        try (Descriptor file = Posix.memfd("cuframes-test")) {
            Posix.reserve(file, 4096, "a page");
            long address;
            try (CudaStandIn.Hold hold = new CudaStandIn.Hold();
                    Arena mapped = Arena.ofShared()) {
                address = registered(Posix.map(file, 4096, true, mapped, "a page"));
                ok(LibCuda.cuStreamWriteValue64_v2(0, address, 12, WITH_BARRIER));
            }
            ok(LibCudart.cudaStreamSynchronize(0));
            assertEquals(12, Shared.getLongAcquire(Posix.map(file, 4096, false, arena, "a page"), 0));
            ok(LibCudart.cudaHostUnregister(MemorySegment.ofAddress(address)));
        }
    }

    @Test
    void workOnMemoryThatIsGoneLosesTheDevice() {
        long memory = made(out -> LibCudart.cudaMalloc(out, 4096));
        try (CudaStandIn.Hold hold = new CudaStandIn.Hold()) {
            ok(LibCudart.cudaMemsetAsync(memory, 1, 4096, 0));
            ok(LibCudart.cudaFree(memory));
        }
        assertEquals(LibCudart.cudaErrorIllegalAddress, LibCudart.cudaStreamSynchronize(0));
        assertEquals(LibCudart.cudaErrorIllegalAddress, LibCudart.cudaSetDevice(0));
    }

    @Test
    void aRangeThatReachesBeyondItsAllocationIsRefused() {
        long memory = made(out -> LibCudart.cudaMalloc(out, 4096));
        ok(LibCudart.cudaMemset(memory, 1, 4096));
        assertEquals(LibCudart.cudaErrorInvalidValue, LibCudart.cudaMemset(memory + 1, 1, 4096));
        ok(LibCudart.cudaDeviceSynchronize());
        ok(LibCudart.cudaFree(memory));
        assertEquals(LibCudart.cudaErrorInvalidValue, LibCudart.cudaMemset(memory, 1, 4096));
        assertEquals(LibCudart.cudaErrorInvalidValue, LibCudart.cudaFree(memory));
    }

    @Test
    void aCallFailsWhenItIsToldToAndNoOther() {
        CudaStandIn.set("FAIL", "cudaMalloc:2:2,cudaGetDevice:3+:999");
        MemorySegment out = arena.allocate(8);
        List<Integer> statuses = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            statuses.add(LibCudart.cudaGetDevice(out));
        }
        assertEquals(List.of(0, 0, 999, 999), statuses);
        long first = made(pointer -> LibCudart.cudaMalloc(pointer, 1));
        assertEquals(2, LibCudart.cudaMalloc(out, 1));
        assertEquals(2, LibCudart.cudaGetLastError());
        assertEquals(0, LibCudart.cudaGetLastError());
        long third = made(pointer -> LibCudart.cudaMalloc(pointer, 1));
        ok(LibCudart.cudaFree(first));
        ok(LibCudart.cudaFree(third));
        assertThrows(IllegalArgumentException.class, () -> CudaStandIn.set("FAIL", "cudaMalloc"));
    }

    @Test
    void whatIsHeldIsListed() {
        long memory = made(out -> LibCudart.cudaMalloc(out, 4096));
        try (DeviceStream stream = new DeviceStream()) {
            assertEquals(2, CudaStandIn.remains().size(), CudaStandIn.remains()::toString);
            assertTrue(stream.handle() != 0);
        }
        ok(LibCudart.cudaFree(memory));
        assertEquals(List.of(), CudaStandIn.remains());
    }

    @Test
    void aProcessEndsWithWorkQueuedAndLeavesNothing() throws IOException {
        try (Child child = Child.start(Map.of(CudaStandIn.variable("DELAY_US"), "60000000"), Leaver.class)) {
            assertEquals("queued", child.answer());
            assertEquals(0, child.awaitExit());
        }
        try (Stream<Path> names = Files.list(Path.of("/dev/shm"))) {
            assertFalse(names.anyMatch(name -> name.toString().contains("standin")));
        }
    }

    /** Queues what takes a minute, and ends. */
    static final class Leaver {
        private Leaver() {}

        public static void main(String[] args) throws InterruptedException {
            new CudaContract() {
                void queue() {
                    long memory = made(out -> LibCudart.cudaMalloc(out, 4096));
                    ok(LibCudart.cudaMemsetAsync(memory, 1, 4096, 0));
                }
            }.queue();
            System.out.println("queued");
            Thread.sleep(Duration.ofMillis(50));
        }
    }
}
