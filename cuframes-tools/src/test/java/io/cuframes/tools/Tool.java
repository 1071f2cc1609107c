// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** A program run as a process of its own, by the Java and the class path of the test. */
final class Tool implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 90;
    private static final int SIGINT = 2;

    private final Process process;
    private final Path out;
    private final Path err;

    private Tool(Process process, Path out, Path err) {
        this.process = process;
        this.out = out;
        this.err = err;
    }

    /** Starts a cuframes command. */
    static Tool start(Path directory, String... arguments) throws IOException {
        return start(directory, Cuframes.class, arguments);
    }

    /** Starts the main method of a class. */
    static Tool start(Path directory, Class<?> main, String... arguments) throws IOException {
        List<String> line = new ArrayList<>();
        line.add(ProcessHandle.current().info().command().orElseThrow());
        line.add("--enable-native-access=ALL-UNNAMED");
        line.add("-cp");
        line.add(System.getProperty("java.class.path"));
        line.add(main.getName());
        line.addAll(List.of(arguments));
        return start(directory, new ProcessBuilder(line));
    }

    /** Starts any program. */
    static Tool start(Path directory, ProcessBuilder builder) throws IOException {
        Path out = Files.createTempFile(directory, "out", ".txt");
        Path err = Files.createTempFile(directory, "err", ".txt");
        return new Tool(
                builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start(), out, err);
    }

    /** Waits for its end. */
    int await() throws Exception {
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("still running after " + PATIENCE_SECONDS + " s; standard error: " + err());
        }
        return process.exitValue();
    }

    String out() throws IOException {
        return Files.readString(out);
    }

    /** Whether its standard output has the text by now. */
    boolean outHas(String text) {
        try {
            return out().contains(text);
        } catch (IOException e) {
            return false;
        }
    }

    String err() throws IOException {
        return Files.readString(err);
    }

    /** The last line of its standard output. */
    JsonObject json() throws IOException {
        List<String> lines = Files.readAllLines(out);
        return JsonParser.parseString(lines.get(lines.size() - 1)).getAsJsonObject();
    }

    Process process() {
        return process;
    }

    long pid() {
        return process.pid();
    }

    /** Whether it has a thread of that name, at most 15 characters, by now. */
    boolean hasThread(String name) {
        try (Stream<Path> threads = Files.list(Path.of("/proc/" + pid() + "/task"))) {
            for (Path thread : threads.toList()) {
                if (Files.readString(thread.resolve("comm")).strip().equals(name)) {
                    return true;
                }
            }
        } catch (IOException e) {
            // it or its thread has ended
        }
        return false;
    }

    /**
     * Sends a signal, by its name without SIG. A build that a shell runs in the background has SIGINT ignored, and its children have, too: it is
     * sent SIGTERM then, which the tools answer alike.
     */
    void signal(String name) throws Exception {
        String sent = name.equals("INT") && ignoresInterrupts() ? "TERM" : name;
        new ProcessBuilder("kill", "-" + sent, Long.toString(pid()))
                .inheritIO()
                .start()
                .waitFor();
    }

    private static boolean ignoresInterrupts() throws IOException {
        String ignored = Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("SigIgn:"))
                .findFirst()
                .orElseThrow();
        return (Long.parseUnsignedLong(ignored.substring("SigIgn:".length()).strip(), 16) & (1L << (SIGINT - 1))) != 0;
    }

    /** Waits until its standard error has the text. */
    void awaitError(String text) throws Exception {
        awaitThat("its standard error says \"" + text + "\"", () -> {
            try {
                return err().contains(text);
            } catch (IOException e) {
                return false;
            }
        });
    }

    /** Waits until its standard error has a line that matches. */
    void awaitErrorLine(String pattern) throws Exception {
        awaitLine("standard error", err, pattern);
    }

    /** Waits until its standard output has a line that matches. */
    void awaitLine(String pattern) throws Exception {
        awaitLine("standard output", out, pattern);
    }

    private static void awaitLine(String where, Path file, String pattern) throws InterruptedException {
        awaitThat("a line of its " + where + " matches " + pattern, () -> {
            try {
                return Files.readString(file).lines().anyMatch(line -> line.matches(pattern));
            } catch (IOException e) {
                return false;
            }
        });
    }

    static void awaitThat(String what, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("not within " + PATIENCE_SECONDS + " s: " + what);
            }
            Thread.sleep(20);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
