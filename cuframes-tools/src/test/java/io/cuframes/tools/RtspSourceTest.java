// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.cuframes.javacv.TestPatternWriter;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The publishing command, on files that it decodes on the CPU. */
class RtspSourceTest {
    private static final int FRAMES = 50;

    @TempDir
    static Path clips;

    private static Path clip;

    private final String key = "rtsp-source-test-" + ProcessHandle.current().pid();

    @TempDir
    Path directory;

    private Path sockets() {
        return directory.resolve("sockets");
    }

    @BeforeAll
    static void makeAClip() {
        clip = makeAClip("clip.mp4", 320, 192, FRAMES);
    }

    private static Path makeAClip(String name, int width, int height, int frames) {
        Path file = clips.resolve(name);
        try (TestPatternWriter writer = TestPatternWriter.builder(file.toString())
                .size(width, height)
                .fps(25)
                .open()) {
            for (int i = 0; i < frames; i++) {
                writer.write();
            }
        }
        return file;
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        assertFalse(Files.exists(Path.of("/dev/shm/cuframes-" + key)));
        if (Files.exists(sockets())) {
            try (Stream<Path> left = Files.list(sockets())) {
                assertEquals(
                        List.of(),
                        left.filter(path -> path.toString().endsWith(".sock")).toList());
            }
        }
    }

    private Tool source(String url, String... more) throws Exception {
        return tool(
                "rtsp-source",
                Stream.concat(Stream.of("--rtsp", url, "--transport", "host", "--decoder", "cpu"), Stream.of(more)));
    }

    /** A reader that starts before its source, which is slow to start where the machine is busy. */
    private Tool reader(String... more) throws Exception {
        return tool("sub-count", Stream.concat(Stream.of("--connect-timeout-ms", "60000", "--json"), Stream.of(more)));
    }

    private Tool tool(String command, Stream<String> more) throws Exception {
        Stream<String> common =
                Stream.of(command, "--key", key, "--socket-dir", sockets().toString());
        return Tool.start(directory, Stream.concat(common, more).toArray(String[]::new));
    }

    @Test
    void aReaderGetsTheFramesOfAFile() throws Exception {
        try (Tool reader = reader("--mode", "strict", "--verify");
                Tool source = source(clip.toString(), "--realtime", "--json")) {
            assertEquals(0, source.await(), source.err());
            assertEquals(0, reader.await(), reader.err());
            JsonObject published = source.json();
            assertEquals(FRAMES, published.get("frames").getAsInt(), source.out());
            assertEquals(0, published.get("dropped").getAsInt());
            assertEquals("CPU", published.get("decoder").getAsString());
            assertTrue(
                    source.err().contains("subscriber 1 (sub-count, process " + reader.pid() + ") is here"),
                    source.err());
            JsonObject read = reader.json();
            assertTrue(read.get("frames").getAsInt() >= 1, reader.out()); // how many depends on when it came in
            assertEquals(0, read.get("torn").getAsInt() + read.get("misordered").getAsInt(), reader.out());
        }
    }

    @Test
    void aFileThatLoopsIsARestartAndNoError() throws Exception {
        try (Tool reader = reader("--max-frames", "80", "--mode", "strict", "--verify");
                Tool source = source(clip.toString(), "--realtime", "--loop")) {
            assertEquals(0, reader.await(), reader.err());
            assertTrue(reader.json().get("restarts").getAsInt() >= 1, reader.out());
            source.signal("TERM");
            assertEquals(0, source.await(), source.err());
            assertTrue(source.out().startsWith(key + ": "), source.out());
        }
    }

    /** The file loops, so that it does not matter where the reader comes in: it sees two changes at least. */
    @Test
    void aReaderFollowsWhereTheFrameSizeChanges() throws Exception {
        Path both = clips.resolve("both.ts");
        Files.write(both, Files.readAllBytes(makeAClip("small.ts", 320, 192, FRAMES / 2)));
        Files.write(both, Files.readAllBytes(makeAClip("large.ts", 640, 384, FRAMES / 2)), StandardOpenOption.APPEND);
        try (Tool reader = reader("--reconnect", "--mode", "strict", "--verify", "--max-frames", "60");
                Tool source = source(
                        both.toString(),
                        "--realtime",
                        "--loop",
                        "--ring",
                        "64",
                        "--policy",
                        "strict-wait", // a reader that is late is waited for
                        "--json")) {
            assertEquals(0, reader.await(), reader.err());
            source.signal("TERM");
            assertEquals(0, source.await(), source.err());
            assertTrue(source.err().contains("the format is now NV12 640x384"), source.err());
            assertTrue(source.json().get("epochs").getAsInt() >= 3, source.out());
            assertWholeEpochs(reader.json());
        }
    }

    private static void assertWholeEpochs(JsonObject read) {
        assertEquals(60, read.get("frames").getAsInt());
        assertEquals(0, read.get("torn").getAsInt() + read.get("misordered").getAsInt(), read.toString());
        JsonArray epochs = read.getAsJsonArray("epochs");
        assertTrue(epochs.size() >= 3, read.toString());
        assertEquals(epochs.size() - 1, read.get("reconnects").getAsInt(), read.toString());
        int width = 960 - epochs.get(0).getAsJsonObject().get("width").getAsInt();
        for (int i = 0; i < epochs.size(); i++) {
            JsonObject epoch = epochs.get(i).getAsJsonObject();
            assertEquals(960 - width, epoch.get("width").getAsInt(), read.toString());
            width = 960 - width;
            assertEquals(0, epoch.get("gaps").getAsInt(), read.toString());
            boolean last = i == epochs.size() - 1;
            assertEquals(last, epoch.get("end").isJsonNull(), read.toString());
            assertTrue(last || epoch.get("end").getAsString().equals("FORMAT_CHANGED"), read.toString());
        }
    }

    @Test
    void maxFramesEndsIt() throws Exception {
        try (Tool source = source(clip.toString(), "--max-frames", "10")) {
            assertEquals(0, source.await(), source.err());
            assertTrue(source.out().startsWith(key + ": 10 frames published"), source.out());
        }
    }

    @Test
    void anEndBeforeMaxFramesIsSaidSo() throws Exception {
        try (Tool source = source(clip.toString(), "--max-frames", "1000")) {
            assertEquals(4, source.await(), source.err());
            assertTrue(source.err().contains("ended after " + FRAMES + " of 1000 frames"), source.err());
        }
    }

    @Test
    void aUrlThatCannotBeOpenedIsSaidSo() throws Exception {
        String url = "rtsp://127.0.0.1:1/none";
        try (Tool source = source(url)) {
            assertEquals(5, source.await(), source.err());
            assertTrue(source.err().contains("cuframes: cannot open " + url), source.err());
            assertFalse(source.err().contains("\tat "), source.err());
            assertEquals("", source.out());
        }
    }

    @Test
    void aFileThatIsNotThereIsSaidSo() throws Exception {
        try (Tool source = source(directory.resolve("none.mp4").toString())) {
            assertEquals(5, source.await(), source.err());
            assertTrue(source.err().contains("none.mp4"), source.err());
        }
    }

    @Test
    void aKeyThatIsPublishedIsSaidSoWithItsOwnerBeforeACameraIsAsked() throws Exception {
        try (StampedStream stream = new StampedStream(key, sockets(), 6);
                Tool source = source("rtsp://127.0.0.1:1/none")) {
            assertEquals(5, source.await(), source.err());
            assertTrue(
                    source.err()
                            .contains("is published already, by process "
                                    + ProcessHandle.current().pid()),
                    source.err());
            assertEquals(0, stream.publisher().published());
        }
    }

    @Test
    void aSignalEndsItWithASummary() throws Exception {
        try (Tool source = source(clip.toString(), "--realtime", "--loop")) {
            source.awaitError("publishing \"" + key + "\"");
            source.signal("INT");
            assertEquals(0, source.await(), source.err());
            assertTrue(source.out().startsWith(key + ": "), source.out());
        }
    }

    @Test
    void aSignalEndsItWhileItWaitsForASender() throws Exception {
        int port;
        try (ServerSocket socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        try (Tool source = source("rtsp://127.0.0.1:" + port + "/none", "--listen")) {
            Tool.awaitThat("it listens", () -> listens(port));
            source.signal("TERM");
            assertEquals(0, source.await(), source.err());
        }
    }

    /** Asks the kernel's table: a connection would be taken for the sender. */
    private static boolean listens(int port) {
        try {
            return Files.readString(Path.of("/proc/net/tcp")).contains(String.format(":%04X 00000000:0000 0A", port));
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void anUnknownTransportIsAUsageError() throws Exception {
        try (Tool source = tool("rtsp-source", Stream.of("--rtsp", clip.toString(), "--transport", "carrier-pigeon"))) {
            assertEquals(2, source.await());
            assertTrue(
                    source.err().contains("\"carrier-pigeon\" is not one of auto, cuda-vmm, cuda-ipc, host"),
                    source.err());
        }
    }
}
