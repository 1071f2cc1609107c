// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.cuframes.Frame;
import io.cuframes.Publisher;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The list of streams, with publishers in this process and others, and with what only looks like one. */
class ListTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** What was published once is live, and after 2 seconds stalled: the list may take that long to start. */
    private static final String PUBLISHED = "(live|stalled)";

    private final String key = "list-test-" + ProcessHandle.current().pid();

    @TempDir
    Path directory;

    private Tool list(String... more) throws Exception {
        List<String> arguments = Stream.concat(Stream.of("list", "--socket-dir", directory.toString()), Stream.of(more))
                .toList();
        return Tool.start(directory, arguments.toArray(String[]::new));
    }

    private Publisher publisher(String name) {
        return Publisher.builder(name)
                .socketDirectory(directory)
                .transport(Transport.HOST)
                .slots(4)
                .size(64, 48)
                .open();
    }

    private static void publish(Publisher publisher) {
        try (WritableFrame frame = publisher.acquire()) {
            frame.publish(publisher.published());
        }
    }

    private static void publishDamaged(Publisher publisher) {
        try (WritableFrame frame = publisher.acquire()) {
            frame.damaged(true).publish(publisher.published());
        }
    }

    private static JsonObject stream(Tool tool, String name) throws Exception {
        JsonArray streams = tool.json().getAsJsonArray("streams");
        for (JsonElement each : streams) {
            if (each.getAsJsonObject().get("key").getAsString().equals(name)) {
                return each.getAsJsonObject();
            }
        }
        throw new AssertionError(name + " is not in " + streams);
    }

    @Test
    void noStreamsIsAnAnswer() throws Exception {
        try (Tool tool = list("--interval", "0")) {
            assertEquals(0, tool.await(), tool.err());
            assertEquals("no streams in " + directory + "\n", tool.out());
        }
    }

    @Test
    void streamsAreSortedWithTheirReadersAndWhatElseHasAName() throws Exception {
        Impostor.leaveSocket(directory.resolve(key + "-b.sock"));
        Files.createFile(directory.resolve(key + "-e.sock"));
        try (Publisher live = publisher(key + "-d");
                Publisher idle = publisher(key + "-a");
                Impostor other = new Impostor(directory.resolve(key + "-c.sock"), Impostor.fromTheFuture());
                Impostor silent = new Impostor(directory.resolve(key + "-f.sock"), null);
                Subscriber reader = Subscriber.builder(key + "-d")
                        .socketDirectory(directory)
                        .mode(SubscriberMode.STRICT_ORDER)
                        .name("recorder")
                        .open()) {
            idle.setIdle(true);
            Tool.awaitThat("it reads", () -> live.subscribers() == 1);
            publish(live);
            publish(live);
            try (Frame frame = reader.next(PATIENCE);
                    Tool tool = list("--interval", "0");
                    Tool json = list("--interval", "0", "--json")) {
                assertEquals(0, tool.await(), tool.err());
                String pid = Long.toString(ProcessHandle.current().pid());
                List<String> lines = tool.out().lines().toList();
                assertTrue(lines.get(0).startsWith("KEY "), tool.out());
                List<String> keys = lines.stream()
                        .filter(line -> line.startsWith(key))
                        .map(line -> line.substring(key.length(), key.length() + 2))
                        .toList();
                assertEquals(List.of("-a", "-b", "-c", "-d", "-e", "-f"), keys);
                assertTrue(has(lines, key + "-a +idle +64x48 +NV12 +host +- +\\S+ +0/4 +0/\\d+"), tool.out());
                assertTrue(
                        has(lines, key + "-d +" + PUBLISHED + " +64x48 +NV12 +host +- +\\S+ +1/4 +1/\\d+"), tool.out());
                assertTrue(
                        has(
                                lines,
                                "  1 recorder, process " + pid
                                        + ", strict-order: lag 1, held 1 \\(\\d+\\.\\d s\\), received 1, missed 0"),
                        tool.out());
                assertTrue(has(lines, key + "-b +dead .*"), tool.out());
                assertTrue(tool.out().contains("rm " + directory.resolve(key + "-b.sock")), tool.out());
                assertTrue(has(lines, key + "-c +version .*"), tool.out());
                assertTrue(tool.out().contains("speaks protocol version 2.0, and this is 1.1"), tool.out());
                assertTrue(has(lines, key + "-e +no-socket .*"), tool.out());
                assertTrue(has(lines, key + "-f +silent .*"), tool.out());

                assertEquals(0, json.await(), json.err());
                assertEquals(1, json.out().lines().count(), json.out());
                JsonObject stream = stream(json, key + "-d");
                assertTrue(stream.get("state").getAsString().matches(PUBLISHED), stream.toString());
                assertEquals(64, stream.get("width").getAsInt());
                assertEquals("HOST", stream.get("transport").getAsString());
                assertEquals(
                        JsonParser.parseString(live.stats().toJson())
                                .getAsJsonObject()
                                .get("epoch"),
                        stream.get("epoch"),
                        "one notation everywhere");
                assertEquals(2, stream.get("published_frames").getAsInt());
                assertEquals(1, stream.get("slots_in_use").getAsInt());
                JsonObject subscriber =
                        stream.getAsJsonArray("subscribers").get(0).getAsJsonObject();
                assertEquals("recorder", subscriber.get("name").getAsString());
                assertEquals(1, subscriber.get("lag_frames").getAsInt());
                assertEquals(1, subscriber.get("held_leases").getAsInt());
                assertTrue(subscriber.get("held_ms").getAsLong() >= 0);
                assertEquals("dead", stream(json, key + "-b").get("state").getAsString());
                assertTrue(stream(json, key + "-b").get("remedy").getAsString().contains("rm "));
                assertEquals(1, frame.seq());
                assertEquals(1, live.subscribers());
                assertEquals(0, idle.subscribers());
            }
        }
    }

    private static boolean has(List<String> lines, String pattern) {
        return lines.stream().anyMatch(line -> line.matches(pattern));
    }

    @Test
    void damagedFramesAreShown() throws Exception {
        try (Publisher good = publisher(key + "-a");
                Publisher bad = publisher(key + "-b")) {
            publish(good);
            publish(bad);
            publishDamaged(bad);
            publishDamaged(bad);
            try (Tool tool = list("--interval", "0");
                    Tool json = list("--interval", "0", "--json")) {
                assertEquals(0, tool.await(), tool.err());
                List<String> lines = tool.out().lines().toList();
                List<String> told =
                        lines.stream().filter(line -> line.contains("damaged")).toList();
                assertEquals(
                        List.of("  2 of 3 frames published are damaged: their pixels may be wrong"), told, tool.out());
                assertTrue(tool.out().indexOf(key + "-b") < tool.out().indexOf(told.getFirst()), tool.out());
                assertEquals(0, json.await(), json.err());
                assertEquals(0, stream(json, key + "-a").get("damaged_frames").getAsInt());
                assertEquals(2, stream(json, key + "-b").get("damaged_frames").getAsInt());
            }
        }
    }

    @Test
    void aProcessThatPublishesIsWatchedUntilInterruptAndThenDead() throws Exception {
        try (Tool publisher = Tool.start(directory, StampedStream.class, key, directory.toString(), "6");
                Tool watch = list("--watch", "--json", "--interval", "0.2")) {
            Tool.awaitThat(
                    "it is live, with a rate", () -> rates(watch).stream().anyMatch(rate -> rate > 1));
            publisher.signal("STOP");
            Tool.awaitThat("it is silent", () -> watch.outHas("\"silent\""));
            publisher.signal("CONT");
            publisher.signal("KILL");
            Tool.awaitThat("it is dead", () -> watch.outHas("\"dead\""));
            watch.signal("INT");
            assertEquals(0, watch.await(), watch.err());
            watch.out()
                    .lines()
                    .forEach(line -> assertTrue(JsonParser.parseString(line).isJsonObject(), line));
        } finally {
            Files.deleteIfExists(Path.of("/dev/shm/cuframes-" + key));
        }
    }

    private List<Double> rates(Tool watch) {
        List<Double> rates = new ArrayList<>();
        try {
            List<String> lines =
                    watch.out().lines().filter(line -> line.endsWith("}")).toList();
            for (String line : lines) {
                for (JsonElement each :
                        JsonParser.parseString(line).getAsJsonObject().getAsJsonArray("streams")) {
                    JsonElement rate = each.getAsJsonObject().get("fps");
                    if (rate != null && !rate.isJsonNull()) {
                        rates.add(rate.getAsDouble());
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return rates;
    }

    @Test
    void aStreamThatStandsStillIsCalledStalled() throws Exception {
        try (Publisher publisher = publisher(key)) {
            publish(publisher);
            Tool.awaitThat("stalled", () -> {
                try (Tool tool = list("--interval", "0")) {
                    assertEquals(0, tool.await(), tool.err());
                    return tool.out().contains(" stalled ") && tool.out().contains("no new frame for ");
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            });
            assertEquals(0, publisher.subscribers());
        }
    }

    @Test
    void aDirectoryWithoutPermissionIsNamedAndKnownKeysAreTried() throws Exception {
        Path closed = Files.createTempDirectory("cuframes-closed");
        try (OtherUser other = new OtherUser();
                Publisher publisher = Publisher.builder(key)
                        .socketDirectory(closed)
                        .transport(Transport.HOST)
                        .size(64, 48)
                        .open()) {
            String[] line = {"list", "--interval", "0", "--socket-dir", closed.toString()};
            Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
            try (Tool tool = other.start(directory, line)) {
                assertEquals(5, tool.await(), tool.out());
                assertTrue(
                        tool.out().contains(closed + " cannot be listed by user 54321 (mode 700, user 0"), tool.out());
                assertFalse(tool.out().contains(key), tool.out());
            }
            Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx--x--x"));
            try (Tool tool = other.start(directory, line)) {
                assertEquals(0, tool.await(), tool.out());
                assertTrue(has(tool.out().lines().toList(), key + " +closed .*"), tool.out());
                assertTrue(tool.out().contains("is closed to user 54321"), tool.out());
            }
            assertEquals(0, publisher.subscribers());
        } finally {
            Files.deleteIfExists(closed);
        }
    }

    @Test
    void aCommandLineThatMakesNoSenseIsRefused() throws Exception {
        try (Tool tool = list("--watch", "--interval", "0")) {
            assertEquals(2, tool.await());
            assertTrue(tool.err().contains("--watch needs an --interval above 0"), tool.err());
        }
    }
}
