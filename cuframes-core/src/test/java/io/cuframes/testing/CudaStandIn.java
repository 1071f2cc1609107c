// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cuframes.ffm.NativeLibrary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The CUDA stand-in: a C library that takes the places of libcudart and libcuda ({@code src/test/c/cuda_standin}; its {@code standin.h} says what
 * it does). It is compiled when a JVM first asks for it, and used by that JVM and by every process that {@link Child} starts from there. A class
 * of tests asks for it with {@link StandInTest}.
 */
public final class CudaStandIn {
    /** What its devices are called. */
    public static final String DEVICE_NAME = "CUDA stand-in";

    /** Two devices, and streams that are late and never equally late. */
    private static final Map<String, String> SETTINGS = Map.of(
            "DEVICES", "2", "DELAY_US", "20", "JITTER_US", "80", "SEED", "1", "LAX", "0", "BLOCK", "0", "FAIL", "");

    private static final Path LIBRARY =
            Path.of("target", "cuda-standin", "libcuda_standin.so").toAbsolutePath();

    private static final int UNKNOWN = 999;

    private static boolean compiled;

    private CudaStandIn() {}

    /** Its own functions, those that CUDA does not have. */
    private static final class Control {
        @SuppressWarnings("restricted") // loading and linking are what this class is for
        static final SymbolLookup SYMBOLS = SymbolLookup.libraryLookup(LIBRARY, Arena.global());

        static final MethodHandle SET = link("standin_set", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));
        static final MethodHandle HOLD = link("standin_hold", FunctionDescriptor.ofVoid(JAVA_INT));
        static final MethodHandle STEP = link("standin_step", FunctionDescriptor.of(JAVA_INT, JAVA_LONG));
        static final MethodHandle NEWEST_STREAM = link("standin_newest_stream", FunctionDescriptor.of(JAVA_LONG));
        static final MethodHandle STREAM_OF_OTHER_CONTEXT =
                link("standin_stream_of_other_context", FunctionDescriptor.of(JAVA_LONG));
        static final MethodHandle LOSE = link("standin_lose", FunctionDescriptor.ofVoid(JAVA_INT));
        static final MethodHandle RECOVER = link("standin_recover", FunctionDescriptor.ofVoid());
        static final MethodHandle CAPTURE = link("standin_capture", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
        static final MethodHandle TRACE = link("standin_trace", FunctionDescriptor.ofVoid(JAVA_INT));
        static final MethodHandle TRACED = link("standin_traced", FunctionDescriptor.of(ADDRESS));
        static final MethodHandle REMAINS = link("standin_remains", FunctionDescriptor.of(ADDRESS));

        private Control() {}

        @SuppressWarnings("restricted")
        static MethodHandle link(String name, FunctionDescriptor function) {
            return Linker.nativeLinker().downcallHandle(SYMBOLS.find(name).orElseThrow(), function);
        }
    }

    /**
     * Compiles it and makes it the CUDA of this JVM, at the first call.
     *
     * @throws org.opentest4j.TestAbortedException if there is no C compiler, as {@link Needs} has it
     * @throws IllegalStateException if this JVM has loaded another CUDA before
     */
    static synchronized void use() {
        if (!compiled) {
            Needs.compiler();
            compile();
            compiled = true;
            System.setProperty("cuframes.cudart", LIBRARY.toString());
            System.setProperty("cuframes.cuda", LIBRARY.toString());
        }
        requireLoaded(NativeLibrary.CUDART);
        requireLoaded(NativeLibrary.CUDA);
    }

    private static void requireLoaded(NativeLibrary library) {
        String location = library.load();
        if (!location.equals(LIBRARY.toString())) {
            throw new IllegalStateException("this JVM has loaded " + location
                    + " before: tests with the stand-in run in a JVM of their own, as Maven starts it");
        }
    }

    private static void compile() {
        try {
            Files.createDirectories(LIBRARY.getParent());
            Path made = Files.createTempFile(LIBRARY.getParent(), "made", ".so");
            List<String> command = new ArrayList<>(List.of("cc", "-O2", "-g", "-fPIC", "-shared", "-pthread"));
            command.addAll(List.of("-fvisibility=hidden", "-Wl,-Bsymbolic,-z,defs", "-o", made.toString()));
            command.addAll(sources());
            Process compiler =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (compiler.waitFor() != 0) {
                throw new AssertionError(output);
            }
            Files.move(made, LIBRARY, StandardCopyOption.ATOMIC_MOVE); // another JVM may have the one before loaded
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** The C files, and the compiler's options that concern their text. */
    static List<String> sources() throws IOException {
        Path here = Path.of("src", "test", "c", "cuda_standin"); // in this module, or seen from one beside it
        Path directory =
                Files.isDirectory(here) ? here : Path.of("..", "cuframes-core").resolve(here);
        List<String> arguments = new ArrayList<>(List.of("-std=gnu11", "-Wall", "-Wextra", "-Werror"));
        try (Stream<Path> files = Files.list(directory)) {
            files.map(Path::toString)
                    .filter(file -> file.endsWith(".c"))
                    .sorted()
                    .forEach(arguments::add);
        }
        return arguments;
    }

    /** Its symbols. */
    static SymbolLookup symbols() {
        return Control.SYMBOLS;
    }

    /** What a process needs in its environment to have the same CUDA as this JVM: nothing where that is not the stand-in. */
    public static synchronized Map<String, String> environment() {
        Map<String, String> environment = new HashMap<>();
        if (compiled) {
            environment.put("CUFRAMES_CUDART", LIBRARY.toString());
            environment.put("CUFRAMES_CUDA", LIBRARY.toString());
            SETTINGS.forEach((name, value) -> environment.put(variable(name), value));
        }
        return environment;
    }

    /** The environment variable of a setting, for {@link Child#start(Map, Class, Object...)}. */
    public static String variable(String setting) {
        return "CUFRAMES_STANDIN_" + setting;
    }

    /**
     * Changes a setting of this JVM's stand-in, until the test ends.
     *
     * @param setting the name of its environment variable without the prefix
     * @param value what the variable would hold; for FAIL, calls are counted from now on
     */
    public static void set(String setting, Object value) {
        try (Arena arena = Arena.ofConfined()) {
            int good = (int) Control.SET.invokeExact(arena.allocateFrom(setting), arena.allocateFrom(value.toString()));
            if (good == 0) {
                throw new IllegalArgumentException(setting + " " + value);
            }
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** While it is open, no stream of this JVM begins anything but what {@link #step} allows, and a call that waits for one does not return. */
    public static final class Hold implements AutoCloseable {
        /** Holds all streams. */
        public Hold() {
            hold(1);
        }

        /**
         * Has a stream do one operation, and waits until it is done. Waiting for another stream or an event is none.
         *
         * @return whether there was one; not if the stream is empty, or waits
         */
        public boolean step(long stream) {
            try {
                return (int) Control.STEP.invokeExact(stream) != 0;
            } catch (Throwable t) {
                throw unexpected(t);
            }
        }

        /** Lets all streams go on. */
        @Override
        public void close() {
            hold(0);
        }

        private static void hold(int on) {
            try {
                Control.HOLD.invokeExact(on);
            } catch (Throwable t) {
                throw unexpected(t);
            }
        }
    }

    /** The handle of the stream that was made last and is not destroyed, which may be one of the library's own; 0 if there is none. */
    public static long newestStream() {
        try {
            return (long) Control.NEWEST_STREAM.invokeExact();
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Makes a stream of the current device in a context of its own, as {@code cuCtxCreate} makes them; to be destroyed. */
    public static long streamOfAnotherContext() {
        try {
            return (long) Control.STREAM_OF_OTHER_CONTEXT.invokeExact();
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Loses the device, as a failing kernel would: until the test ends every call of this JVM gives that status, and what is queued is not done. */
    public static void loseDevice(int status) {
        try {
            Control.LOSE.invokeExact(status);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Brings a lost device back, without anything that was there. */
    public static void recoverDevice() {
        try {
            Control.RECOVER.invokeExact();
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** While it is open, a thread of the application captures a graph in the global mode, which a careless call of another thread spoils. */
    public static final class Capture implements AutoCloseable {
        /** Begins it. */
        public Capture() {
            capture(1);
        }

        /** Whether a call has spoilt it; begins another. */
        public boolean isSpoilt() {
            return capture(1);
        }

        @Override
        public void close() {
            capture(0);
        }

        private static boolean capture(int on) {
            try {
                return (int) Control.CAPTURE.invokeExact(on) != 0;
            } catch (Throwable t) {
                throw unexpected(t);
            }
        }
    }

    /** The CUDA functions that this JVM calls while something runs, in their order. */
    public static List<String> calls(Runnable something) {
        trace(1);
        try {
            something.run();
            return lines(Control.TRACED);
        } finally {
            trace(0);
        }
    }

    private static void trace(int on) {
        try {
            Control.TRACE.invokeExact(on);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** What this JVM has of CUDA and has not let go of: memory, mappings, registrations, streams and events, a line each. */
    public static List<String> remains() {
        return lines(Control.REMAINS);
    }

    @SuppressWarnings("restricted") // the library's own text
    private static List<String> lines(MethodHandle text) {
        try {
            MemorySegment address = (MemorySegment) text.invokeExact();
            return address.reinterpret(Long.MAX_VALUE).getString(0).lines().toList();
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** As every test finds it, whatever a test before left there. */
    static void reset() {
        Hold.hold(0);
        Capture.capture(0);
        loseDevice(UNKNOWN);
        recoverDevice();
        SETTINGS.forEach(CudaStandIn::set);
    }

    private static RuntimeException unexpected(Throwable thrown) {
        if (thrown instanceof RuntimeException unchecked) {
            return unchecked;
        }
        if (thrown instanceof Error error) {
            throw error;
        }
        return new IllegalStateException(thrown);
    }
}
