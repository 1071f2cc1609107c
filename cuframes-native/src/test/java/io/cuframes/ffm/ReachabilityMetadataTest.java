// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SequenceLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** GraalVM's native-image has to know every signature that is called when it builds an image: the file in the jar has them all, and no others. */
class ReachabilityMetadataTest {
    private static final String FILE = "META-INF/native-image/io.cuframes/cuframes-native/reachability-metadata.json";
    private static final Path SOURCES = Path.of("src/main/java/io/cuframes/ffm");

    /** {@code MethodHandle NAME_MH = Binding.linkLibc(holder.class, NAME_FUNC, options)}, or how other libraries are linked. */
    private static final Pattern LINKED =
            Pattern.compile("MethodHandle\\s+(\\w+) =\\s+(?:Binding|NativeLibrary)[^;]*;");

    @Test
    void theJarNamesEverySignatureThatIsCalled() throws IOException, ReflectiveOperationException {
        assertEquals(expected(), Files.readString(Path.of("src/main/resources", FILE)), "replace " + FILE);
        assertTrue(getClass().getClassLoader().getResource(FILE) != null, FILE + " is not on the class path");
    }

    private static String expected() throws IOException, ReflectiveOperationException {
        TreeSet<String> downcalls = new TreeSet<>();
        int handles = 0;
        for (Path source : sources()) {
            Class<?> library = Class.forName(
                    "io.cuframes.ffm." + source.getFileName().toString().replace(".java", ""));
            for (Class<?> holder : withNested(library)) {
                for (Field field : holder.getDeclaredFields()) {
                    if (field.getType() == MethodHandle.class
                            && Modifier.isStatic(field.getModifiers())
                            && holder != Binding.class) {
                        downcalls.add(downcall(holder, field, Files.readString(source)));
                        handles++;
                    }
                }
            }
        }
        assertTrue(handles > 100, "handles found: " + handles);
        return "{\n  \"foreign\": {\n    \"downcalls\": [\n      " + String.join(",\n      ", downcalls)
                + "\n    ],\n    \"upcalls\": [\n      {" + types(value(Dlpack.class, "DELETER"))
                + "},\n      {" + types(value(LibAvutil.class, "CALLBACK"))
                + "}\n    ]\n  }\n}\n";
    }

    private static List<Path> sources() throws IOException {
        try (var files = Files.list(SOURCES)) {
            return files.filter(file -> file.toString().endsWith(".java")
                            && !file.endsWith("module-info.java")
                            && !file.endsWith("package-info.java"))
                    .sorted()
                    .toList();
        }
    }

    private static List<Class<?>> withNested(Class<?> type) {
        List<Class<?>> all = new ArrayList<>(List.of(type));
        for (Class<?> nested : type.getDeclaredClasses()) {
            all.addAll(withNested(nested));
        }
        return all;
    }

    /** The entry of a handle. Its holder initializes without the library, too: the handle then throws. */
    private static String downcall(Class<?> holder, Field field, String source) throws ReflectiveOperationException {
        String linked = linkage(holder, field, source);
        Matcher named = Pattern.compile("\\b([A-Z_]*FUNC|DELETER)\\b").matcher(linked);
        assertTrue(named.find(), linked);
        FunctionDescriptor function = value(holder, named.group(1));
        field.setAccessible(true);
        MethodHandle handle = (MethodHandle) field.get(null);
        boolean byPointer = linked.contains("linkPointer");
        int extra = handle.type().parameterCount() - function.argumentLayouts().size();
        boolean capturing = extra == 1 && !byPointer;
        assertEquals(capturing || byPointer ? 1 : 0, extra, linked);
        List<String> options = new ArrayList<>();
        if (capturing) {
            options.add("\"captureCallState\": true");
        }
        String variadic = linked.contains("VARIADIC")
                ? source.substring(source.indexOf("VARIADIC = "), source.indexOf(';', source.indexOf("VARIADIC = ")))
                : linked;
        Matcher first = Pattern.compile("firstVariadicArg\\((\\d+)\\)").matcher(variadic);
        if (first.find()) {
            options.add("\"firstVariadicArg\": " + first.group(1));
        }
        assertTrue(!linked.contains("critical"), "not written here yet: " + linked);
        return "{" + types(function) + (options.isEmpty() ? "" : ", \"options\": {" + String.join(", ", options) + "}")
                + "}";
    }

    /** The statement that links the handle. */
    private static String linkage(Class<?> holder, Field field, String source) {
        int from = holder.isMemberClass() ? source.indexOf(" class " + holder.getSimpleName() + " {") : 0;
        assertTrue(from >= 0, holder.getName());
        Matcher statement = LINKED.matcher(source);
        for (boolean found = statement.find(from); found; found = statement.find()) {
            if (statement.group(1).equals(field.getName())) {
                return statement.group();
            }
        }
        throw new AssertionError(holder.getName() + "." + field.getName() + " is linked in a way not known here");
    }

    private static FunctionDescriptor value(Class<?> holder, String name) throws ReflectiveOperationException {
        Field field = holder.getDeclaredField(name);
        field.setAccessible(true);
        return (FunctionDescriptor) field.get(null);
    }

    private static String types(FunctionDescriptor function) {
        return "\"returnType\": \""
                + function.returnLayout().map(ReachabilityMetadataTest::name).orElse("void")
                + "\", \"parameterTypes\": ["
                + function.argumentLayouts().stream()
                        .map(layout -> '"' + name(layout) + '"')
                        .collect(Collectors.joining(", "))
                + "]";
    }

    /** A layout as GraalVM writes it. */
    private static String name(MemoryLayout layout) {
        if (layout instanceof AddressLayout) {
            return "void*";
        }
        if (layout instanceof ValueLayout value) {
            return "j" + value.carrier().getName();
        }
        if (layout instanceof SequenceLayout sequence) {
            return "sequence(" + sequence.elementCount() + ", " + name(sequence.elementLayout()) + ")";
        }
        return ((StructLayout) layout)
                .memberLayouts().stream()
                        .map(ReachabilityMetadataTest::name)
                        .collect(Collectors.joining(", ", "struct(", ")"));
    }
}
