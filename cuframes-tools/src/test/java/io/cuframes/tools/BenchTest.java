// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.HdrHistogram.EncodableHistogram;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The benchmark measures what it says, in processes of its own, and leaves nothing behind. */
class BenchTest {
    private static final String NO_CUDA = "/nonexistent/libcuda.so";

    @TempDir
    Path directory;

    private Tool bench(Map<String, String> environment, String... arguments) throws IOException {
        List<String> line = new ArrayList<>();
        line.add(ProcessHandle.current().info().command().orElseThrow());
        line.add("--enable-native-access=ALL-UNNAMED");
        line.addAll(List.of("-cp", System.getProperty("java.class.path"), Cuframes.class.getName(), "bench"));
        line.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(line);
        builder.environment().putAll(environment);
        return Tool.start(directory, builder);
    }

    /** What a run has for a while, and must not have after it. */
    private static List<Path> leftovers(Tool bench) throws IOException {
        List<Path> all = new ArrayList<>();
        for (String place : List.of("/dev/shm", System.getProperty("java.io.tmpdir"))) {
            try (Stream<Path> files = Files.list(Path.of(place))) {
                files.filter(file -> file.getFileName().toString().startsWith("cuframes-bench-" + bench.pid() + "-"))
                        .forEach(all::add);
            }
        }
        return all;
    }

    private static Map<String, JsonObject> cases(JsonObject result) {
        Map<String, JsonObject> cases = new TreeMap<>();
        for (JsonElement each : result.getAsJsonArray("cases")) {
            JsonObject one = each.getAsJsonObject();
            String wait = one.has("wait") && !one.get("wait").isJsonNull()
                    ? one.get("wait").getAsString()
                    : "-";
            cases.put(
                    one.get("mode").getAsString() + " " + wait + " " + one.get("streams") + "x"
                            + one.get("subscribers"),
                    one);
        }
        return cases;
    }

    /** Whoever counted: frames were published, and each is either read or missed by each reader. */
    private static void assertAccountedFor(JsonObject one, int frames) {
        long expected = (long) frames
                * one.get("streams").getAsInt()
                * one.get("subscribers").getAsInt()
                * one.get("rounds").getAsInt();
        long dropped = one.get("dropped").getAsLong() * one.get("subscribers").getAsInt();
        assertEquals(0, one.get("wrong").getAsLong(), one.toString());
        long found = one.get("frames_read").getAsLong() + one.get("missed").getAsLong();
        // A frame that is dropped in the warm-up moves the first that is counted.
        assertTrue(found <= expected && found + dropped >= expected - frames / 5, one.toString());
        JsonObject latency = one.getAsJsonObject("latency_us");
        assertEquals(one.get("frames_read"), latency.get("count"));
        double p50 = latency.get("p50").getAsDouble();
        assertTrue(p50 > 0 && p50 <= latency.get("p99").getAsDouble(), one.toString());
        assertTrue(latency.get("p99").getAsDouble() <= latency.get("max").getAsDouble() + 1e-9, one.toString());
    }

    @Test
    void aRingAndItsFloorAreComparedInOneRun() throws Exception {
        Path out = directory.resolve("out");
        try (Tool bench = bench(
                Map.of(),
                "--modes=host-floor,host",
                "--wait=spin,park",
                "--frames=60",
                "--warmup=20",
                "--rate=100",
                "--size=320x180",
                "--rounds=2",
                "--out=" + out,
                "--json")) {
            assertEquals(0, bench.await(), bench.err());
            JsonObject result = bench.json();
            Map<String, JsonObject> cases = cases(result);
            assertEquals(List.of("host park 1x1", "host spin 1x1", "host-floor - 1x1"), List.copyOf(cases.keySet()));
            double floor = cases.get("host-floor - 1x1")
                    .getAsJsonObject("latency_us")
                    .get("p50")
                    .getAsDouble();
            for (JsonObject each : cases.values()) {
                assertAccountedFor(each, 60);
                double p50 = each.getAsJsonObject("latency_us").get("p50").getAsDouble();
                assertEquals(p50 / floor, each.get("p50_against_floor").getAsDouble(), 2e-3 * (1 + p50 / floor));
            }
            JsonObject ring = cases.get("host spin 1x1");
            for (String what : List.of("publish_us", "acquire_us", "publish_to_next_us")) {
                assertTrue(ring.getAsJsonObject(what).get("count").getAsLong() > 0, ring.toString());
            }
            assertFiles(out, cases);
            assertEquals(List.of(), leftovers(bench));
        }
    }

    private static void assertFiles(Path out, Map<String, JsonObject> cases) throws Exception {
        Map<String, Long> counts = new TreeMap<>();
        HistogramLogReader log =
                new HistogramLogReader(out.resolve("latency.hlog").toFile());
        for (EncodableHistogram each = log.nextIntervalHistogram(); each != null; each = log.nextIntervalHistogram()) {
            counts.merge(each.getTag(), ((Histogram) each).getTotalCount(), Long::sum);
        }
        assertEquals(cases.get("host spin 1x1").get("frames_read").getAsLong(), counts.get("host-spin-1x1"));
        assertEquals(cases.get("host-floor - 1x1").get("frames_read").getAsLong(), counts.get("host-floor"));
        String percentiles = Files.readString(out.resolve("host-park-1x1.hgrm"));
        assertTrue(percentiles.contains("Total count    = "), percentiles);
        Path picture = out.resolve("latency.svg");
        assertNotNull(DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(picture.toFile()));
        String svg = Files.readString(picture);
        for (String part : List.of(">host spin<", ">host-floor<", ">99%<", "microseconds")) {
            assertTrue(svg.contains(part), part);
        }
        assertTrue(Files.readString(out.resolve("result.json")).contains("\"p50_against_floor\""));
        assertFalse(Files.exists(out.resolve("cost.svg"))); // nothing was swept
    }

    @Test
    void subscribersAndStreamsAreSwept() throws Exception {
        Path out = directory.resolve("out");
        try (Tool bench = bench(
                Map.of(),
                "--modes=host",
                "--wait=park",
                "--subscribers=1,3",
                "--streams=1,2",
                "--frames=30",
                "--rate=50",
                "--size=320x180",
                "--out=" + out,
                "--json")) {
            assertEquals(0, bench.await(), bench.err());
            Map<String, JsonObject> cases = cases(bench.json());
            assertEquals(4, cases.size(), cases.toString());
            cases.values().forEach(each -> assertAccountedFor(each, 30));
            assertEquals(2, bench.json().getAsJsonArray("fan_out").size());
            String svg = Files.readString(out.resolve("cost.svg"));
            assertTrue(svg.contains(">host park, 2 streams<") && svg.contains("subscribing processes"), svg);
        }
    }

    @Test
    void deviceModesRunOnTheStandInForCuda() throws Exception {
        try (Tool bench = bench(
                StandInLibrary.environment(directory),
                "--modes=floor,floor-by-host,cuda-vmm,cuda-ipc,stream-wait,host-copy,host-copy-pinned",
                "--frames=40",
                "--rate=100",
                "--size=320x180",
                "--json")) {
            assertEquals(0, bench.await(), bench.err());
            Map<String, JsonObject> cases = cases(bench.json());
            assertEquals(
                    List.of(
                            "cuda-ipc adaptive 1x1",
                            "cuda-vmm adaptive 1x1",
                            "floor - 1x1",
                            "floor-by-host - 1x1",
                            "host-copy - 1x1",
                            "host-copy-pinned - 1x1"),
                    List.copyOf(cases.keySet()),
                    bench.err());
            cases.values().forEach(each -> assertAccountedFor(each, 40));
            assertTrue(cases.get("cuda-vmm adaptive 1x1").has("times_as_soon_as_host_copy"), bench.out());
            // It has no events between processes, and that is what it says.
            JsonObject leftOut = bench.json().getAsJsonObject("left_out");
            assertEquals(List.of("stream-wait"), List.copyOf(leftOut.keySet()));
            assertTrue(leftOut.get("stream-wait").getAsString().contains("cudaIpcGetEventHandle"), leftOut.toString());
            assertEquals(List.of(), leftovers(bench));
        }
    }

    @Test
    void aModeThatNeedsAGpuIsLeftOutAndSaidWhereThereIsNone() throws Exception {
        try (Tool bench = bench(
                Map.of("CUFRAMES_CUDA", NO_CUDA, "CUFRAMES_CUDART", NO_CUDA),
                "--modes=host,cuda-vmm",
                "--frames=20",
                "--rate=100",
                "--size=64x64",
                "--json")) {
            assertEquals(0, bench.await(), bench.err());
            assertEquals(1, cases(bench.json()).size());
            assertNotNull(bench.json().getAsJsonObject("left_out").get("cuda-vmm"), bench.out());
            assertNull(bench.json().getAsJsonObject("left_out").get("host"));
            assertTrue(bench.err().contains("left out cuda-vmm: CUDA "), bench.err());
        }
        try (Tool bench = bench(Map.of("CUFRAMES_CUDA", NO_CUDA, "CUFRAMES_CUDART", NO_CUDA), "--modes=floor")) {
            assertEquals(5, bench.await(), bench.err());
            assertTrue(bench.out().contains("nothing was measured"), bench.out());
            assertTrue(bench.err().contains("left out floor: CUDA "), bench.err());
        }
    }

    @Test
    void noProcessOutlivesABenchThatIsKilled() throws Exception {
        try (Tool bench = bench(Map.of(), "--modes=host", "--frames=5000", "--rate=50", "--size=64x64")) {
            Tool.awaitThat("the readers read", () -> {
                try {
                    return leftovers(bench).stream().anyMatch(path -> Files.exists(path.resolve("ready-subscriber-0")));
                } catch (IOException e) {
                    return false;
                }
            });
            List<ProcessHandle> children = bench.process().descendants().toList();
            assertEquals(2, children.size());
            bench.process().destroyForcibly();
            Tool.awaitThat("the processes end", () -> children.stream().noneMatch(ProcessHandle::isAlive));
            assertEquals(List.of(), leftovers(bench));
        }
    }

    @Test
    void nonsenseIsNamed() throws Exception {
        Map<String, String> complaints = Map.of(
                "--modes=host,vram", "--modes has \"vram\", which is not one of host-floor, host,",
                "--size=3x4", "--size is 3x4: width and height must be even, 2 to 8192",
                "--subscribers=0", "--subscribers is 0: it must be 1 to 32",
                "--rate=1", "a case would take 6000 s",
                "--wait=nap", "nap");
        for (Map.Entry<String, String> each : complaints.entrySet()) {
            try (Tool bench = bench(Map.of(), each.getKey())) {
                assertEquals(2, bench.await(), bench.err());
                assertTrue(bench.err().contains(each.getValue()), bench.err());
            }
        }
    }
}
