// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.Needs;
import io.cuframes.testing.StreamFixture;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A program ({@code src/test/c/jvm_embedder.c}) that ends the JVM it has inside while consumers of its tensors go on. */
@Timeout(120)
class DlpackJvmEndTest {
    private static final Path HOME = Path.of(System.getProperty("java.home"));

    @TempDir
    private static Path compiled;

    /** Kept for as long as the JVM, as an application's are that never closes them. */
    private static final List<Object> KEPT = new ArrayList<>();

    @BeforeAll
    static void compile() throws IOException, InterruptedException {
        Needs.that(Files.exists(HOME.resolve("include/jni.h")), "jni.h, which every JDK has");
        Needs.compiler();
        Process compiler = new ProcessBuilder(
                        "cc",
                        "-std=gnu11",
                        "-Wall",
                        "-Wextra",
                        "-Werror",
                        "-O2",
                        "-pthread",
                        "-I" + HOME.resolve("include"),
                        "-I" + HOME.resolve("include/linux"),
                        "-o",
                        compiled.resolve("jvm_embedder").toString(),
                        Path.of("src", "test", "c", "jvm_embedder.c").toString(),
                        "-ldl")
                .redirectErrorStream(true)
                .start();
        String output = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, compiler.waitFor(), output);
    }

    @ParameterizedTest
    @CsvSource({"late, 2", "during, 20000", "never, 2"})
    void theProcessGoesOnWithoutItsJvm(String when, int tensors) throws Exception {
        try (StreamFixture stream = new StreamFixture()) {
            Path output = compiled.resolve(when + ".txt");
            Process program = new ProcessBuilder(
                            compiled.resolve("jvm_embedder").toString(),
                            when,
                            HOME.resolve("lib/server/libjvm.so").toString(),
                            System.getProperty("java.class.path"),
                            DlpackJvmEndTest.class.getName().replace('.', '/'),
                            stream.key() + "," + stream.directory() + "," + tensors)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .directory(compiled.toFile())
                    .start();
            try {
                boolean ended = program.waitFor(110, TimeUnit.SECONDS);
                String text = Files.readString(output);
                assertTrue(ended, "it hangs: " + text);
                assertEquals(0, program.exitValue(), text);
                assertTrue(text.endsWith("done " + tensors + "\n"), text);
            } finally {
                program.destroyForcibly().waitFor();
            }
        }
    }

    /** Called by the program: opens a stream, and exports tensors of a frame that is held on, as are publisher and subscriber. */
    @SuppressWarnings("unused")
    static long[] export(String argument) {
        String[] parts = argument.split(",", -1);
        Publisher publisher = Publisher.builder(parts[0])
                .size(64, 64)
                .transport(Transport.HOST)
                .socketDirectory(Path.of(parts[1]))
                .open();
        Subscriber subscriber =
                Subscriber.builder(parts[0]).socketDirectory(Path.of(parts[1])).open();
        KEPT.addAll(List.of(publisher, subscriber));
        try (WritableFrame frame = publisher.acquire()) {
            frame.publish(1);
        }
        Frame frame = subscriber.next(Duration.ofSeconds(30));
        KEPT.add(frame);
        long[] tensors = new long[Integer.parseInt(parts[2])];
        for (int i = 0; i < tensors.length; i++) {
            tensors[i] = frame.dlpack(0).handOver(DlpackTensor.NO_STREAM);
        }
        return tensors;
    }
}
