// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.Needs;
import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BindingNamesTest {
    private static final Set<String> WITHOUT_SAME_SIGNATURE = Set.of(
            "syscall", "strerror_r", "cudaGetErrorName", "cudaGetErrorString", "cuGetErrorName", "cuGetErrorString");

    @ParameterizedTest
    @ValueSource(classes = {LibCudart.class, LibCuda.class, Libc.class, LibAvutil.class})
    void everyFunctionCallsTheSymbolOfItsOwnName(Class<?> library) throws IOException {
        String source = Files.readString(Path.of("src/main/java/io/cuframes/ffm", library.getSimpleName() + ".java"));
        Matcher line = Pattern.compile(
                        "static final class (\\w+) \\{|static \\w+ (\\w+)\\(|link\\w*\\(\\s*(\\w+)\\.class"
                                + "|(\\w+)\\.\\w*MH\\.invokeExact")
                .matcher(source);
        String holder = "";
        String method = "";
        int calls = 0;
        while (line.find()) {
            if (line.group(1) != null) {
                holder = line.group(1);
            } else if (line.group(2) != null) {
                method = line.group(2);
            } else if (line.group(3) != null) {
                assertEquals(holder, line.group(3));
            } else {
                assertEquals(method.equals("futex") ? "syscall" : method, line.group(4));
                calls++;
            }
        }
        assertTrue(calls >= Bindings.holders(library).size(), "calls found: " + calls);
    }

    @ParameterizedTest
    @ValueSource(classes = {LibCudart.class, LibCuda.class, Libc.class})
    void everyFunctionLinksAndItsTypesAreTheDescriptors(Class<?> library) throws ReflectiveOperationException {
        List<Class<?>> holders = Bindings.holders(library);
        assertFalse(holders.isEmpty());
        Needs.that(library != LibCudart.class || isInstalled(library), "libcudart, of NVIDIA's package cuda-cudart");
        Needs.gpu(isInstalled(library), "the driver has " + library.getSimpleName() + ", and is not installed");
        for (Class<?> holder : holders) {
            Field function = holder.getDeclaredField("FUNC");
            function.setAccessible(true);
            List<Class<?>> types =
                    ((FunctionDescriptor) function.get(null)).toMethodType().parameterList();
            if (!WITHOUT_SAME_SIGNATURE.contains(holder.getSimpleName())) {
                assertTrue(
                        Bindings.functions(library, holder.getSimpleName()).stream()
                                .anyMatch(m ->
                                        Arrays.asList(m.getParameterTypes()).equals(types)),
                        holder.getSimpleName() + types);
            }
        }
    }

    @Test
    void theJextractIncludeListNamesEveryFunctionAndConstant() throws Exception {
        Set<String> listed = new TreeSet<>();
        for (String line : Files.readAllLines(Path.of("src/main/jextract/cuda.includes"))) {
            if (line.startsWith("--include-function ") || line.startsWith("--include-constant ")) {
                listed.add(line);
            }
        }
        Set<String> bound = new TreeSet<>();
        for (Class<?> library : List.of(LibCudart.class, LibCuda.class)) {
            Bindings.holders(library).forEach(h -> bound.add("--include-function " + h.getSimpleName()));
            Bindings.constants(library).keySet().forEach(c -> bound.add("--include-constant " + c));
        }
        assertEquals(bound, listed);
    }

    private static boolean isInstalled(Class<?> library) {
        if (library == Libc.class) {
            return true;
        }
        try {
            (library == LibCuda.class ? NativeLibrary.CUDA : NativeLibrary.CUDART).load();
            return true;
        } catch (LibraryNotFoundException e) {
            return false;
        }
    }
}
