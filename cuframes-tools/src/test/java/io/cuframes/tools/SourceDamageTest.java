// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What {@code rtsp-source} says of a source that is damaged, and of one that is not. */
@Timeout(120)
class SourceDamageTest {
    @TempDir
    static Path clips;

    private static Path good;
    private static Path broken;

    private final String key = "source-damage-" + ProcessHandle.current().pid();

    @TempDir
    Path directory;

    @BeforeAll
    static void makeClips() throws IOException {
        good = BrokenClip.whole(clips.resolve("good.mp4"));
        broken = BrokenClip.broken(clips.resolve("broken.mp4"));
    }

    private Tool source(String... more) throws IOException {
        List<String> line = new ArrayList<>(List.of(
                "rtsp-source",
                "--transport",
                "host",
                "--decoder",
                "cpu",
                "--socket-dir",
                directory.resolve("sockets").toString()));
        line.addAll(List.of(more));
        return Tool.start(directory, line.toArray(String[]::new));
    }

    @Test
    void theErrorsOfABrokenFileAreInItsSummary() throws Exception {
        try (Tool text = source("--rtsp", broken.toString(), "--key", key + "-t");
                Tool json = source("--rtsp", broken.toString(), "--key", key + "-j", "--json")) {
            assertEquals(0, text.await(), text.err());
            assertTrue(text.out().matches("(?s).*; dropped \\d+, errors [1-9].*, at most .*"), text.out());
            assertEquals(0, json.await(), json.err());
            assertTrue(json.json().get("errors").getAsLong() > 0, json.out());
            assertTrue(json.json().get("damaged").getAsLong() >= 0, json.out());
            assertEquals(0, json.json().get("held_back").getAsLong(), json.out());
        }
    }

    @Test
    void aFileWithoutErrorsHasNoneInItsText() throws Exception {
        try (Tool text = source("--rtsp", good.toString(), "--key", key + "-t");
                Tool json = source("--rtsp", good.toString(), "--key", key + "-j", "--json", "--drop-damaged")) {
            assertEquals(0, text.await(), text.err());
            assertTrue(text.out().matches("(?s).*; dropped \\d+, at most .*"), text.out());
            assertEquals(0, json.await(), json.err());
            for (String none : List.of("errors", "damaged", "held_back")) {
                assertEquals(0, json.json().get(none).getAsLong(), none);
            }
            assertEquals(50, json.json().get("frames").getAsInt());
        }
    }

    @Test
    void eachCameraHasItsOwnCounts() throws Exception {
        try (Tool tool = source(
                "--camera",
                key + "-g=" + good,
                "--camera",
                key + "-b=" + broken,
                "--camera",
                key + "-n=" + clips.resolve("none.mp4"),
                "--realtime",
                "--progress",
                "json",
                "--json")) {
            assertEquals(5, tool.await(), tool.err()); // the one that is not there
            JsonObject[] cameras = tool.json().getAsJsonArray("cameras").asList().stream()
                    .map(camera -> camera.getAsJsonObject())
                    .toArray(JsonObject[]::new);
            assertEquals(0, cameras[0].get("errors").getAsLong(), tool.out());
            assertTrue(cameras[1].get("errors").getAsLong() > 0, tool.out());
            assertEquals(0, cameras[2].get("errors").getAsLong(), tool.out());
            for (JsonObject camera : cameras) {
                assertTrue(camera.has("damaged") && camera.has("held_back"), tool.out());
            }
            List<String> progress = tool.out()
                    .lines()
                    .filter(line -> line.startsWith("{\"event\":\"progress\""))
                    .toList();
            assertFalse(progress.isEmpty(), tool.out());
            for (String line : progress) {
                JsonObject counts = JsonParser.parseString(line).getAsJsonObject();
                assertTrue(counts.has("errors") && counts.has("damaged") && counts.has("held_back"), line);
            }
            assertTrue(tool.err().lines().anyMatch(line -> line.contains(key + "-b") && line.contains(", errors ")));
            assertFalse(tool.err().lines().anyMatch(line -> line.contains(key + "-g") && line.contains(", errors ")));
        }
    }

    @Test
    void progressOfTheOnlySourceHasTheCounts() throws Exception {
        try (Tool tool =
                source("--rtsp", broken.toString(), "--key", key, "--loop", "--realtime", "--progress", "json")) {
            tool.awaitLine("\\{\"event\":\"progress\".*\"errors\":[1-9].*\"held_back\":0.*}");
            tool.signal("TERM");
            assertEquals(0, tool.await(), tool.err());
        }
    }

    @Test
    void onlyCountsThatAreNot0AreInTheText() {
        assertEquals("", new SourceDamage(0, 0, 0).text(", "));
        assertEquals(", errors 3, damaged 20, held back 7", new SourceDamage(3, 20, 7).text(", "));
        assertEquals("  damaged 1", new SourceDamage(0, 1, 0).text("  "));
        assertEquals(
                "{\"errors\":3,\"damaged\":20,\"held_back\":7}",
                new SourceDamage(3, 20, 7).putInto(JsonLine.begin()).end().toString());
        assertEquals(new SourceDamage(0, 0, 0), SourceDamage.of(null));
    }
}
