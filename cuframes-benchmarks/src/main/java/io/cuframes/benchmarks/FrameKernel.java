// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cuframes.ffm.NativeLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * A kernel that reads every byte of a frame where it is, and adds up its words: what a consumer's first kernel costs at least. For one thread and its
 * current device.
 */
final class FrameKernel {
    private static final int BLOCKS = 264;
    private static final int THREADS = 256;
    private static final int VECTOR_BYTES = 16;

    /** Each thread reads 16 bytes at a time, a grid apart, and adds its sum to one word. */
    private static final String PTX = """
            .version 6.3
            .target sm_60
            .address_size 64
            .visible .entry sum(.param .u64 from, .param .u64 vectors, .param .u64 to)
            {
                .reg .pred %done;
                .reg .b32 %block, %width, %thread, %blocks, %at, %step, %total, %a, %b, %c, %d;
                .reg .b64 %from, %end, %to, %index, %stride, %offset, %address;
                ld.param.u64 %from, [from];
                ld.param.u64 %end, [vectors];
                ld.param.u64 %to, [to];
                mov.u32 %block, %ctaid.x;
                mov.u32 %width, %ntid.x;
                mov.u32 %thread, %tid.x;
                mov.u32 %blocks, %nctaid.x;
                mad.lo.u32 %at, %block, %width, %thread;
                mul.lo.u32 %step, %blocks, %width;
                cvt.u64.u32 %index, %at;
                cvt.u64.u32 %stride, %step;
                mov.u32 %total, 0;
            next:
                setp.ge.u64 %done, %index, %end;
                @%done bra sum_up;
                shl.b64 %offset, %index, 4;
                add.u64 %address, %from, %offset;
                ld.global.v4.u32 {%a, %b, %c, %d}, [%address];
                add.u32 %total, %total, %a;
                add.u32 %total, %total, %b;
                add.u32 %total, %total, %c;
                add.u32 %total, %total, %d;
                add.u64 %index, %index, %stride;
                bra next;
            sum_up:
                red.global.add.u32 [%to], %total;
                ret;
            }
            """;

    private static final MethodHandle LOAD = link("cuModuleLoadData", ADDRESS, ADDRESS);
    private static final MethodHandle GET = link("cuModuleGetFunction", ADDRESS, JAVA_LONG, ADDRESS);
    private static final MethodHandle LAUNCH = link(
            "cuLaunchKernel",
            JAVA_LONG,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_LONG,
            ADDRESS,
            ADDRESS);

    private final long function;
    private final MemorySegment values = Arena.global().allocate(3 * JAVA_LONG.byteSize(), 8);
    private final MemorySegment pointers = Arena.global().allocate(ADDRESS, 3);

    /** Loads it into the current context. */
    FrameKernel() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            check((int) LOAD.invokeExact(out, arena.allocateFrom(PTX)), "cuModuleLoadData");
            long module = out.get(JAVA_LONG, 0);
            check((int) GET.invokeExact(out, module, arena.allocateFrom("sum")), "cuModuleGetFunction");
            function = out.get(JAVA_LONG, 0);
        } catch (Throwable t) {
            throw unexpected(t);
        }
        for (int i = 0; i < 3; i++) {
            pointers.setAtIndex(ADDRESS, i, values.asSlice(i * JAVA_LONG.byteSize()));
        }
    }

    @SuppressWarnings("restricted") // loading and linking are what this is for
    private static MethodHandle link(String name, MemoryLayout... parameters) {
        SymbolLookup symbols = SymbolLookup.libraryLookup(NativeLibrary.CUDA.load(), Arena.global());
        return Linker.nativeLinker()
                .downcallHandle(symbols.find(name).orElseThrow(), FunctionDescriptor.of(JAVA_INT, parameters));
    }

    /**
     * Queues the reading of a frame.
     *
     * @param frame its first byte, in memory that the current device reaches
     * @param bytes of it; what is beyond a multiple of 16 is not read
     * @param sum where its words are added up, in device memory
     * @param stream to queue it on
     */
    void read(long frame, long bytes, long sum, long stream) {
        values.setAtIndex(JAVA_LONG, 0, frame);
        values.setAtIndex(JAVA_LONG, 1, bytes / VECTOR_BYTES);
        values.setAtIndex(JAVA_LONG, 2, sum);
        try {
            check(
                    (int) LAUNCH.invokeExact(
                            function, BLOCKS, 1, 1, THREADS, 1, 1, 0, stream, pointers, MemorySegment.NULL),
                    "cuLaunchKernel");
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    private static void check(int status, String call) {
        if (status != 0) {
            throw new IllegalStateException(call + " failed: " + status);
        }
    }

    private static RuntimeException unexpected(Throwable thrown) {
        if (thrown instanceof Error error) {
            throw error;
        }
        return thrown instanceof RuntimeException runtime ? runtime : new IllegalStateException(thrown);
    }
}
