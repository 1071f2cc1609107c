// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples.docs;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/** Compiles a block of a document as the body of a method, the imports at its top as imports, on this test's class path. */
final class BlockCompiler {
    private static final String CLASS = "Block";
    private static final Pattern IMPORT = Pattern.compile("(?m)^import .*;\\R*");
    private static final Pattern PROGRAM = Pattern.compile("public (?:final )?class (\\w+)");

    /** What the library's module is made of: its own jars or folders of classes, and what it requires. */
    private static final Pattern MODULES =
            Pattern.compile("cuframes-(core|native)(/target/classes|[^/]*(?<!-tests)\\.jar)$|/gson-|/HdrHistogram-");

    private static final String HEAD = """
            import io.cuframes.*;
            import java.lang.foreign.*;
            import java.nio.file.Path;
            import java.time.Duration;
            import java.util.*;
            import java.util.concurrent.*;
            import static io.cuframes.examples.docs.Given.*;
            """;

    private BlockCompiler() {}

    /** Compiles; the method takes no argument and is called {@code run}. */
    static Runner compile(CodeBlock block, Path target) throws IOException {
        StringBuilder imports = new StringBuilder(HEAD);
        Matcher matcher = IMPORT.matcher(block.code());
        while (matcher.find()) {
            imports.append(matcher.group());
        }
        String body = matcher.replaceAll("");
        String source = imports + "public final class " + CLASS + " { public static void run() throws Exception {\n"
                + body + "\n} }";
        compile(block, CLASS, source, target, List.of("-cp", System.getProperty("java.class.path")));
        return runner(target, CLASS, "run");
    }

    /** Compiles a whole class; what is run is its main method. */
    static Runner compileProgram(CodeBlock block, Path target) throws IOException {
        Matcher name = PROGRAM.matcher(block.code());
        if (!name.find()) {
            throw new AssertionError(block.place() + " has no public class");
        }
        compile(block, name.group(1), block.code(), target, List.of("-cp", System.getProperty("java.class.path")));
        return runner(target, name.group(1), "main");
    }

    /** Compiles a module descriptor, with the library as modules. */
    static void compileModule(CodeBlock block, Path target) {
        String modules = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                .filter(entry -> MODULES.matcher(entry).find())
                .collect(Collectors.joining(File.pathSeparator));
        compile(block, "module-info", block.code(), target, List.of("--module-path", modules));
    }

    private static void compile(CodeBlock block, String name, String source, Path target, List<String> paths) {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> problems = new DiagnosticCollector<>();
        List<String> options = new ArrayList<>(List.of("-d", target.toString(), "-proc:none"));
        options.addAll(paths);
        boolean good = compiler.getTask(null, null, problems, options, null, List.of(new Source(name, source)))
                .call();
        if (!good) {
            throw new AssertionError(block.place() + " does not compile: "
                    + problems.getDiagnostics().stream()
                            .filter(problem -> problem.getKind() == Diagnostic.Kind.ERROR)
                            .map(problem -> problem.getMessage(null))
                            .toList()
                    + "\n" + source);
        }
    }

    private static Runner runner(Path target, String name, String method) throws IOException {
        URLClassLoader loader =
                new URLClassLoader(new URL[] {target.toUri().toURL()}, BlockCompiler.class.getClassLoader());
        return () -> {
            Thread thread = Thread.currentThread();
            ClassLoader before = thread.getContextClassLoader();
            thread.setContextClassLoader(loader);
            try (loader) {
                if (method.equals("main")) {
                    loader.loadClass(name).getMethod(method, String[].class).invoke(null, (Object) new String[0]);
                } else {
                    loader.loadClass(name).getMethod(method).invoke(null);
                }
            } finally {
                thread.setContextClassLoader(before);
            }
        };
    }

    /** Runs a compiled block. */
    interface Runner {
        void run() throws Exception;
    }

    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(String name, String text) {
            super(URI.create("string:///" + name + Kind.SOURCE.extension), Kind.SOURCE);
            this.text = new String(text.getBytes(UTF_8), UTF_8);
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }
}
