// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cuframes.ffm.NativeLibrary;
import io.cuframes.internal.cuda.Cuda;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/** Two kernels for the GPU proper, compiled by the driver: one that takes its time, and one that costs its process the context. Needs a device current. */
public final class GpuKernels {
    private static final String PTX = """
            .version 7.0
            .target sm_70
            .address_size 64
            .visible .entry spin(.param .u64 nanos)
            {
                .reg .u64 %start, %now, %spent, %limit;
                .reg .pred %more;
                ld.param.u64 %limit, [nanos];
                mov.u64 %start, %globaltimer;
            again:
                mov.u64 %now, %globaltimer;
                sub.u64 %spent, %now, %start;
                setp.lt.u64 %more, %spent, %limit;
                @%more bra again;
                ret;
            }
            .visible .entry store(.param .u64 address)
            {
                .reg .u64 %at;
                .reg .u32 %value;
                ld.param.u64 %at, [address];
                mov.u32 %value, 7;
                st.global.u32 [%at], %value;
                ret;
            }
            """;

    /** No allocation is there. */
    private static final long NOWHERE = 0xdead0000L;

    private final MethodHandle launch = link(
            "cuLaunchKernel",
            FunctionDescriptor.of(
                    JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT,
                    JAVA_LONG, ADDRESS, ADDRESS));

    private final long spin;
    private final long store;

    /** Compiles them for the current device; they stay loaded as long as its context. */
    public GpuKernels() {
        MethodHandle load = link("cuModuleLoadData", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment module = arena.allocate(JAVA_LONG);
            Cuda.checkDriver((int) load.invokeExact(module, arena.allocateFrom(PTX)), "cuModuleLoadData");
            spin = function(module.get(JAVA_LONG, 0), "spin", arena);
            store = function(module.get(JAVA_LONG, 0), "store", arena);
        } catch (Throwable t) {
            throw new IllegalStateException(t);
        }
    }

    private static long function(long module, String name, Arena arena) throws Throwable {
        MethodHandle get = link("cuModuleGetFunction", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS));
        MemorySegment function = arena.allocate(JAVA_LONG);
        Cuda.checkDriver((int) get.invokeExact(function, module, arena.allocateFrom(name)), "cuModuleGetFunction");
        return function.get(JAVA_LONG, 0);
    }

    @SuppressWarnings("restricted") // loading and linking are what this class is for
    private static MethodHandle link(String name, FunctionDescriptor function) {
        SymbolLookup library = SymbolLookup.libraryLookup(NativeLibrary.CUDA.load(), Arena.global());
        return Linker.nativeLinker().downcallHandle(library.find(name).orElseThrow(), function);
    }

    /** Keeps the stream, and the context, busy for so long. */
    public void spin(long nanos, long stream) {
        launch(spin, nanos, stream);
    }

    /** Writes to an illegal address: the context is lost once the GPU gets there. */
    public void stray(long stream) {
        launch(store, NOWHERE, stream);
    }

    private void launch(long function, long argument, long stream) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocateFrom(JAVA_LONG, argument);
            MemorySegment values = arena.allocateFrom(ADDRESS, value);
            int status = (int) launch.invokeExact(function, 1, 1, 1, 1, 1, 1, 0, stream, values, MemorySegment.NULL);
            Cuda.checkDriver(status, "cuLaunchKernel");
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            throw new IllegalStateException(t);
        }
    }
}
