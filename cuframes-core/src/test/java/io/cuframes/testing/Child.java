// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A JVM of its own that answers lines with lines; closing it kills it. */
public final class Child implements AutoCloseable {
    private static final int PATIENCE_SECONDS = 30;

    private final Process process;
    private final Writer input;
    private final BlockingQueue<String> output = new LinkedBlockingQueue<>();

    private Child(Process process) {
        this.process = process;
        this.input = process.outputWriter(StandardCharsets.UTF_8);
        Thread.ofPlatform().daemon().start(this::collect);
    }

    /** Starts a main class with this JVM's java, class path, native access and CUDA. */
    public static Child start(Class<?> main, Object... arguments) {
        return start(Map.of(), main, arguments);
    }

    /** The same, with something more in its environment. */
    public static Child start(Map<String, String> environment, Class<?> main, Object... arguments) {
        return start(List.of(), environment, main, arguments);
    }

    /** The same, with options of its JVM. */
    public static Child start(
            List<String> options, Map<String, String> environment, Class<?> main, Object... arguments) {
        return start(List.of(), options, environment, main, arguments);
    }

    /** The same, by another program: one that starts what its last arguments say, under limits or as somebody else. */
    public static Child startBy(List<String> program, Class<?> main, Object... arguments) {
        return start(program, List.of(), Map.of(), main, arguments);
    }

    /** The same, with options of its JVM. */
    public static Child startBy(List<String> program, List<String> options, Class<?> main, Object... arguments) {
        return start(program, options, Map.of(), main, arguments);
    }

    /** The same, with another class path, for who cannot read this one. */
    static Child startBy(
            List<String> program, List<String> options, String classPath, Class<?> main, Object... arguments) {
        List<String> command = new ArrayList<>(program);
        command.addAll(ChildJvm.plainCommand());
        command.addAll(options);
        command.addAll(List.of("-cp", classPath, main.getName()));
        return start(command, Map.of(), arguments);
    }

    private static Child start(
            List<String> program,
            List<String> options,
            Map<String, String> environment,
            Class<?> main,
            Object... arguments) {
        List<String> command = new ArrayList<>(program);
        command.addAll(ChildJvm.command());
        command.addAll(options);
        command.addAll(ChildJvm.program());
        command.add(main.getName());
        return start(command, environment, arguments);
    }

    private static Child start(List<String> command, Map<String, String> environment, Object... arguments) {
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
            builder.environment().putAll(CudaStandIn.environment());
            builder.environment().putAll(environment);
            return new Child(builder.start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void collect() {
        try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                output.add(line);
            }
        } catch (IOException e) {
            output.add("broken " + e); // the process was killed: whoever waits for a line is told
        }
        output.add("eof");
    }

    /** Sends a line. */
    public Child tell(String line) {
        try {
            input.write(line + "\n");
            input.flush();
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The next line of output. */
    public String answer() {
        try {
            String line = output.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
            if (line == null) {
                throw new AssertionError("no answer for " + PATIENCE_SECONDS + " s");
            }
            return line;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** The next line of output that begins so; those before it are passed over. */
    public String answerThatBegins(String beginning) {
        for (String line = answer(); ; line = answer()) {
            if (line.startsWith(beginning)) {
                return line;
            }
            if (line.equals("eof")) {
                throw new AssertionError("no line that begins with \"" + beginning + "\" came");
            }
        }
    }

    /** Sends a line and returns the answer. */
    public String ask(String line) {
        return tell(line).answer();
    }

    /** kill -9, and waits until the process is gone. */
    public void kill() {
        process.destroyForcibly();
        awaitExit();
    }

    /** Sends a signal by name. */
    public void signal(String name) {
        try {
            int status = new ProcessBuilder("kill", "-" + name, Long.toString(pid()))
                    .inheritIO()
                    .start()
                    .waitFor();
            if (status != 0) {
                throw new AssertionError("kill -" + name + " gave " + status);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** kill -STOP, and waits until all its threads stand still. */
    public void stop() {
        signal("STOP");
        awaitStop();
    }

    /** Waits until all its threads stand still, of a process that has said that it stops itself: one signal more could stop it once more later. */
    public void awaitStop() {
        long deadline = System.nanoTime() + PATIENCE_SECONDS * 1_000_000_000L;
        while (!isStopped()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("the process does not stop: "
                        + (process.isAlive() ? states() : "it has ended, status " + process.exitValue()));
            }
            Thread.onSpinWait();
        }
    }

    private boolean isStopped() {
        return states().matches("T+");
    }

    /** What each thread does, a letter each, as the kernel has it. */
    private String states() {
        StringBuilder states = new StringBuilder();
        try (Stream<Path> threads = Files.list(Path.of("/proc", Long.toString(pid()), "task"))) {
            for (Path thread : threads.toList()) {
                String status = Files.readString(thread.resolve("stat"));
                states.append(status.charAt(status.lastIndexOf(')') + 2));
            }
            return states.toString();
        } catch (IOException e) {
            return "unknown"; // a thread that was just ending
        }
    }

    /** kill -CONT. */
    public void cont() {
        signal("CONT");
    }

    /** Waits for the end; returns the exit status. */
    public int awaitExit() {
        try {
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new AssertionError("the process does not end");
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    public long pid() {
        return process.pid();
    }

    @Override
    public void close() {
        kill();
    }
}
