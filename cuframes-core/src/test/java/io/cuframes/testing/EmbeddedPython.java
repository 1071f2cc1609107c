// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A Python interpreter in this process, so that its libraries and this one meet at the same addresses: that of {@code CUFRAMES_TEST_PYTHON} if it
 * is set, else {@code python3} on the path, else Debian's. It is never shut down, and there is one for all tests. Where this JVM was started by
 * Python itself ({@code junit_in_python.py}), it is that one.
 */
@SuppressWarnings("restricted")
public final class EmbeddedPython {
    private static final int RTLD_NOW = 2;
    private static final int RTLD_GLOBAL = 0x100; // the modules written in C expect Python's symbols everywhere

    private static final AddressLayout C_STRING = ValueLayout.ADDRESS;
    private static final MethodHandle DLOPEN =
            link(libc("dlopen"), FunctionDescriptor.of(JAVA_LONG, C_STRING, JAVA_INT));
    private static final MethodHandle DLSYM =
            link(libc("dlsym"), FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, C_STRING));

    /** Runs code so that its errors come back as text, and makes consumable objects of capsules. */
    private static final String PRELUDE = """
            import traceback, importlib

            def cuframes_run():
                global cuframes_error
                try:
                    exec(cuframes_code, globals())
                    cuframes_error = ''
                except BaseException:
                    cuframes_error = traceback.format_exc()

            class Exported:
                def __init__(self, capsule, device):
                    self.capsule = capsule
                    self.device = device

                def __dlpack__(self, **arguments):
                    self.arguments = arguments
                    capsule, self.capsule = self.capsule, None
                    return capsule

                def __dlpack_device__(self):
                    return self.device
            """;

    private static EmbeddedPython instance;
    private static String whyNot;

    /** Borrowed: lives as long as the interpreter. */
    private final long globals;

    private EmbeddedPython() {
        if ((int) call("Py_IsInitialized", JAVA_INT) == 0) {
            call("Py_InitializeEx", null, 0); // without signal handlers: those are the JVM's
            call("PyEval_SaveThread", JAVA_LONG); // the lock is taken for each call, on whatever thread
        }
        globals = locked(() -> {
            try (Arena arena = Arena.ofConfined()) {
                long main = (long) call("PyImport_AddModule", JAVA_LONG, arena.allocateFrom("__main__"));
                if ((int) call("PyRun_SimpleStringFlags", JAVA_INT, arena.allocateFrom(PRELUDE), 0L) != 0) {
                    throw new AssertionError("Python does not run the prelude");
                }
                return (long) call("PyModule_GetDict", JAVA_LONG, main);
            }
        });
    }

    /** The interpreter; the test is skipped, with the reason, where there is none that has these modules. */
    public static synchronized EmbeddedPython with(String... modules) {
        if (instance == null && whyNot == null) {
            whyNot = start(modules);
        }
        if (instance == null) {
            throw Needs.missing("a Python to embed, of Debian's package libpython3-dev: " + whyNot);
        }
        for (String module : modules) {
            String missing = instance.tryRun("import " + module);
            if (!missing.isEmpty()) {
                throw Needs.missing("Python's module " + module + " (pip install " + module + "): "
                        + missing.lines().reduce("", (last, line) -> line));
            }
        }
        return instance;
    }

    /** Starts the interpreter; returns why not, or null. */
    private static String start(String... modules) {
        if (symbol("Py_IsInitialized") != 0) {
            instance = new EmbeddedPython();
            return null;
        }
        String chosen = System.getenv("CUFRAMES_TEST_PYTHON");
        StringJoiner tried = new StringJoiner("; ");
        for (String python : chosen == null ? List.of("python3", "/usr/bin/python3") : List.of(chosen)) {
            Installation installation = Installation.of(python, modules, tried);
            if (installation != null) {
                installation.load();
                instance = new EmbeddedPython();
                instance.run("import sys; sys.path[:] = " + installation.modulePath);
                return null;
            }
        }
        return tried.toString();
    }

    /**
     * Runs statements.
     *
     * @throws AssertionError with Python's traceback if they raise an exception
     */
    public void run(String... lines) {
        String error = tryRun(String.join("\n", lines));
        if (!error.isEmpty()) {
            throw new AssertionError(error);
        }
    }

    /** Says what an expression is, as {@code str} does. */
    public String text(String expression) {
        run("cuframes_text = str(" + expression + ")");
        return variable("cuframes_text");
    }

    /** Makes a capsule that a consumer may take a tensor from. */
    public void setCapsule(String variable, long tensor, String name) {
        locked(() -> {
            // The capsule keeps the address of its name.
            set(variable, (long)
                    call("PyCapsule_New", JAVA_LONG, tensor, Arena.global().allocateFrom(name), 0L));
            return 0L;
        });
    }

    /** Takes the tensor out of a capsule that a producer made, as a consumer does. */
    public long takeCapsule(String variable, String name) {
        return locked(() -> {
            try (Arena arena = Arena.ofConfined()) {
                long capsule = (long) call("PyDict_GetItemString", JAVA_LONG, globals, arena.allocateFrom(variable));
                long tensor = (long) call("PyCapsule_GetPointer", JAVA_LONG, capsule, arena.allocateFrom(name));
                if (tensor == 0) {
                    call("PyErr_Clear", null);
                    throw new AssertionError("no capsule of the name " + name);
                }
                call("PyCapsule_SetName", JAVA_INT, capsule, Arena.global().allocateFrom("used_" + name));
                return tensor;
            }
        });
    }

    private synchronized String tryRun(String code) {
        locked(() -> {
            try (Arena arena = Arena.ofConfined()) {
                set("cuframes_code", (long) call("PyUnicode_FromString", JAVA_LONG, arena.allocateFrom(code)));
                call("PyRun_SimpleStringFlags", JAVA_INT, arena.allocateFrom("cuframes_run()"), 0L);
                return 0L;
            }
        });
        return variable("cuframes_error");
    }

    private void set(String variable, long object) {
        try (Arena arena = Arena.ofConfined()) {
            call("PyDict_SetItemString", JAVA_INT, globals, arena.allocateFrom(variable), object);
            call("Py_DecRef", null, object);
        }
    }

    private String variable(String name) {
        String[] text = new String[1];
        locked(() -> {
            try (Arena arena = Arena.ofConfined()) {
                long object = (long) call("PyDict_GetItemString", JAVA_LONG, globals, arena.allocateFrom(name));
                long utf8 = (long) call("PyUnicode_AsUTF8", JAVA_LONG, object);
                text[0] = MemorySegment.ofAddress(utf8)
                        .reinterpret(Long.MAX_VALUE)
                        .getString(0);
                return 0L;
            }
        });
        return text[0];
    }

    private interface Locked {
        long run();
    }

    private static long locked(Locked work) {
        int state = (int) call("PyGILState_Ensure", JAVA_INT);
        try {
            return work.run();
        } finally {
            call("PyGILState_Release", null, state);
        }
    }

    /** Calls a function of Python's C API with pointers (Long or segment) and ints. */
    private static Object call(String function, MemoryLayout result, Object... arguments) {
        MemoryLayout[] types = Stream.of(arguments)
                .map(argument -> argument instanceof Integer
                        ? JAVA_INT
                        : argument instanceof Long ? JAVA_LONG : ValueLayout.ADDRESS)
                .toArray(MemoryLayout[]::new);
        FunctionDescriptor type =
                result == null ? FunctionDescriptor.ofVoid(types) : FunctionDescriptor.of(result, types);
        long address = symbol(function);
        if (address == 0) {
            throw new AssertionError("Python has no " + function);
        }
        try {
            return link(MemorySegment.ofAddress(address), type).invokeWithArguments(arguments);
        } catch (Throwable t) {
            throw new AssertionError(function, t);
        }
    }

    private static MethodHandle link(MemorySegment symbol, FunctionDescriptor type) {
        return Linker.nativeLinker().downcallHandle(symbol, type);
    }

    private static MemorySegment libc(String function) {
        return Linker.nativeLinker().defaultLookup().find(function).orElseThrow();
    }

    /** The address of a function of this process, wherever it comes from; 0 if there is none. */
    private static long symbol(String name) {
        try (Arena arena = Arena.ofConfined()) {
            return (long) DLSYM.invokeExact(0L, arena.allocateFrom(name)); // 0 is RTLD_DEFAULT
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    /** A Python that can be loaded. */
    private record Installation(String executable, Path library, String modulePath) {
        private static final String PROBE = """
                import importlib, sys, sysconfig
                for module in sys.argv[1:]:
                    importlib.import_module(module)
                print(sys.executable)
                print(sys.path[1:])
                name = sysconfig.get_config_var('INSTSONAME')
                for directory in (sysconfig.get_config_var('LIBDIR'), sys.base_prefix + '/lib'):
                    print(directory + '/' + name)
                """;

        /** Asks a Python where it is; null, and a reason, if it cannot be used. */
        static Installation of(String python, String[] modules, StringJoiner tried) {
            List<String> command = new ArrayList<>(List.of(python, "-c", PROBE));
            command.addAll(List.of(modules));
            List<String> answer;
            try {
                Process process = new ProcessBuilder(command)
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
                answer = process.inputReader().lines().toList();
                if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
                    tried.add(python + " has no " + String.join(", ", modules));
                    return null;
                }
            } catch (IOException e) {
                tried.add(python + " is not there");
                return null;
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            for (String library : answer.subList(2, answer.size())) {
                if (Files.exists(Path.of(library))) {
                    return new Installation(answer.get(0), Path.of(library), answer.get(1));
                }
            }
            tried.add(python + " is not there as a library: " + answer.subList(2, answer.size()));
            return null;
        }

        void load() {
            try (Arena arena = Arena.ofConfined()) {
                long handle = (long) DLOPEN.invokeExact(arena.allocateFrom(library.toString()), RTLD_NOW | RTLD_GLOBAL);
                if (handle == 0) {
                    throw new AssertionError("cannot load " + library);
                }
            } catch (Throwable t) {
                throw new AssertionError(t);
            }
            if (symbol("Py_SetProgramName")
                    != 0) { // from it Python finds its library, and the virtual environment if it is in one
                call("Py_SetProgramName", null, wide(executable, Arena.global()));
            }
        }

        private static MemorySegment wide(String text, SegmentAllocator allocator) {
            return allocator.allocateFrom(text + "\0", Charset.forName("UTF-32LE"));
        }
    }
}
