// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;
import java.nio.file.Path;

/**
 * The log of libavutil, FFmpeg's base library, under its C names, as {@code libavutil/log.h} declares it. {@link #load} comes before every other
 * function. Pointers are {@code long}, since they arrive so in the callback, where a segment would be an allocation. Thread-safe.
 */
@SuppressWarnings("MemberName") // C names
public final class LibAvutil {
    private static final MethodType CALLBACK_TYPE =
            MethodType.methodType(void.class, long.class, int.class, long.class, long.class);

    // void (*callback)(void *avcl, int level, const char *fmt, va_list vl)
    // A va_list arrives as a pointer: on x86-64 it is an array (System V ABI 3.5.7), on aarch64 a structure of 32
    // bytes, and the caller passes the
    // address of a copy of those that have more than 16 (AAPCS64 6.8.2, B.4).
    private static final FunctionDescriptor CALLBACK =
            FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);

    private static volatile SymbolLookup symbols;

    private LibAvutil() {}

    /**
     * Finds the functions in a library, or in those that it depends on. What is in memory already is not loaded again.
     *
     * @param library the path that the library was loaded by
     * @throws IllegalArgumentException if it cannot be loaded
     */
    @SuppressWarnings("restricted") // loading native libraries is this module's purpose
    public static void load(Path library) {
        symbols = SymbolLookup.libraryLookup(library, Arena.global());
    }

    private static MethodHandle link(Class<?> holder, FunctionDescriptor function) {
        SymbolLookup loaded = symbols;
        if (loaded == null) {
            throw new IllegalStateException("LibAvutil.load has not been called");
        }
        String name = holder.getSimpleName();
        return Binding.link(
                loaded.find(name).orElseThrow(() -> new UnsupportedOperationException("libavutil has no " + name)),
                function);
    }

    // void av_log_set_callback(void (*callback)(void *, int, const char *, va_list))
    private static final class av_log_set_callback {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.ofVoid(JAVA_LONG);
        private static final MethodHandle MH =
                Binding.orFailing(() -> link(av_log_set_callback.class, FUNC), FUNC.toMethodType());
    }

    /**
     * Sets the function that every message of the process is given to, whatever its level.
     *
     * @param callback its address: {@link #callback}
     */
    public static void av_log_set_callback(long callback) {
        try {
            av_log_set_callback.MH.invokeExact(callback);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int av_log_get_level(void)
    private static final class av_log_get_level {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT);
        private static final MethodHandle MH =
                Binding.orFailing(() -> link(av_log_get_level.class, FUNC), FUNC.toMethodType());
    }

    /**
     * Reads how much is logged.
     *
     * @return the highest level that is printed, an {@code AV_LOG} value
     */
    public static int av_log_get_level() {
        try {
            return (int) av_log_get_level.MH.invokeExact();
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int av_log_format_line2(void *ptr, int level, const char *fmt, va_list vl, char *line, int line_size, int
    // *print_prefix)
    private static final class av_log_format_line2 {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_INT, ADDRESS);
        private static final MethodHandle MH =
                Binding.orFailing(() -> link(av_log_format_line2.class, FUNC), FUNC.toMethodType());
    }

    /**
     * Makes a message's text, as FFmpeg prints it. Uses up the arguments: once for a message.
     *
     * @param ptr first argument of the callback
     * @param level second argument
     * @param fmt third argument
     * @param vl fourth argument
     * @param line receives the text and a 0
     * @param lineSize bytes of it
     * @param printPrefix an {@code int}, 1 where a line begins, which is then said of the next message
     * @return how many bytes the text has or would have; less than 0 for an error
     */
    public static int av_log_format_line2(
            long ptr, int level, long fmt, long vl, MemorySegment line, int lineSize, MemorySegment printPrefix) {
        try {
            return (int) av_log_format_line2.MH.invokeExact(ptr, level, fmt, vl, line, lineSize, printPrefix);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    /**
     * A C function for {@link #av_log_set_callback}. It is there for as long as the process.
     *
     * @param target takes {@code (long avcl, int level, long fmt, long vl)} and returns nothing, on whatever thread logs, which is attached to the JVM.
     *     Must not throw: an exception that reaches native code ends the process
     * @return the function's address
     */
    public static long callback(MethodHandle target) {
        return Binding.upcall(target.asType(CALLBACK_TYPE), CALLBACK).address();
    }

    /**
     * The pointer or 64-bit number at an address.
     *
     * @param address where it is; the caller vouches for it
     * @return the number
     */
    public static long getLong(long address) {
        return Everything.MEMORY.get(JAVA_LONG_UNALIGNED, address);
    }

    /**
     * The {@code int} at an address.
     *
     * @param address where it is; the caller vouches for it
     * @return the number
     */
    public static int getInt(long address) {
        return Everything.MEMORY.get(JAVA_INT_UNALIGNED, address);
    }

    /**
     * The C string at an address.
     *
     * @param address where it is; the caller vouches for it
     * @return the string, of UTF-8
     */
    public static String getString(long address) {
        return Everything.MEMORY.getString(address);
    }

    /**
     * Memory of FFmpeg's, such as a packet's, as a segment.
     *
     * @param address where it starts; the caller vouches for it
     * @param length bytes
     * @return a segment that nothing keeps from outliving the memory: use it and forget it
     */
    public static MemorySegment memory(long address, long length) {
        return Everything.MEMORY.asSlice(address, length);
    }

    /** Initialized when native access has been checked. */
    private static final class Everything {
        static final MemorySegment MEMORY = all();

        @SuppressWarnings("restricted") // addresses come from FFmpeg
        private static MemorySegment all() {
            return MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
        }
    }
}
