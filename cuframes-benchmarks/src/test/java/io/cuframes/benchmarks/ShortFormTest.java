// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
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

    @TempDir
    Path directory;

    /** Runs a program as the launcher would; its standard output. */
    private static String run(List<String> options, String main, String... arguments)
            throws IOException, InterruptedException {
        List<String> line = new ArrayList<>();
        line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        line.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Djava.util.logging.config.file=/dev/null"));
        line.addAll(options);
        line.addAll(List.of("-cp", System.getProperty("java.class.path"), main));
        line.addAll(List.of(arguments));
        Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
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
            double ratio = tasks.getAsJsonObject(task).get("ring_against_aeron").getAsDouble();
            assertTrue(ratio > 0, text);
            System.out.printf(
                    Locale.ROOT,
                    "report, no test: HOST ring against Aeron IPC, %s: %.2fx, %s%n",
                    task,
                    ratio,
                    ratio >= BOUND ? "within the bound of " + BOUND : "BELOW THE BOUND of " + BOUND + ": look at it");
        }
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
