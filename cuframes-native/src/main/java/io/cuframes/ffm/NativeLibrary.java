// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A CUDA library and where it is looked for: a system property, else an environment variable, else the names the
 * dynamic linker knows, else the usual directories. What property or variable names is used or refused, never passed over.
 * Each library is loaded once, when first needed, and stays loaded. Thread-safe.
 */
public final class NativeLibrary {
    /** The CUDA runtime, {@code libcudart}; property {@code cuframes.cudart}, variable {@code CUFRAMES_CUDART}. */
    public static final NativeLibrary CUDART = new NativeLibrary(
            "CUDA runtime (libcudart)",
            "cuframes.cudart",
            "CUFRAMES_CUDART",
            List.of("libcudart.so.13", "libcudart.so.12", "libcudart.so"),
            "Install a CUDA runtime package, such as cuda-cudart-13-0, or point -Dcuframes.cudart or CUFRAMES_CUDART at"
                    + " libcudart.so.",
            NativeLibrary::toolkitDirectories);

    /** The CUDA driver, {@code libcuda}; property {@code cuframes.cuda}, variable {@code CUFRAMES_CUDA}. */
    public static final NativeLibrary CUDA = new NativeLibrary(
            "CUDA driver (libcuda)",
            "cuframes.cuda",
            "CUFRAMES_CUDA",
            List.of("libcuda.so.1", "libcuda.so"),
            "It comes with the NVIDIA driver: install the driver; in a container, start it with GPU access and the"
                    + " driver capability \"compute\".",
            (environment, prefix) -> List.of(prefix.resolve("lib/wsl/lib")));

    private final String title;
    private final String property;
    private final String variable;
    private final List<String> names;
    private final String remedy;
    private final Directories directories;

    private SymbolLookup symbols;
    private String location;

    NativeLibrary(
            String title,
            String property,
            String variable,
            List<String> names,
            String remedy,
            Directories directories) {
        this.title = title;
        this.property = property;
        this.variable = variable;
        this.names = names;
        this.remedy = remedy;
        this.directories = directories;
    }

    /**
     * Loads the library unless it is loaded already.
     *
     * @return the path or name it was loaded by
     * @throws LibraryNotFoundException where none can be loaded; the message lists every place tried
     */
    public synchronized String load() {
        if (symbols == null) {
            Loaded loaded = open(System::getProperty, System::getenv, Path.of("/usr"));
            symbols = loaded.symbols();
            location = loaded.location();
        }
        return location;
    }

    /** Links a function; the holder class is named after it. */
    MethodHandle link(Class<?> holder, FunctionDescriptor function) {
        return link(List.of(holder.getSimpleName()), function);
    }

    /** Links the first of several symbols that the library has; if there is none, the handle throws that. */
    MethodHandle link(List<String> symbolNames, FunctionDescriptor function) {
        return Binding.orFailing(() -> tryLink(symbolNames, function), function.toMethodType());
    }

    private synchronized MethodHandle tryLink(List<String> symbolNames, FunctionDescriptor function) {
        load();
        for (String symbol : symbolNames) {
            MemorySegment address = symbols.find(symbol).orElse(null);
            if (address != null) {
                return Binding.link(address, function);
            }
        }
        throw new UnsupportedOperationException(
                location + " has no " + String.join(" or ", symbolNames) + "; a newer " + title + " is needed");
    }

    /** The paths and names to try, in order; a single one where property or variable names it. */
    List<String> candidates(UnaryOperator<String> properties, UnaryOperator<String> environment, Path prefix) {
        String chosen = chosen(properties, environment);
        if (chosen != null) {
            return List.of(chosen);
        }
        List<String> candidates = new ArrayList<>(names);
        for (Path directory : directories.list(environment, prefix)) {
            for (String name : names) {
                candidates.add(directory.resolve(name).toString());
            }
        }
        return candidates;
    }

    /** Loads the first candidate that can be loaded. */
    Loaded open(UnaryOperator<String> properties, UnaryOperator<String> environment, Path prefix) {
        StringBuilder tried = new StringBuilder();
        for (String candidate : candidates(properties, environment, prefix)) {
            String failure;
            try {
                return new Loaded(candidate, lookup(candidate));
            } catch (IllegalArgumentException e) {
                failure = reason(candidate);
            }
            tried.append("\n  ").append(candidate).append(": ").append(failure);
        }
        throw new LibraryNotFoundException(
                title + " not found" + origin(properties, environment), "Tried:" + tried, remedy);
    }

    private String chosen(UnaryOperator<String> properties, UnaryOperator<String> environment) {
        String byProperty = properties.apply(property);
        String chosen = isSet(byProperty) ? byProperty : environment.apply(variable);
        return isSet(chosen) ? chosen : null;
    }

    private String origin(UnaryOperator<String> properties, UnaryOperator<String> environment) {
        if (chosen(properties, environment) == null) {
            return "";
        }
        return " where " + (isSet(properties.apply(property)) ? "-D" + property : variable) + " names it";
    }

    private static boolean isSet(String value) {
        return value != null && !value.isEmpty();
    }

    @SuppressWarnings("restricted") // loading native libraries is this module's purpose
    private static SymbolLookup lookup(String candidate) {
        return isPath(candidate)
                ? SymbolLookup.libraryLookup(Path.of(candidate), Arena.global())
                : SymbolLookup.libraryLookup(candidate, Arena.global());
    }

    private static String reason(String candidate) {
        if (!isPath(candidate)) {
            return "not known to the dynamic linker";
        }
        return Files.exists(Path.of(candidate))
                ? "is there, but cannot be loaded (other architecture, missing dependency or no permission)"
                : "no such file";
    }

    private static boolean isPath(String candidate) {
        return candidate.indexOf('/') >= 0;
    }

    private static List<Path> toolkitDirectories(UnaryOperator<String> environment, Path prefix) {
        List<Path> toolkits = new ArrayList<>();
        for (String home : List.of("CUDA_HOME", "CUDA_PATH")) {
            if (isSet(environment.apply(home))) {
                toolkits.add(Path.of(environment.apply(home)));
            }
        }
        Path local = prefix.resolve("local");
        toolkits.add(local.resolve("cuda"));
        toolkits.addAll(newestFirst(local, "cuda-13*"));
        toolkits.addAll(newestFirst(local, "cuda-12*"));

        List<Path> directories = new ArrayList<>();
        for (Path toolkit : toolkits) {
            directories.add(toolkit.resolve("lib64"));
            for (Path target : newestFirst(toolkit.resolve("targets"), "*")) {
                directories.add(target.resolve("lib"));
            }
        }
        return directories;
    }

    private static List<Path> newestFirst(Path directory, String glob) {
        List<Path> found = new ArrayList<>();
        if (Files.isDirectory(directory)) {
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, glob)) {
                entries.forEach(found::add);
            } catch (IOException e) {
                found.clear(); // unreadable: nothing to be loaded from there
            }
        }
        found.sort(Comparator.reverseOrder());
        return found;
    }

    /** The directories searched after the dynamic linker's own, best first; prefix stands for {@code /usr}. */
    interface Directories {
        List<Path> list(UnaryOperator<String> environment, Path prefix);
    }

    /** A library in memory and the path or name it was loaded by. */
    record Loaded(String location, SymbolLookup symbols) {}
}
