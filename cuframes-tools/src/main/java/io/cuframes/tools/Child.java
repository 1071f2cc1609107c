// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonSyntaxException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A cuframes command as a process of its own, run by the same Java and class path. Its standard input is a pipe that nothing is written to: it
 * ends when this process does, however that comes about, and the child with it. Thread-safe.
 */
public final class Child implements AutoCloseable {
    private static final int KEPT_LINES = 40;

    private final String name;
    private final Process process;
    private final List<Thread> readers = new ArrayList<>();
    private final Deque<String> errors = new ArrayDeque<>();
    private JsonObject progress;
    private JsonObject result;

    /**
     * Starts a command.
     *
     * @param name for messages
     * @param arguments of the command, which must print its progress as JSON
     */
    Child(String name, List<String> arguments) throws IOException {
        this(name, List.of(), Cuframes.class, arguments);
    }

    /**
     * Starts a program.
     *
     * @param name for messages
     * @param prefix what starts it, such as taskset and its arguments; may be empty
     * @param main its class
     * @param arguments its own
     * @throws IOException if it cannot be started
     */
    public Child(String name, List<String> prefix, Class<?> main, List<String> arguments) throws IOException {
        this.name = name;
        List<String> line = new ArrayList<>(prefix);
        line.addAll(javaCommand(main));
        line.addAll(arguments);
        process = new ProcessBuilder(line).start();
        read("out", process.getInputStream(), this::takeOutput);
        read("err", process.getErrorStream(), this::takeError);
    }

    private static List<String> javaCommand(Class<?> main) {
        List<String> line = new ArrayList<>();
        line.add(ProcessHandle.current().info().command().orElse("java"));
        line.add("--enable-native-access=ALL-UNNAMED");
        line.add("-XX:+UseSerialGC"); // the leanest: these processes allocate next to nothing
        line.add("-XX:-UsePerfData"); // no file in /tmp
        String more = System.getenv("CUFRAMES_JAVA_OPTS");
        if (more != null && !more.isBlank()) {
            line.addAll(List.of(more.strip().split("\\s+")));
        }
        line.add("-cp");
        line.add(System.getProperty("java.class.path"));
        line.add(main.getName());
        return line;
    }

    /** What is done with a line. */
    private interface LineTaker {
        void take(String line);
    }

    private void read(String what, InputStream stream, LineTaker taker) {
        Thread thread = new Thread(
                () -> {
                    try (BufferedReader reader =
                            new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
                        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                            taker.take(line);
                        }
                    } catch (IOException e) {
                        takeError("(its output cannot be read: " + e.getMessage() + ")");
                    } catch (RuntimeException | Error e) {
                        takeError("(its output is not read on: " + e + ")"); // a full pipe would stop it for good
                        process.destroy();
                    }
                },
                "cuframes-" + name + "-" + what);
        thread.setDaemon(true);
        thread.start();
        readers.add(thread);
    }

    private synchronized void takeOutput(String line) {
        try {
            JsonObject object = JsonParser.parseString(line).getAsJsonObject();
            if (object.has("event")) {
                progress = object;
            } else {
                result = object;
            }
        } catch (JsonSyntaxException | IllegalStateException e) {
            takeError(line);
        }
    }

    private synchronized void takeError(String line) {
        errors.add(line);
        if (errors.size() > KEPT_LINES) {
            errors.remove();
        }
    }

    /**
     * What it is called in messages.
     *
     * @return the name it was given
     */
    public String name() {
        return name;
    }

    /** What it last printed: its result, else its progress, else null. */
    synchronized JsonObject latest() {
        return result != null ? result : progress;
    }

    /** The progress it last printed, also once it has a result; or null. */
    synchronized JsonObject progress() {
        return progress;
    }

    /**
     * What it printed last, progress aside.
     *
     * @return its result, or null if it has not printed one
     */
    public synchronized JsonObject result() {
        return result;
    }

    /**
     * The last lines of its standard error.
     *
     * @return at most 40
     */
    public synchronized List<String> errors() {
        return List.copyOf(errors);
    }

    /**
     * Whether it runs.
     *
     * @return false once it has ended
     */
    public boolean isAlive() {
        return process.isAlive();
    }

    /**
     * Its exit code; only once it has ended.
     *
     * @return 0 if all was well
     */
    public int exitCode() {
        return process.exitValue();
    }

    /**
     * Waits until it has ended and all that it printed is read.
     *
     * @param millis for how long, at most
     * @return false if that takes longer
     */
    public boolean await(long millis) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        try {
            if (!process.waitFor(millis, TimeUnit.MILLISECONDS)) {
                return false;
            }
            for (Thread reader : readers) {
                reader.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())));
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Asks it to end in order. */
    void askToEnd() {
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            throw new UncheckedIOException("closing the standard input of " + name, e);
        }
    }

    /** Ends it: in order if it does so within 3 s, else by force. */
    @Override
    public void close() {
        askToEnd();
        if (!await(3000)) {
            process.destroyForcibly();
            await(1000);
        }
    }
}
