// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.cuframes.testing.Needs;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each benchmark, for a moment: that it runs and gives figures. None of them is judged here; how the ring does beside Aeron is reported. */
class ShortFormTest {
    private static final long PATIENCE_SECONDS = 180;

    /**
     * How many times less than Aeron the ring may do before the report says that something may be wrong. A machine whose cores are too few, or shared,
     * moves these ratios a hundredfold.
     */
    private static final double BOUND = 0.005;

    private static final Path PYTHON = Path.of("src", "main", "python");

    @TempDir
    Path directory;

    /** Runs a program as the launcher would; its standard output. */
    private static String run(List<String> options, String main, String... arguments)
            throws IOException, InterruptedException {
        List<String> line = new ArrayList<>(java());
        line.addAll(options);
        line.add(main);
        line.addAll(List.of(arguments));
        return run(new ProcessBuilder(line));
    }

    /** A JVM with this one's classes. */
    private static List<String> java() {
        List<String> line = new ArrayList<>();
        line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        line.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Djava.util.logging.config.file=/dev/null"));
        line.addAll(List.of("-cp", System.getProperty("java.class.path")));
        return line;
    }

    private static String run(ProcessBuilder builder) throws IOException, InterruptedException {
        String main = builder.command().toString();
        Process process = builder.redirectErrorStream(true).start();
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        Thread reader = Thread.ofPlatform().daemon().start(() -> {
            try {
                process.getInputStream().transferTo(output);
            } catch (IOException e) {
                // it was killed
            }
        });
        try {
            assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), () -> main + " does not end: " + output);
            reader.join();
            String text = output.toString(StandardCharsets.UTF_8);
            assertEquals(0, process.exitValue(), text);
            return text;
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void theRingIsComparedWithAeron() throws Exception {
        Path report = Path.of("target", "ring-against-aeron.json");
        String text = run(
                List.of(),
                io.cuframes.benchmarks.ipc.IpcComparison.class.getName(),
                "--seconds",
                "0.8",
                "--rounds",
                "1",
                "--out",
                report.toString());
        JsonObject tasks = JsonParser.parseString(Files.readString(report))
                .getAsJsonObject()
                .getAsJsonObject("tasks");
        assertEquals(Set.of("round_trip", "rate", "frame_latency", "frame_rate"), tasks.keySet());
        for (String task : List.of("round_trip", "rate")) {
            JsonObject figures = tasks.getAsJsonObject(task);
            assertTrue(figures.has("ring") && figures.has("aeron"), text);
            System.out.println("report, no test: HOST ring against Aeron IPC, " + task + ": " + verdict(figures));
        }
    }

    private static String verdict(JsonObject figures) {
        if (!figures.has("ring_against_aeron")) {
            return "nothing measured, the machine is too busy";
        }
        double ratio = figures.get("ring_against_aeron").getAsDouble();
        return String.format(Locale.ROOT, "%.3fx, ", ratio)
                + (ratio >= BOUND ? "within the bound of " + BOUND : "BELOW THE BOUND of " + BOUND + ": look at it");
    }

    @Test
    void theCallsAreMeasuredByJmh() throws Exception {
        Path result = directory.resolve("jmh.json");
        String text = run(
                List.of(),
                "org.openjdk.jmh.Main",
                "RingBenchmark",
                "-f",
                "1",
                "-wi",
                "1",
                "-w",
                "200ms",
                "-i",
                "1",
                "-r",
                "200ms",
                "-p",
                "subscribers=0,2",
                "-prof",
                "gc",
                "-rf",
                "json",
                "-rff",
                result.toString());
        Set<String> measured = new TreeSet<>();
        for (JsonElement each : JsonParser.parseString(Files.readString(result)).getAsJsonArray()) {
            String name = each.getAsJsonObject().get("benchmark").getAsString();
            measured.add(name.substring(name.lastIndexOf('.') + 1));
            assertTrue(
                    each.getAsJsonObject().getAsJsonObject("secondaryMetrics").has("gc.alloc.rate.norm"), text);
        }
        assertEquals(Set.of("acquirePublish", "nextClose"), measured);
    }

    /** All that the comparison on a GPU does, with the CPU and host memory in its place, and without PyTorch. */
    @Test
    void theGpuComparisonRunsWithoutAGpu() throws Exception {
        Needs.program("python3", "python3");
        Path launcher = directory.resolve("cuframes");
        Files.writeString(
                launcher, "#!/bin/sh\nexec " + String.join(" ", java()) + " io.cuframes.tools.Cuframes \"$@\"\n");
        assertTrue(launcher.toFile().setExecutable(true));
        Path out = directory.resolve("out");
        ProcessBuilder builder = new ProcessBuilder(
                "python3",
                "-B",
                PYTHON.resolve("gpu_comparison.py").toString(),
                "--software",
                "--out",
                out.toString(),
                "--rounds",
                "1",
                "--frames",
                "60",
                "--subscribers",
                "1,2",
                "--scale",
                "1,2",
                "--sweep-streams",
                "1,2",
                "--sweep-subscribers",
                "1",
                "--cameras",
                "2",
                "--services",
                "2",
                "--seconds",
                "2",
                "--size",
                "320x192");
        builder.environment().put("CUFRAMES", launcher.toString());
        builder.environment().put("CUFRAMES_BENCHMARKS_JAVA", java().get(0));
        builder.environment().put("CUFRAMES_BENCHMARKS_CLASSES", System.getProperty("java.class.path"));
        String text = run(builder);
        JsonObject json = JsonParser.parseString(Files.readString(out.resolve("comparison.json")))
                .getAsJsonObject();
        assertEquals(
                Set.of("torch", "other-device", "other-cameras"),
                json.getAsJsonObject("left_out").keySet(),
                text);
        JsonObject cameras = json.getAsJsonObject("parts").getAsJsonObject("cameras");
        JsonObject shared = cameras.getAsJsonObject("shared");
        assertTrue(shared.get("frames").getAsLong() > 0 && shared.get("checked").getAsLong() > 0, text);
        assertEquals(0, shared.get("torn").getAsLong(), text);
        assertEquals("", shared.get("failures").getAsString());
        assertTrue(cameras.getAsJsonObject("independent").get("frames").getAsLong() > 0, text);
        assertEquals(
                Set.of("ready", "wake", "fan-out", "memory", "cameras", "scale", "sweep"),
                json.getAsJsonObject("parts").keySet(),
                text);
        try (Stream<Path> files = Files.list(out)) {
            assertTrue(files.count() <= 8, "the files of a run are few");
        }
    }

    @Test
    void whatTheGpuComparisonReadsAndComputesIsRight() throws Exception {
        Needs.program("python3", "python3");
        Path tests = Path.of("src", "test", "python").toAbsolutePath();
        ProcessBuilder builder =
                new ProcessBuilder("python3", "-B", "-m", "unittest", "discover", "-s", tests.toString());
        builder.environment().put("PYTHONPATH", PYTHON.toAbsolutePath().toString());
        String text = run(builder);
        assertTrue(text.contains("OK") && !text.contains("Ran 0 tests"), text);
    }

    @Test
    void filesAreDecoded() throws Exception {
        String text = run(List.of(), DecodeBenchmark.class.getName(), "30");
        assertTrue(text.lines().anyMatch(line -> line.matches("libopenh264 +CPU +HOST +[0-9]+")), text);
    }

    @Test
    void aSoakRuns() throws Exception {
        run(
                List.of(),
                Soak.class.getName(),
                "seconds=3",
                "publishers=1",
                "subscribers=2",
                "per-process=1",
                "width=320",
                "height=192",
                "kill-every=0");
    }
}
