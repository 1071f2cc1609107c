// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.net.httpserver.HttpServer;
import io.cuframes.javacv.TestPatternWriter;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code rtsp-source --on-demand}, between real processes. */
@Timeout(120)
class OnDemandTest {
    private final String key = "on-demand-test-" + ProcessHandle.current().pid();

    @TempDir
    Path directory;

    private Path clip;

    @BeforeEach
    void makeAClip() {
        clip = directory.resolve("clip.mp4");
        writeClip(320, 192);
    }

    private void writeClip(int width, int height) {
        try (TestPatternWriter writer = TestPatternWriter.builder(clip.toString())
                .size(width, height)
                .fps(25)
                .open()) {
            for (int i = 0; i < 50; i++) {
                writer.write();
            }
        }
    }

    private Tool tool(String command, String... more) throws IOException {
        Stream<String> common = Stream.of(
                command, "--socket-dir", directory.resolve("sockets").toString(), "--json", "--progress", "json");
        return Tool.start(directory, Stream.concat(common, Stream.of(more)).toArray(String[]::new));
    }

    private Tool source(String linger, String... camera) throws IOException {
        return tool(
                "rtsp-source",
                Stream.concat(
                                Stream.of(camera),
                                Stream.of(
                                        "--transport",
                                        "host",
                                        "--decoder",
                                        "cpu",
                                        "--loop",
                                        "--realtime",
                                        "--on-demand",
                                        "--linger",
                                        linger))
                        .toArray(String[]::new));
    }

    private Tool reader(String... more) throws IOException {
        return tool(
                "sub-count",
                Stream.concat(Stream.of("--key", key), Stream.of(more)).toArray(String[]::new));
    }

    private static List<JsonObject> events(Tool tool) {
        try {
            return tool.out()
                    .lines()
                    .filter(line -> line.endsWith("}")) // the last may not be whole yet
                    .map(line -> JsonParser.parseString(line).getAsJsonObject())
                    .filter(object -> object.has("event"))
                    .toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    private static long count(Tool source, String event) {
        return events(source).stream()
                .filter(object -> object.get("event").getAsString().equals(event))
                .count();
    }

    private static void awaitEvents(Tool source, String event, int times) throws InterruptedException {
        Tool.awaitThat(times + " times " + event, () -> count(source, event) >= times);
    }

    /** What the source has published, by its latest word; -1 before the first. */
    private static long frames(Tool source) {
        return events(source).stream()
                .filter(object -> object.get("event").getAsString().equals("progress"))
                .map(object -> object.get("frames").getAsLong())
                .reduce(-1L, (before, latest) -> latest);
    }

    private static void awaitFreshProgress(Tool source) throws InterruptedException {
        long before = count(source, "progress");
        Tool.awaitThat("two more words of progress", () -> count(source, "progress") >= before + 2);
    }

    private boolean hasTheClipOpen(Tool source) {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/" + source.pid() + "/fd"))) {
            return descriptors
                    .map(descriptor -> {
                        try {
                            return Files.readSymbolicLink(descriptor);
                        } catch (IOException e) {
                            return null; // closed meanwhile
                        }
                    })
                    .filter(Objects::nonNull)
                    .anyMatch(clip::equals);
        } catch (IOException e) {
            return false;
        }
    }

    private void decodesWhileSomebodyReads(Tool source) throws Exception {
        awaitEvents(source, "idle", 1);
        awaitFreshProgress(source);
        assertEquals(0, frames(source), "nobody reads");
        Tool.awaitThat("the clip is closed", () -> !hasTheClipOpen(source));

        try (Tool reader = reader("--mode", "strict", "--verify", "--max-frames", "20")) {
            assertEquals(0, reader.await(), reader.err());
            JsonObject read = reader.json();
            assertEquals(0, read.get("gaps").getAsInt() + read.get("torn").getAsInt(), reader.out());
            assertEquals(
                    1,
                    read.getAsJsonArray("epochs")
                            .get(0)
                            .getAsJsonObject()
                            .get("first_seq")
                            .getAsInt());
            assertTrue(hasTheClipOpen(source) || count(source, "idle") == 2);
        }
        awaitEvents(source, "idle", 2);
        awaitFreshProgress(source);
        long published = frames(source);
        assertTrue(published >= 20, source.out());
        awaitFreshProgress(source);
        assertEquals(published, frames(source), "nobody reads any more");
        Tool.awaitThat("the clip is closed", () -> !hasTheClipOpen(source));

        // One that comes now sees no frame of before; one that is killed has gone.
        try (Tool reader = reader("--verify")) {
            Tool.awaitThat("it reads", () -> reader.outHas("\"event\":\"progress\"") && readerFrames(reader) > 0);
            reader.signal("KILL");
            reader.await();
            assertEquals(3, count(source, "idle") + 1, "it has not lingered yet: " + source.out());
        }
        awaitEvents(source, "idle", 3);
        awaitFreshProgress(source);
        published = frames(source);
        try (Tool reader = reader("--max-frames", "1")) {
            assertEquals(0, reader.await(), reader.err());
            assertTrue(firstSeq(reader) > published, "a frame of before: " + reader.out());
            assertEquals(0, reader.json().get("gaps").getAsInt(), reader.out());
        }
        source.signal("TERM");
        assertEquals(0, source.await(), source.err());
    }

    private static long firstSeq(Tool reader) throws IOException {
        return reader.json()
                .getAsJsonArray("epochs")
                .get(0)
                .getAsJsonObject()
                .get("first_seq")
                .getAsLong();
    }

    private static long readerFrames(Tool reader) {
        return events(reader).stream()
                .filter(object -> object.has("frames"))
                .map(object -> object.get("frames").getAsLong())
                .reduce(0L, (before, latest) -> latest);
    }

    @Test
    void oneCameraIsDecodedWhileSomebodyReads() throws Exception {
        try (Tool source = source("2", "--key", key, "--rtsp", clip.toString())) {
            decodesWhileSomebodyReads(source);
            assertEquals(3, source.json().get("starts").getAsInt(), source.out());
        }
    }

    @Test
    void oneOfSeveralCamerasIsDecodedWhileSomebodyReads() throws Exception {
        try (Tool source = source("2", "--camera", key + "=" + clip)) {
            decodesWhileSomebodyReads(source);
            JsonObject camera = source.json().getAsJsonArray("cameras").get(0).getAsJsonObject();
            assertEquals(3, camera.get("starts").getAsInt(), source.out());
        }
    }

    /** What the camera sends may change while nobody looks. */
    @Test
    void aReaderFollowsWhereTheFormatHasChangedMeanwhile() throws Exception {
        try (Tool source = source("5", "--key", key, "--rtsp", clip.toString())) {
            awaitEvents(source, "idle", 1);
            writeClip(640, 384);
            try (Tool reader = reader("--reconnect", "--verify", "--mode", "strict", "--max-frames", "10")) {
                assertEquals(0, reader.await(), reader.err());
                assertEquals(640, reader.json().get("width").getAsInt(), reader.out());
                assertEquals(0, reader.json().get("torn").getAsInt(), reader.out());
            }
            source.signal("TERM");
            assertEquals(0, source.await(), source.err());
            assertEquals(2, source.json().get("epochs").getAsInt(), source.out());
        }
    }

    /** A server that has the clip, at a port that is the same each time. */
    private HttpServer serve(int port) throws IOException {
        byte[] bytes = Files.readAllBytes(clip);
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 4);
        server.createContext("/cam.ts", exchange -> {
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        server.start();
        return server;
    }

    /** A camera that is away when somebody comes: the reader is told of a stall, the source goes on trying, and gives it up with the reader. */
    @Test
    void aCameraThatIsAwayIsTriedForAsLongAsSomebodyReads() throws Exception {
        clip = directory.resolve("cam.ts");
        writeClip(320, 192);
        HttpServer server = serve(0);
        int port = server.getAddress().getPort();
        try (Tool source = source("0.1", "--key", key, "--rtsp", "http://127.0.0.1:" + port + "/cam.ts")) {
            awaitEvents(source, "idle", 1);
            server.stop(0);
            try (Tool reader = reader()) {
                source.awaitError("the input is lost: cannot open http://127.0.0.1:" + port + "/cam.ts");
                Tool.awaitThat(
                        "it is told of a stall",
                        () -> events(reader).stream()
                                .filter(object -> object.has("publisher_stalled_ms"))
                                .anyMatch(object ->
                                        object.get("publisher_stalled_ms").getAsLong() > 0));
                reader.signal("KILL");
                reader.await();
            }
            awaitEvents(source, "idle", 2);
            try (Tool reader = reader("--max-frames", "5", "--verify", "--mode", "strict")) {
                awaitEvents(source, "starting", 2);
                server = serve(port);
                assertEquals(0, reader.await(), reader.err());
                assertEquals(0, reader.json().get("gaps").getAsInt(), reader.out());
            }
            source.signal("TERM");
            assertEquals(0, source.await(), source.err());
        } finally {
            server.stop(0);
        }
    }
}
