// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.Needs;
import java.io.IOException;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.StructLayout;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Asks the C compiler and the real headers for every constant, size, offset and number of arguments bound here. */
class HeaderTest {
    private static final List<String> LIBC_HEADERS = List.of(
            "errno.h",
            "fcntl.h",
            "poll.h",
            "signal.h",
            "stdlib.h",
            "sys/eventfd.h",
            "sys/file.h",
            "sys/mman.h",
            "sys/socket.h",
            "sys/stat.h",
            "sys/un.h",
            "time.h",
            "unistd.h",
            "linux/futex.h");
    private static final List<String> CUDA_HEADERS = List.of("cuda.h", "cuda_runtime_api.h");

    // Their end differs between CUDA versions.
    private static final Set<Class<?>> GROWING = Set.of(CudaDeviceProp.class, CudaPointerAttributes.class);
    private static final Set<String> NOT_IN_HEADERS = Set.of("syscall"); // variadic, its arguments are the kernel's

    @TempDir
    private Path directory;

    @Test
    void libcConstantsStructuresAndFunctionsAreThoseOfTheHeaders() throws Exception {
        compare(LIBC_HEADERS, null, List.of(Libc.class, Errno.class), "");
    }

    @Test
    void cudaConstantsStructuresAndFunctionsAreThoseOfTheHeaders() throws Exception {
        Path include = Stream.of(System.getenv("CUDA_HOME"), System.getenv("CUDA_PATH"), "/usr/local/cuda")
                .filter(home -> home != null)
                .map(home -> Path.of(home, "include"))
                .filter(path -> CUDA_HEADERS.stream().allMatch(h -> Files.exists(path.resolve(h))))
                .findFirst()
                .orElse(null);
        Needs.that(
                include != null,
                "CUDA's headers: NVIDIA's packages cuda-cudart-dev and cuda-driver-dev, in /usr/local/cuda or CUDA_HOME");
        compare(CUDA_HEADERS, include, List.of(LibCudart.class, LibCuda.class), "CU");
    }

    /** That of its specification, as the tests have it, and those that are installed and know its first version. */
    static List<Path> dlpackHeaders() throws IOException {
        List<Path> headers = new ArrayList<>();
        for (Path path : List.of(
                Path.of("src", "test", "c", "dlpack.h").toAbsolutePath(),
                Path.of("/usr/local/include/dlpack/dlpack.h"),
                Path.of("/usr/include/dlpack/dlpack.h"))) {
            if (Files.exists(path) && Files.readString(path).contains("DLManagedTensorVersioned")) {
                headers.add(path);
            }
        }
        return headers;
    }

    @ParameterizedTest
    @MethodSource("dlpackHeaders")
    void dlpackConstantsAndStructuresAreThoseOfItsHeader(Path header) throws Exception {
        Map<String, Long> constants = Bindings.constants(Dlpack.class);
        if (!header.startsWith(Path.of("").toAbsolutePath())) {
            constants.remove("DLPACK_MINOR_VERSION"); // may be newer: it only adds
        }
        compare(List.of(header.getFileName().toString()), header.getParent(), constants, List.of(), "DL");
    }

    private void compare(List<String> headers, Path include, List<Class<?>> libraries, String family) throws Exception {
        Map<String, Long> constants = new TreeMap<>();
        for (Class<?> library : libraries) {
            constants.putAll(Bindings.constants(library));
        }
        compare(headers, include, constants, libraries, family);
    }

    private void compare(
            List<String> headers, Path include, Map<String, Long> values, List<Class<?>> libraries, String family)
            throws Exception {
        Needs.compiler();
        Map<String, Long> expected = new TreeMap<>(values);
        List<String> unevaluated = new ArrayList<>();
        for (Class<?> library : libraries) {
            for (Class<?> holder : Bindings.holders(library)) {
                if (!NOT_IN_HEADERS.contains(holder.getSimpleName())) {
                    unevaluated.add(call(library, holder.getSimpleName()));
                }
            }
        }
        Map<String, Long> limits = new TreeMap<>();
        for (Map.Entry<Class<?>, StructLayout> structure : Bindings.structures().entrySet()) {
            Class<?> type = structure.getKey();
            if (family(type).equals(family)) {
                String size = "sizeof(" + structure.getValue().name().orElseThrow() + ")";
                if (GROWING.contains(type)) {
                    Map<String, Long> constants = Bindings.constants(type);
                    limits.put(size, constants.getOrDefault("BUFFER_LENGTH", constants.get("LENGTH")));
                } else {
                    expected.put(size, structure.getValue().byteSize());
                }
                addMembers(type, structure.getValue(), expected);
            }
        }

        List<String> asked = new ArrayList<>(expected.keySet());
        asked.addAll(limits.keySet());
        Map<String, Long> actual = run(program(headers, asked, unevaluated), include);
        limits.forEach((size, limit) -> assertTrue(actual.remove(size) <= limit, size));
        assertEquals(expected, actual);
    }

    /** Whose structure it is: as the names begin, CUDA's, DLPack's, or else the C library's. */
    private static String family(Class<?> structure) {
        String start = structure.getSimpleName().substring(0, 2).toUpperCase(Locale.ROOT);
        return List.of("CU", "DL").contains(start) ? start : "";
    }

    /** Offset and size of each member; and each offset constant must be that of a member. */
    private static void addMembers(Class<?> type, StructLayout layout, Map<String, Long> expected) throws Exception {
        Map<String, Long> offsets = Bindings.constants(type);
        offsets.keySet().removeIf(name -> !name.endsWith("_OFFSET"));
        for (MemoryLayout member : layout.memberLayouts()) {
            if (member.name().isPresent()) {
                String name = member.name().orElseThrow();
                String c = layout.name().orElseThrow();
                long offset = layout.byteOffset(PathElement.groupElement(name));
                expected.put("offsetof(" + c + ", " + name + ")", offset);
                expected.put("sizeof(((" + c + " *) 0)->" + name + ")", member.byteSize());
                assertEquals(offset, offsets.remove(constantName(name)), type + " " + name);
            }
        }
        assertEquals(Collections.emptySet(), offsets.keySet(), type + ": constants of no member");
    }

    private static String constantName(String member) {
        return member.replace('.', '_').replaceAll("([a-z])([A-Z])", "$1_$2").toUpperCase(Locale.ROOT) + "_OFFSET";
    }

    /** A call with as many zeros as the function takes arguments; compiling it checks their number. */
    private static String call(Class<?> library, String function) {
        Method method = Bindings.functions(library, function).get(0);
        List<String> arguments = new ArrayList<>(Collections.nCopies(method.getParameterCount(), "0"));
        switch (function) {
            case "cudaIpcOpenMemHandle" -> arguments.set(1, "(cudaIpcMemHandle_t) {0}");
            case "cudaIpcOpenEventHandle" -> arguments.set(1, "(cudaIpcEventHandle_t) {0}");
            case "cuGetErrorName", "cuGetErrorString" -> arguments.add("0");
            case "strerror_r" -> arguments.addAll(List.of("0", "0"));
            default -> {}
        }
        return function + "(" + String.join(", ", arguments) + ")";
    }

    private static String program(List<String> headers, List<String> expressions, List<String> unevaluated) {
        StringBuilder c = new StringBuilder(
                "#define _GNU_SOURCE\n#include <stddef.h>\n#include <stdio.h>\n#include <string.h>\n");
        headers.forEach(h -> c.append("#include <").append(h).append(">\n"));
        c.append("int main(void) {\n");
        for (String expression : expressions) {
            c.append("    printf(\"%s\\t%lld\\n\", \"" + expression + "\", (long long) (" + expression + "));\n");
        }
        unevaluated.forEach(call -> c.append("    (void) sizeof(").append(call).append(");\n"));
        return c.append("    return 0;\n}\n").toString();
    }

    private Map<String, Long> run(String program, Path include) throws IOException, InterruptedException {
        Path source = Files.writeString(directory.resolve("probe.c"), program);
        Path binary = directory.resolve("probe");
        List<String> compile = new ArrayList<>(List.of("cc", "-Werror=implicit-function-declaration", "-o"));
        compile.addAll(List.of(binary.toString(), source.toString()));
        if (include != null) {
            compile.add("-I" + include);
        }
        output(compile);
        Map<String, Long> values = new TreeMap<>();
        for (String line : output(List.of(binary.toString())).split("\n", -1)) {
            int tab = line.indexOf('\t');
            if (tab > 0) {
                values.put(line.substring(0, tab), Long.parseLong(line.substring(tab + 1)));
            }
        }
        return values;
    }

    private static String output(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        return output;
    }
}
