// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole path: pattern, RTSP, one decoding process, several reading ones. */
class DemoTest {
    @TempDir
    Path directory;

    private static boolean segmentOf(long demo) {
        return Files.exists(Path.of("/dev/shm/cuframes-demo-" + demo));
    }

    /** The directories of demos' sockets. */
    private static List<Path> socketDirectories() throws IOException {
        try (Stream<Path> all = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return all.filter(path -> path.getFileName().toString().startsWith("cuframes-demo-"))
                    .sorted()
                    .toList();
        }
    }

    private static List<ProcessHandle> children(Tool demo) {
        return demo.process().descendants().toList();
    }

    @Test
    void everySubscriberReadsEveryFrameOfOneDecode() throws Exception {
        List<Path> before = socketDirectories();
        try (Tool demo = Tool.start(directory, "demo", "--seconds", "3", "--json")) {
            assertEquals(0, demo.await(), demo.err());
            JsonObject json = demo.json();
            assertTrue(json.get("ok").getAsBoolean(), demo.out());
            assertEquals(3, json.getAsJsonArray("subscribers").size());
            for (JsonElement each : json.getAsJsonArray("subscribers")) {
                JsonObject subscriber = each.getAsJsonObject();
                assertEquals(75, subscriber.get("frames").getAsInt(), each.toString());
                assertEquals(0, subscriber.get("torn").getAsInt(), each.toString());
                assertEquals(0, subscriber.get("gaps").getAsInt(), each.toString());
                assertTrue(
                        subscriber.get("fps").getAsDouble() > 0, each.toString()); // how many is the machine's affair
            }
            assertEquals(225, json.get("frames").getAsInt());
            assertTrue(
                    json.get("verdict").getAsString().startsWith("OK: 3 subscribers read 225 frames of one decode"),
                    demo.out());
            assertFalse(segmentOf(demo.pid()));
            assertEquals(before, socketDirectories());
        }
    }

    @Test
    void noChildOutlivesADemoThatIsKilled() throws Exception {
        List<Path> before = socketDirectories();
        try (Tool demo = Tool.start(directory, "demo", "--seconds", "60", "--size", "320x192")) {
            Tool.awaitThat("the stream is published", () -> segmentOf(demo.pid()));
            List<ProcessHandle> children = children(demo);
            assertEquals(4, children.size());
            demo.signal("KILL");
            demo.await();
            Tool.awaitThat("the children are gone", () -> children.stream().noneMatch(ProcessHandle::isAlive));
            assertFalse(segmentOf(demo.pid()));
            assertEquals(before, socketDirectories());
        }
    }

    @Test
    void aSignalEndsItAndItsChildren() throws Exception {
        List<Path> before = socketDirectories();
        try (Tool demo = Tool.start(directory, "demo", "--seconds", "60", "--size", "320x192")) {
            Tool.awaitThat("the stream is published", () -> segmentOf(demo.pid()));
            List<ProcessHandle> children = children(demo);
            demo.signal("INT");
            assertEquals(0, demo.await(), demo.err());
            assertTrue(demo.out().contains("STOPPED: 3 subscribers read "), demo.out());
            assertTrue(children.stream().noneMatch(ProcessHandle::isAlive));
            assertFalse(segmentOf(demo.pid()));
            assertEquals(before, socketDirectories());
        }
    }

    @Test
    void aSubscriberThatDiesFailsTheDemoAndIsNamed() throws Exception {
        try (Tool demo = Tool.start(directory, "demo", "--seconds", "60", "--size", "320x192")) {
            Tool.awaitThat("the stream is published", () -> segmentOf(demo.pid()));
            ProcessHandle reader = children(demo).stream()
                    .filter(child -> child.info().commandLine().orElse("").contains("sub-count"))
                    .findFirst()
                    .orElseThrow();
            reader.destroyForcibly();
            assertEquals(5, demo.await(), demo.err());
            assertTrue(demo.out().contains("FAILED: subscriber "), demo.out());
        }
    }

    @Test
    void anOddSizeIsAUsageError() throws Exception {
        try (Tool demo = Tool.start(directory, "demo", "--size", "641x480")) {
            assertEquals(2, demo.await());
            assertTrue(demo.err().contains("--size is 641x480"), demo.err());
        }
    }
}
