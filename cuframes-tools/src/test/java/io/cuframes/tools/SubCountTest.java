// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.cuframes.PixelFormat;
import io.cuframes.Publisher;
import io.cuframes.Transport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The counting reader, against a publisher in this process. */
class SubCountTest {
    private final String key = "sub-count-test-" + ProcessHandle.current().pid();

    @TempDir
    Path directory;

    private Tool count(String... more) throws Exception {
        List<String> arguments = Stream.concat(
                        Stream.of("sub-count", "--key", key, "--socket-dir", directory.toString()), Stream.of(more))
                .toList();
        return Tool.start(directory, arguments.toArray(String[]::new));
    }

    @Test
    void countsFramesAndPrintsASummary() throws Exception {
        try (StampedStream stream = new StampedStream(key, directory, 64);
                Tool tool = count("--max-frames", "20", "--mode", "strict")) {
            stream.awaitSubscribers(1);
            stream.publishUntilEnd(tool, number -> number);
            assertEquals(0, tool.await(), tool.err());
            assertTrue(tool.out().startsWith(key + ": 20 frames in "), tool.out());
            assertTrue(tool.out().contains("NV12 320x192 through HOST"), tool.out());
            assertTrue(tool.out().contains("gaps 0, timeouts 0\n"), tool.out());
            assertFalse(tool.out().contains("damaged"), tool.out());
            assertTrue(tool.out().contains("latency, publish to next: p50 "), tool.out());
        }
    }

    @Test
    void printsOneJsonObjectAlone() throws Exception {
        try (StampedStream stream = new StampedStream(key, directory, 64);
                Tool tool = count("--max-frames", "20", "--mode", "strict", "--verify", "--warmup", "5", "--json")) {
            stream.awaitSubscribers(1);
            stream.publishUntilEnd(tool, number -> number);
            assertEquals(0, tool.await(), tool.err());
            assertEquals(1, tool.out().lines().count(), tool.out());
            JsonObject json = tool.json();
            assertEquals(key, json.get("key").getAsString());
            assertEquals("HOST", json.get("transport").getAsString());
            assertEquals("NV12", json.get("format").getAsString());
            assertEquals(320, json.get("width").getAsInt());
            assertEquals(192, json.get("height").getAsInt());
            assertEquals(20, json.get("frames").getAsLong());
            for (String none : List.of("gaps", "damaged", "torn", "timeouts", "unreadable", "misordered", "restarts")) {
                assertEquals(0, json.get(none).getAsLong(), none);
            }
            assertTrue(json.get("verified").getAsBoolean());
            assertTrue(json.get("capture_latency_ms").isJsonNull(), json.toString());
            assertTrue(json.get("fps").getAsDouble() > 1, json.toString());
            JsonObject latency = json.getAsJsonObject("latency_us");
            assertTrue(latency.get("p50").getAsDouble() > 0, json.toString());
            assertTrue(latency.get("p99").getAsDouble() <= latency.get("max").getAsDouble(), json.toString());
        }
    }

    @Test
    void damagedFramesAreCounted() throws Exception {
        try (StampedStream stream = new StampedStream(key, directory, 64);
                Tool text = count("--max-frames", "20", "--mode", "strict");
                Tool json = count("--max-frames", "20", "--mode", "strict", "--json", "--progress", "json")) {
            stream.awaitSubscribers(2);
            stream.damageEvery(1); // so that it does not matter which frames a slow reader gets
            stream.publishUntilEnd(text, number -> number);
            stream.publishUntilEnd(json, number -> number);
            assertEquals(0, text.await(), text.err());
            assertEquals(0, json.await(), json.err());
            assertTrue(text.out().contains(", damaged 20\n"), text.out());
            assertEquals(20, json.json().get("damaged").getAsInt(), json.out());
            JsonObject epoch = json.json().getAsJsonArray("epochs").get(0).getAsJsonObject();
            assertEquals(20, epoch.get("damaged").getAsInt(), json.out());
            assertTrue(
                    json.out()
                            .lines()
                            .filter(line -> line.startsWith("{\"event\":\"progress\""))
                            .allMatch(line -> line.contains("\"damaged\":")),
                    json.out());
        }
    }

    @Test
    void aWarmUpCountsNoDamagedFrames() throws Exception {
        try (StampedStream stream = new StampedStream(key, directory, 64);
                Tool tool = count("--max-frames", "10", "--warmup", "10", "--mode", "strict", "--json")) {
            stream.awaitSubscribers(1);
            stream.damageEvery(1);
            stream.publish(10, 1, number -> number);
            stream.damageEvery(0);
            stream.publishUntilEnd(tool, number -> number);
            assertEquals(0, tool.await(), tool.err());
            assertEquals(0, tool.json().get("damaged").getAsInt(), tool.out());
            assertEquals(10, tool.json().get("frames").getAsInt(), tool.out());
        }
    }

    @Test
    void aStrictReaderThatWasStoppedCountsWhatItMissed() throws Exception {
        try (StampedStream stream = new StampedStream(key, directory, 4);
                Tool tool =
                        count("--max-frames", "150", "--mode", "strict", "--verify", "--json", "--progress", "json")) {
            stream.awaitSubscribers(1);
            stream.publishUntilCounted(tool);
            tool.signal("STOP");
            stream.publish(50, 2, number -> number);
            tool.signal("CONT");
            stream.publishUntilEnd(tool, number -> number);
            assertEquals(0, tool.await(), tool.err());
            long gaps = tool.json().get("gaps").getAsLong();
            JsonObject epoch = tool.json().getAsJsonArray("epochs").get(0).getAsJsonObject();
            long first = epoch.get("first_seq").getAsLong();
            long between = epoch.get("last_seq").getAsLong() - first + 1 - 150;
            assertTrue(between >= 44, tool.out());
            assertTrue(gaps >= between && gaps - between < first, tool.out()); // the rest before the first
        }
    }

    @Test
    void aSilentStreamCountsTimeoutsAndGoesOn() throws Exception {
        try (StampedStream stream = new StampedStream(key, directory, 6);
                Tool tool = count("--max-frames", "2", "--timeout-ms", "200", "--json", "--progress", "json")) {
            stream.awaitSubscribers(1);
            stream.publish(1, 0, number -> number);
            Tool.awaitThat("three timeouts", () -> tool.outHas("\"timeouts\":3"));
            stream.publish(1, 0, number -> number);
            assertEquals(0, tool.await(), tool.err());
            assertTrue(tool.json().get("timeouts").getAsLong() >= 3, tool.out());
        }
    }

    /** For how long the publisher has been stalled, by the last report of progress; -1 before the first. */
    private static long stalledMillis(Tool tool) {
        try {
            return tool.out()
                    .lines()
                    .filter(line -> line.startsWith("{\"event\":\"progress\"") && line.endsWith("}"))
                    .reduce((earlier, later) -> later)
                    .map(line -> JsonParser.parseString(line)
                            .getAsJsonObject()
                            .get("publisher_stalled_ms")
                            .getAsLong())
                    .orElse(-1L);
        } catch (IOException e) {
            return -1;
        }
    }

    @Test
    void aPublisherThatStandsStillIsShownAsStalledAndReadOnAfterwards() throws Exception {
        try (Tool publisher = Tool.start(directory, StampedStream.class, key, directory.toString());
                Tool tool = count("--timeout-ms", "1000", "--json", "--progress", "json")) {
            Tool.awaitThat("frames", () -> stalledMillis(tool) == 0);
            publisher.signal("STOP");
            Tool.awaitThat("a stall", () -> stalledMillis(tool) >= 1000);
            publisher.signal("CONT");
            Tool.awaitThat("frames again", () -> stalledMillis(tool) == 0);
            tool.signal("INT");
            assertEquals(0, tool.await(), tool.err());
            assertEquals(0, tool.json().get("reconnects").getAsInt());
            publisher.signal("KILL");
        } finally {
            Files.deleteIfExists(Path.of("/dev/shm/cuframes-" + key));
        }
    }

    @Test
    void noPublisherIsSaidSo() throws Exception {
        try (Tool tool = count("--connect-timeout-ms", "200")) {
            assertEquals(3, tool.await());
            assertTrue(tool.err().startsWith("cuframes: no publisher of \"" + key + "\" within 200 ms"), tool.err());
            assertEquals(1, tool.err().lines().count(), tool.err());
            assertEquals("", tool.out());
        }
    }

    @Test
    void aSignalEndsTheWaitForAPublisher() throws Exception {
        try (Tool tool = count("--connect-timeout-ms", "60000", "--until-stdin-ends")) {
            // Made after the command has begun to listen for signals, and before it waits.
            Tool.awaitThat("its thread that watches standard input", () -> tool.hasThread("cuframes-stdin"));
            tool.signal("INT");
            assertEquals(3, tool.await());
            assertTrue(tool.err().contains("stopped before there was a publisher"), tool.err());
        }
    }

    @Test
    void aStreamThatEndsTooEarlyIsSaidSo() throws Exception {
        try (StampedStream stream = new StampedStream(key, directory, 6);
                Tool tool = count("--max-frames", "1000")) {
            stream.awaitSubscribers(1);
            stream.publish(10, 10, number -> number);
            stream.close();
            assertEquals(4, tool.await(), tool.err());
            assertTrue(tool.err().contains("of 1000 frames counted"), tool.err());
            assertTrue(tool.out().startsWith(key + ": "), tool.out());
        }
    }

    @Test
    void withoutALimitTheEndOfTheStreamIsFine() throws Exception {
        try (StampedStream stream = new StampedStream(key, directory, 6);
                Tool tool = count()) {
            stream.awaitSubscribers(1);
            stream.publish(10, 10, number -> number);
            stream.close();
            assertEquals(0, tool.await(), tool.err());
        }
    }

    @Test
    void aPublisherThatIsKilledIsSaidSo() throws Exception {
        try (Tool publisher = Tool.start(directory, StampedStream.class, key, directory.toString());
                Tool tool = count()) {
            tool.awaitError("reading \"" + key + "\"");
            publisher.signal("KILL");
            assertEquals(4, tool.await());
            assertTrue(tool.err().contains("(process " + publisher.pid() + ") died"), tool.err());
        } finally {
            Files.deleteIfExists(Path.of("/dev/shm/cuframes-" + key));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"INT", "TERM"})
    void aSignalEndsItWithASummary(String signal) throws Exception {
        try (StampedStream stream = new StampedStream(key, directory, 6);
                Tool tool = count("--json", "--progress", "json")) {
            stream.awaitSubscribers(1);
            stream.publishUntilCounted(tool);
            tool.signal(signal);
            assertEquals(0, tool.await(), tool.err());
            assertTrue(tool.json().get("frames").getAsLong() > 0, tool.out());
            stream.awaitSubscribers(0);
        }
    }

    @Test
    void endsWithItsStandardInput() throws Exception {
        try (StampedStream stream = new StampedStream(key, directory, 6);
                Tool tool = count("--until-stdin-ends")) {
            tool.awaitError("reading");
            assertTrue(tool.process().isAlive());
            tool.process().getOutputStream().close();
            assertEquals(0, tool.await(), tool.err());
            stream.awaitSubscribers(0);
        }
    }

    @Test
    void countsOnOverAChangeOfFormat() throws Exception {
        try (StampedStream stream = new StampedStream(key, directory, 64);
                Tool tool = count(
                        "--reconnect",
                        "--max-frames",
                        "40",
                        "--mode",
                        "strict",
                        "--verify",
                        "--json",
                        "--progress",
                        "json")) {
            stream.awaitSubscribers(1);
            stream.damageEvery(10);
            stream.publish(20, 5, number -> number);
            stream.damageEvery(0);
            stream.reopen(640, 384);
            stream.awaitSubscribers(1);
            stream.publishUntilEnd(tool, number -> number);
            assertEquals(0, tool.await(), tool.err());
            JsonObject json = tool.json();
            assertEquals(40, json.get("frames").getAsLong());
            assertEquals(0, json.get("gaps").getAsLong());
            assertEquals(
                    0, json.get("misordered").getAsLong() + json.get("torn").getAsLong(), json.toString());
            assertEquals(1, json.get("reconnects").getAsInt());
            assertEquals(640, json.get("width").getAsInt());
            JsonArray epochs = json.getAsJsonArray("epochs");
            assertEquals(2, epochs.size());
            assertEpoch(epochs.get(0), 320, 20, "FORMAT_CHANGED");
            assertEpoch(epochs.get(1), 640, 20, null);
            assertEquals(2, json.get("damaged").getAsInt(), tool.out());
            assertEquals(2, epochs.get(0).getAsJsonObject().get("damaged").getAsInt(), tool.out());
            assertEquals(0, epochs.get(1).getAsJsonObject().get("damaged").getAsInt(), tool.out());
            assertTrue(tool.err().contains("lost: \"" + key + "\" is over after frame 20"), tool.err());
            assertTrue(tool.err().contains("is published again, NV12 640x384, epoch"), tool.err());
            assertTrue(tool.out().contains("\"event\":\"lost\""), tool.out());
        }
    }

    private static void assertEpoch(JsonElement element, int width, long frames, String end) {
        JsonObject epoch = element.getAsJsonObject();
        assertEquals(width, epoch.get("width").getAsInt());
        assertEquals(frames, epoch.get("frames").getAsLong());
        assertEquals(0, epoch.get("gaps").getAsLong());
        assertEquals(
                frames,
                epoch.get("last_seq").getAsLong() - epoch.get("first_seq").getAsLong() + 1);
        assertEquals(
                end, epoch.get("end").isJsonNull() ? null : epoch.get("end").getAsString());
    }

    @Test
    void aReaderThatReconnectsOutlivesAPublisherThatIsKilled() throws Exception {
        try (Tool tool = count("--reconnect", "--json")) {
            try (Tool first = Tool.start(directory, StampedStream.class, key, directory.toString())) {
                tool.awaitError("reading \"" + key + "\"");
                first.signal("KILL");
                tool.awaitError("(process " + first.pid() + ") died");
            }
            try (StampedStream second = new StampedStream(key, directory, 6)) {
                tool.awaitError("is published again");
                second.publish(5, 10, number -> number);
                tool.signal("INT");
                assertEquals(0, tool.await(), tool.err());
            }
            JsonArray epochs = tool.json().getAsJsonArray("epochs");
            assertEquals(2, epochs.size(), tool.out());
            assertEquals("DIED", epochs.get(0).getAsJsonObject().get("end").getAsString());
            assertTrue(epochs.get(1).getAsJsonObject().get("frames").getAsInt() > 0, tool.out());
        }
    }

    @Test
    void tellsHowLongAgoFramesWereTaken() throws Exception {
        try (StampedStream stream = new StampedStream(key, directory, 6);
                Tool tool = count("--max-frames", "1", "--json")) {
            stream.awaitSubscribers(1);
            stream.publishTaken(Instant.now().minusSeconds(100));
            assertEquals(0, tool.await(), tool.err());
            JsonObject latency = tool.json().getAsJsonObject("capture_latency_ms");
            assertEquals(1, latency.get("frames").getAsInt());
            assertEquals(100_000, latency.get("mean").getAsDouble(), 10_000);
            assertTrue(tool.err().contains("capture to next"), tool.err());
        }
    }

    @Test
    void repeatedStampsFailVerification() throws Exception {
        try (StampedStream stream = new StampedStream(key, directory, 6);
                Tool tool = count("--max-frames", "20", "--mode", "strict", "--verify", "--json")) {
            stream.awaitSubscribers(1);
            stream.publishUntilEnd(tool, number -> number / 2);
            assertEquals(6, tool.await());
            assertTrue(tool.json().get("misordered").getAsLong() >= 9, tool.out());
            assertTrue(tool.err().contains("cuframes: verification of \"" + key + "\" failed: torn 0"), tool.err());
        }
    }

    @Test
    void framesThatCannotHoldANumberAreNotVerified() throws Exception {
        try (Publisher publisher = Publisher.builder(key)
                        .size(320, 192)
                        .format(PixelFormat.P010)
                        .transport(Transport.HOST)
                        .socketDirectory(directory)
                        .open();
                Tool tool = count("--verify")) {
            assertEquals(5, tool.await());
            assertTrue(tool.err().contains("this stream is P010 320x192: leave out --verify"), tool.err());
            assertEquals(0, publisher.published());
        }
    }

    @Test
    void tornFramesFailVerification() throws Exception {
        try (StampedStream stream = new StampedStream(key, directory, 6);
                Tool tool =
                        count("--max-frames", "150", "--mode", "strict", "--verify", "--json", "--progress", "json")) {
            stream.awaitSubscribers(1);
            stream.publishUntilCounted(tool);
            stream.publishTorn();
            stream.publishUntilEnd(tool, number -> number);
            assertEquals(6, tool.await());
            assertEquals(1, tool.json().get("torn").getAsLong(), tool.out());
            assertEquals(0, tool.json().get("misordered").getAsLong(), tool.out());
        }
    }

    @Test
    void anIllegalKeyIsAUsageError() throws Exception {
        try (Tool tool = Tool.start(directory, "sub-count", "--key", "no/such")) {
            assertEquals(2, tool.await());
            assertTrue(tool.err().startsWith("cuframes: --key: illegal key \"no/such\""), tool.err());
            assertFalse(tool.err().contains("\tat "), tool.err());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--mode=fast",
                "--max-frames=many",
                "--max-frames=-1",
                "--timeout-ms=0",
                "--connect-timeout-ms=-1",
                "--key=no/such",
                "--no-such-option"
            })
    void aBadOptionIsAUsageErrorThatNamesIt(String option) throws Exception {
        try (Tool tool = count(option)) {
            assertEquals(2, tool.await());
            assertTrue(tool.err().contains(option.replaceFirst("=.*", "")), tool.err());
            assertTrue(tool.err().contains("See: cuframes sub-count --help"), tool.err());
        }
    }
}
