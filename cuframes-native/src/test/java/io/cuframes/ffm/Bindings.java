// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import java.io.IOException;
import java.lang.foreign.StructLayout;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What this module declares, found by reflection, so that nothing added to it goes untested. */
final class Bindings {
    private Bindings() {}

    /** The holder classes of a library's functions, each named as the C function. */
    static List<Class<?>> holders(Class<?> library) {
        return Arrays.stream(library.getDeclaredClasses())
                .filter(c -> Arrays.stream(c.getDeclaredFields())
                        .anyMatch(f -> f.getName().equals("FUNC")))
                .toList();
    }

    static List<Method> functions(Class<?> library, String name) {
        return Arrays.stream(library.getDeclaredMethods())
                .filter(m -> m.getName().equals(name))
                .toList();
    }

    /** The public constants of a class and their values. */
    static Map<String, Long> constants(Class<?> type) throws IllegalAccessException {
        Map<String, Long> constants = new TreeMap<>();
        for (Field field : type.getFields()) {
            if (Modifier.isStatic(field.getModifiers()) && field.getType().isPrimitive()) {
                constants.put(field.getName(), ((Number) field.get(null)).longValue());
            }
        }
        return constants;
    }

    /** Every class of the package that describes a C structure. */
    static Map<Class<?>, StructLayout> structures()
            throws IOException, URISyntaxException, ReflectiveOperationException {
        Path classes = Path.of(
                Libc.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        List<String> names = new ArrayList<>();
        try (Stream<Path> files = Files.list(classes.resolve("io/cuframes/ffm"))) {
            files.map(f -> f.getFileName().toString())
                    .filter(n -> n.endsWith(".class") && n.indexOf('$') < 0)
                    .map(n -> n.substring(0, n.length() - ".class".length()))
                    .sorted()
                    .forEach(names::add);
        }
        Map<Class<?>, StructLayout> structures = new LinkedHashMap<>();
        for (String name : names) {
            Class<?> type = Class.forName("io.cuframes.ffm." + name);
            for (Field field : type.getFields()) {
                if (field.getName().equals("LAYOUT")) {
                    structures.put(type, (StructLayout) field.get(null));
                }
            }
        }
        return structures;
    }
}
