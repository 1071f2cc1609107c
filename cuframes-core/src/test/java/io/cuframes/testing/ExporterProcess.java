// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cuframes.ffm.LibCudart;
import io.cuframes.internal.cuda.Cuda;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;

/** Allocates device memory and prints the IPC handle of each allocation; ends with its standard input. */
public final class ExporterProcess {
    private static final long BYTES = 2 << 20;

    private ExporterProcess() {}

    /** Arguments: how many. */
    public static void main(String[] args) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointer = arena.allocate(JAVA_LONG);
            MemorySegment handle = arena.allocate(LibCudart.CUDA_IPC_HANDLE_SIZE);
            for (int i = 0; i < Integer.parseInt(args[0]); i++) {
                Cuda.check(LibCudart.cudaMalloc(pointer, BYTES), "cudaMalloc");
                Cuda.check(LibCudart.cudaIpcGetMemHandle(handle, pointer.get(JAVA_LONG, 0)), "cudaIpcGetMemHandle");
                System.out.println(HexFormat.of().formatHex(handle.toArray(JAVA_BYTE)));
            }
        }
        while (System.in.read() >= 0) {
            // nothing is said to it
        }
    }
}
