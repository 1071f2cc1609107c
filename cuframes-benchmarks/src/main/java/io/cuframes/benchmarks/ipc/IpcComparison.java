// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks.ipc;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/**
 * The ring in host memory beside Aeron IPC: message rate and round trip of 64 bytes, and frames of 3 MB, each side a process of its own, the ways in
 * turn, in one run. Nothing is lost in either way, all readers spin, and every message is checked.
 *
 * <p>Arguments: [--seconds S of each measurement, 3 unless said] [--rounds N, 3] [--out FILE for the JSON]. Aeron reaches into the JDK: the processes are
 * started with {@code --add-opens=java.base/jdk.internal.misc=ALL-UNNAMED}, which Agrona asks for on JDK 17 and newer.
 */
public final class IpcComparison {
    /** What is compared, and the ring whose writer waits for nobody: how fast it publishes, and how much of that its reader gets. */
    private static final List<String> WAYS = List.of("ring", "aeron", "ring-waits-for-nobody");

    private static final int START_SECONDS = 60;
    private static final String AGAINST = "ring_against_aeron";

    private final long millis;
    private final int rounds;
    private final Map<Task, Map<String, List<JsonObject>>> results = new EnumMap<>(Task.class);
    private JsonObject driver;

    private IpcComparison(long millis, int rounds) {
        this.millis = millis;
        this.rounds = rounds;
    }

    /**
     * Measures, prints a table, and writes the JSON if asked.
     *
     * @param arguments as above
     */
    public static void main(String[] arguments) throws IOException {
        double seconds = 3;
        int rounds = 3;
        Path out = null;
        for (int i = 0; i < arguments.length; i += 2) {
            if (i + 1 == arguments.length
                    || !List.of("--seconds", "--rounds", "--out").contains(arguments[i])) {
                System.err.println("usage: [--seconds S] [--rounds N] [--out FILE], not " + arguments[i]);
                System.exit(2);
            }
            String value = arguments[i + 1];
            switch (arguments[i]) {
                case "--seconds" -> seconds = Double.parseDouble(value);
                case "--rounds" -> rounds = Integer.parseInt(value);
                default -> out = Path.of(value);
            }
        }
        JsonObject json = run((long) (seconds * 1000), rounds);
        System.out.println(text(json));
        if (out != null) {
            Files.writeString(
                    out, new GsonBuilder().setPrettyPrinting().create().toJson(json) + "\n");
        }
        System.exit(0);
    }

    /** Measures everything. */
    static JsonObject run(long millis, int rounds) throws IOException {
        IpcComparison comparison = new IpcComparison(millis, rounds);
        for (int round = 0; round < rounds; round++) {
            for (Task task : Task.values()) {
                for (String way : WAYS) {
                    if (task.isRate() || !way.equals(WAYS.get(2))) {
                        comparison.measure(task, way);
                    }
                }
            }
        }
        return comparison.toJson();
    }

    private void measure(Task task, String way) throws IOException {
        Path directory = way.equals("aeron")
                ? Path.of("/dev/shm", "cuframes-ipc-" + ProcessHandle.current().pid() + "-aeron")
                : Files.createTempDirectory("cuframes-ipc");
        List<Side> sides = new ArrayList<>();
        try {
            if (way.equals("aeron")) {
                Side media = new Side("driver", way, task, directory, millis);
                sides.add(media);
                driver = media.answer(START_SECONDS);
            }
            Side first = new Side("first", way, task, directory, millis);
            sides.add(first);
            Side second = new Side("second", way, task, directory, millis);
            sides.add(second);
            long limit = START_SECONDS + 3 * millis / 1000;
            JsonObject there = first.answer(limit);
            JsonObject back = second.answer(limit);
            JsonObject result = task == Task.ROUND_TRIP ? there : back;
            if (there.get("wrong").getAsLong() + back.get("wrong").getAsLong() > 0) {
                throw new IllegalStateException(
                        way + ", " + task + ": messages out of order, or with others' bytes: " + there + " " + back);
            }
            result.addProperty("sent_per_second", there.get("per_second").getAsDouble());
            results.computeIfAbsent(task, key -> new TreeMap<>())
                    .computeIfAbsent(way, key -> new ArrayList<>())
                    .add(result);
        } finally {
            sides.forEach(Side::close);
            cleanUp(directory, ProcessHandle.current().pid());
        }
    }

    /** Removes what processes that were killed leave. */
    static void cleanUp(Path directory, long pid) {
        try (DirectoryStream<Path> segments =
                Files.newDirectoryStream(Path.of("/dev/shm"), "cuframes-ipc-" + pid + "-*")) {
            for (Path segment : segments) {
                if (!Files.isDirectory(segment)) {
                    Files.deleteIfExists(segment);
                }
            }
            if (Files.isDirectory(directory)) {
                try (Stream<Path> files = Files.walk(directory)) {
                    for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                        Files.deleteIfExists(file);
                    }
                }
            }
        } catch (IOException e) {
            // Another side is at it, too.
        }
    }

    /** A process. */
    private static final class Side implements AutoCloseable {
        private final String name;
        private final Process process;
        private final CompletableFuture<String> line;

        Side(String part, String way, Task task, Path directory, long millis) throws IOException {
            name = part + " of " + way + ", " + task;
            process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "--enable-native-access=ALL-UNNAMED",
                            "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
                            "-XX:+UseSerialGC",
                            "-XX:-UsePerfData",
                            "-Djava.util.logging.config.file=/dev/null",
                            "-cp",
                            System.getProperty("java.class.path"),
                            IpcRole.class.getName(),
                            part,
                            way,
                            task.name(),
                            directory.toString(),
                            Long.toString(millis))
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            line = CompletableFuture.supplyAsync(this::read);
        }

        private String read() {
            try {
                BufferedReader reader = process.inputReader(StandardCharsets.UTF_8);
                return reader.readLine();
            } catch (IOException e) {
                return null;
            }
        }

        JsonObject answer(long seconds) {
            try {
                String text = line.get(seconds, TimeUnit.SECONDS);
                if (text == null) {
                    throw new IllegalStateException("the " + name + " ended without a result");
                }
                return JsonParser.parseString(text).getAsJsonObject();
            } catch (TimeoutException e) {
                throw new IllegalStateException("the " + name + " had no result within " + seconds + " s", e);
            } catch (ExecutionException e) {
                throw new IllegalStateException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void close() {
            process.destroyForcibly().onExit().join();
        }
    }

    private static double median(List<JsonObject> rounds, String name) {
        double[] sorted = rounds.stream()
                .mapToDouble(each -> each.get(name).getAsDouble())
                .sorted()
                .toArray();
        int half = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }

    private JsonObject toJson() {
        JsonObject json = new JsonObject();
        json.addProperty("cores", Runtime.getRuntime().availableProcessors());
        json.addProperty("java", Runtime.version().toString());
        json.addProperty("seconds", millis / 1e3);
        json.addProperty("rounds", rounds);
        json.add("aeron", driver);
        JsonObject tasks = new JsonObject();
        results.forEach((task, ways) -> tasks.add(task.name().toLowerCase(Locale.ROOT), figures(task, ways)));
        json.add("tasks", tasks);
        return json;
    }

    private static JsonObject figures(Task task, Map<String, List<JsonObject>> ways) {
        JsonObject json = new JsonObject();
        json.addProperty("bytes", task.bytes());
        String figure = task.isRate() ? "per_second" : "p50_ns";
        ways.forEach((way, all) -> {
            JsonObject one = new JsonObject();
            for (String name : task.isRate()
                    ? List.of("per_second", "sent_per_second")
                    : List.of("p50_ns", "p99_ns", "p99_9_ns", "max_ns")) {
                one.addProperty(name, Math.round(median(all, name)));
            }
            JsonArray each = new JsonArray();
            all.forEach(round -> each.add(Math.round(round.get(figure).getAsDouble())));
            one.add(figure + "_of_rounds", each);
            json.add(way, one);
        });
        double ring = median(ways.get("ring"), figure);
        double aeron = median(ways.get("aeron"), figure);
        if (ring > 0 && aeron > 0) { // else the machine was too busy for so short a time
            // How many times as good the ring is: as many messages, or as little time.
            json.addProperty(AGAINST, Math.round(1000 * (task.isRate() ? ring / aeron : aeron / ring)) / 1e3);
        }
        return json;
    }

    /** A table, and what was compared. */
    static String text(JsonObject json) {
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                Locale.ROOT,
                "%-16s %10s %14s %14s %14s %14s %20s%n",
                "task",
                "bytes",
                "ring",
                "p99",
                "Aeron IPC",
                "p99",
                "ring against Aeron"));
        JsonObject tasks = json.getAsJsonObject("tasks");
        for (String name : tasks.keySet()) {
            JsonObject task = tasks.getAsJsonObject(name);
            boolean rate = Task.valueOf(name.toUpperCase(Locale.ROOT)).isRate();
            text.append(String.format(
                    Locale.ROOT,
                    "%-16s %10d %14s %14s %14s %14s %20s%n",
                    name.replace('_', ' '),
                    task.get("bytes").getAsInt(),
                    figure(task.getAsJsonObject("ring"), rate, "p50_ns"),
                    figure(task.getAsJsonObject("ring"), rate, "p99_ns"),
                    figure(task.getAsJsonObject("aeron"), rate, "p50_ns"),
                    figure(task.getAsJsonObject("aeron"), rate, "p99_ns"),
                    task.has(AGAINST)
                            ? String.format(
                                    Locale.ROOT, "%.2fx", task.get(AGAINST).getAsDouble())
                            : "nothing measured"));
            if (rate) {
                JsonObject free = task.getAsJsonObject(WAYS.get(2));
                text.append(String.format(
                        Locale.ROOT,
                        "%-16s %10s   a ring whose writer waits for nobody: %,d/s published, %,d/s of them read%n",
                        "",
                        "",
                        free.get("sent_per_second").getAsLong(),
                        free.get("per_second").getAsLong()));
            }
        }
        text.append("medians of ")
                .append(json.get("rounds"))
                .append(" rounds of ")
                .append(json.get("seconds"));
        text.append(" s; ")
                .append(json.get("cores"))
                .append(" cores, Java ")
                .append(json.get("java").getAsString());
        text.append("; Aeron: ").append(new Gson().toJson(json.get("aeron")));
        return text.toString();
    }

    private static String figure(JsonObject way, boolean rate, String name) {
        if (rate) {
            return name.equals("p50_ns")
                    ? String.format(Locale.ROOT, "%,d/s", way.get("per_second").getAsLong())
                    : "";
        }
        return String.format(Locale.ROOT, "%.2f us", way.get(name).getAsDouble() / 1e3);
    }
}
