// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.cuframes.javacv.TestPatternWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several cameras in one process, on files that it decodes on the CPU. */
class CameraFleetTest {
    @TempDir
    static Path clips;

    private static Path clip;

    private static final List<String> KEYS = List.of("a", "b", "good1", "good2", "damaged", "none", "taken", "away");

    /** Two characters, so that a thread's name has room for the rest. */
    private final String prefix = Long.toString(36 + ProcessHandle.current().pid() % (36 * 36 - 36), 36);

    @TempDir
    Path directory;

    @BeforeAll
    static void makeAClip() {
        clip = clips.resolve("clip.mp4");
        try (TestPatternWriter writer = TestPatternWriter.builder(clip.toString())
                .size(320, 192)
                .fps(25)
                .open()) {
            for (int i = 0; i < 50; i++) {
                writer.write();
            }
        }
    }

    private Path sockets() {
        return directory.resolve("sockets");
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        for (String key : KEYS) {
            assertFalse(Files.exists(Path.of("/dev/shm/cuframes-" + prefix + key)), key);
        }
        if (Files.exists(sockets())) {
            try (Stream<Path> left = Files.list(sockets())) {
                assertEquals(
                        List.of(),
                        left.filter(path -> path.toString().endsWith(".sock")).toList());
            }
        }
    }

    private Tool source(String... more) throws IOException {
        Stream<String> common = Stream.of(
                "rtsp-source",
                "--transport",
                "host",
                "--decoder",
                "cpu",
                "--socket-dir",
                sockets().toString(),
                "--json");
        return Tool.start(directory, Stream.concat(common, Stream.of(more)).toArray(String[]::new));
    }

    private Tool reader(String key, int frames) throws IOException {
        return Tool.start(
                directory,
                "sub-count",
                "--key",
                prefix + key,
                "--socket-dir",
                sockets().toString(),
                "--mode",
                "strict",
                "--verify",
                "--max-frames",
                Integer.toString(frames),
                "--connect-timeout-ms",
                "60000",
                "--json");
    }

    private static JsonObject camera(JsonObject result, String key) {
        for (JsonElement camera : result.getAsJsonArray("cameras")) {
            if (camera.getAsJsonObject().get("key").getAsString().endsWith(key)) {
                return camera.getAsJsonObject();
            }
        }
        throw new AssertionError("no " + key + " in " + result);
    }

    /** One cannot be found, one's key is taken, one is damaged, one is not there yet: the others must not notice. */
    @Test
    void aCameraThatFailsTouchesNoOther() throws Exception {
        Path damaged = Files.writeString(directory.resolve("damaged.mp4"), "this is no film");
        Path url = Files.writeString(directory.resolve("good2.url"), clip + "\n");
        Path config = Files.writeString(
                directory.resolve("cameras.yaml"), """
                loop: true
                realtime: true
                cameras:
                  - key: PREFIXdamaged
                    url: damaged.mp4
                  - key: PREFIXtaken
                    url: CLIP
                  - key: PREFIXgood2
                    url: "@good2.url"
                    ring: 9
                    allow-groups: []
                """.replace("PREFIX", prefix).replace("CLIP", clip.toString()));
        assertTrue(Files.exists(damaged) && Files.exists(url));
        try (StampedStream other = new StampedStream(prefix + "taken", sockets(), 6);
                Tool source = source(
                        "--camera",
                        prefix + "good1=" + clip,
                        "--camera",
                        prefix + "none=" + directory.resolve("none.mp4"),
                        "--camera",
                        prefix + "away=rtsp://adm1n:hunter2@127.0.0.1:1/none",
                        "--config",
                        config.toString(),
                        "--loop",
                        "--realtime",
                        "--progress",
                        "json")) {
            try (Tool one = reader("good1", 40);
                    Tool two = reader("good2", 40)) {
                for (Tool reader : List.of(one, two)) {
                    assertEquals(0, reader.await(), reader.err());
                    assertEquals(0, reader.json().get("torn").getAsInt(), reader.out());
                    assertEquals(0, reader.json().get("misordered").getAsInt(), reader.out()); // gaps tell of the load
                }
            }
            source.awaitError(prefix + "damaged: failed: cannot open " + damaged + ": Invalid data");
            source.awaitError(prefix + "none: failed: cannot open");
            source.awaitError(prefix + "taken: failed: ");
            source.awaitError("is published already, by process "
                    + ProcessHandle.current().pid());
            source.awaitError(
                    prefix + "away: cannot open rtsp://***@127.0.0.1:1/none: Connection refused: nothing listens there;"
                            + " check host and port, and that the camera is up; trying again in 1.0 s");
            assertTrue(source.process().isAlive(), source.err());
            source.signal("TERM");
            assertEquals(5, source.await(), source.err());
            assertEquals(0, other.publisher().published());
            assertResult(source);
        }
    }

    private void assertResult(Tool source) throws IOException {
        assertFalse(source.err().contains("hunter2") || source.out().contains("hunter2"));
        JsonObject result = source.json();
        assertEquals(4, result.get("failed").getAsInt(), result.toString());
        for (String good : List.of("good1", "good2")) {
            JsonObject camera = camera(result, good);
            assertEquals("ended", camera.get("state").getAsString());
            assertTrue(camera.get("failure").isJsonNull());
            assertTrue(camera.get("frames").getAsInt() >= 40, result.toString());
            assertEquals(1, camera.get("max_subscribers").getAsInt());
            assertTrue(camera.get("cpu_ms").getAsLong() > 0, result.toString());
        }
        for (String bad : List.of("damaged", "none", "taken", "away")) {
            assertEquals("failed", camera(result, bad).get("state").getAsString());
            assertFalse(camera(result, bad).get("failure").getAsString().isEmpty());
        }
        JsonObject progress = lastProgress(source, "good2");
        assertEquals("CPU", progress.get("decoder").getAsString());
        assertEquals(
                0,
                progress.get("vram_ring_bytes").getAsLong()
                        + progress.get("vram_decoder_bytes").getAsLong());
        assertEquals(
                9 * 147_456, progress.get("host_ring_bytes").getAsLong(), "9 slots, rows of 512 bytes, whole pages");
        assertTrue(progress.get("cpu_ms").getAsLong() > 0);
        long ofCameras = 0;
        for (JsonElement camera : result.getAsJsonArray("cameras")) {
            ofCameras += camera.getAsJsonObject().get("cpu_ms").getAsLong();
        }
        assertTrue(ofCameras <= result.get("process_cpu_ms").getAsLong() + 20, result.toString());
    }

    private JsonObject lastProgress(Tool source, String key) throws IOException {
        List<JsonObject> found = new ArrayList<>();
        for (String line : source.out().lines().toList()) {
            JsonObject object = JsonParser.parseString(line).getAsJsonObject();
            if (object.has("event")
                    && object.get("event").getAsString().equals("progress")
                    && object.get("key").getAsString().endsWith(key)) {
                found.add(object);
            }
        }
        return found.getLast();
    }

    @Test
    void theThreadsOfEachCameraBearItsName() throws Exception {
        try (Tool source =
                source("--camera", prefix + "a=" + clip, "--camera", prefix + "b=" + clip, "--loop", "--realtime")) {
            source.awaitError(prefix + "a: publishing");
            source.awaitError(prefix + "b: publishing");
            for (String key : List.of("a", "b")) { // 15 characters, as the kernel has them: the source's, the server's
                Tool.awaitThat("a source's thread", () -> source.hasThread("cuframes-" + prefix + key + "-so"));
                Tool.awaitThat("a server's thread", () -> source.hasThread("cuframes-" + prefix + key + "-se"));
            }
            source.signal("INT");
            assertEquals(0, source.await(), source.err());
            assertEquals(0, source.json().get("failed").getAsInt());
        }
    }

    @Test
    void itEndsWhenAllCamerasHave() throws Exception {
        try (Tool source = source("--camera", prefix + "a=" + clip, "--camera", prefix + "b=" + clip)) {
            assertEquals(0, source.await(), source.err());
            for (String key : List.of("a", "b")) {
                assertEquals(50, camera(source.json(), key).get("frames").getAsInt());
            }
        }
        try (Tool source = source("--camera", prefix + "a=" + clip, "--max-frames", "60")) {
            assertEquals(4, source.await(), source.err());
        }
    }

    private void assertUsageError(String expected, String... arguments) throws Exception {
        try (Tool source = source(arguments)) {
            assertEquals(2, source.await(), source.err());
            assertTrue(source.err().contains(expected), source.err());
        }
    }

    @Test
    void aCommandLineThatMakesNoSenseIsRefused() throws Exception {
        assertUsageError("give the one or the other", "--camera", "a=b", "--key", "c");
        assertUsageError("there are two cameras with the key \"a\"", "--camera", "a=b", "--camera", "a=c");
        assertUsageError("the environment has no CUFRAMES_RTSP_URL_A_1", "--camera", "a-1");
        assertUsageError("none.yaml: cannot be read", "--config", "none.yaml");
    }
}
