// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples.docs;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
    static Runner compile(CodeBlock block, Path target) throws IOException, ReflectiveOperationException {
        StringBuilder imports = new StringBuilder(HEAD);
        Matcher matcher = IMPORT.matcher(block.code());
        while (matcher.find()) {
            imports.append(matcher.group());
        }
        String body = matcher.replaceAll("");
        String source = imports + "public final class " + CLASS + " { public static void run() throws Exception {\n"
                + body + "\n} }";
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> problems = new DiagnosticCollector<>();
        boolean good = compiler.getTask(
                        null,
                        null,
                        problems,
                        List.of("-d", target.toString(), "-cp", System.getProperty("java.class.path"), "-proc:none"),
                        null,
                        List.of(new Source(source)))
                .call();
        if (!good) {
            throw new AssertionError(block.document() + ":" + block.line() + " does not compile: "
                    + problems.getDiagnostics().stream()
                            .filter(problem -> problem.getKind() == Diagnostic.Kind.ERROR)
                            .map(problem -> problem.getMessage(null))
                            .toList()
                    + "\n" + source);
        }
        URLClassLoader loader =
                new URLClassLoader(new URL[] {target.toUri().toURL()}, BlockCompiler.class.getClassLoader());
        return () -> {
            try (loader) {
                loader.loadClass(CLASS).getMethod("run").invoke(null);
            }
        };
    }

    /** Runs a compiled block. */
    interface Runner {
        void run() throws Exception;
    }

    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(String text) {
            super(URI.create("string:///" + CLASS + Kind.SOURCE.extension), Kind.SOURCE);
            this.text = new String(text.getBytes(UTF_8), UTF_8);
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }
}
