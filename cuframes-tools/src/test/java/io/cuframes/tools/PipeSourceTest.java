// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.javacv.TestPatternWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The publishing command on a FIFO or standard input: a signal ends it while it waits for the writer, and it leaves nothing. */
@Timeout(180)
class PipeSourceTest {
    private static final int FRAMES = 30;

    @TempDir
    Path directory;

    private final String key = "pipe-source-test-" + ProcessHandle.current().pid();
    private Path clip;
    private Path fifo;

    @BeforeEach
    void makeInputs() throws Exception {
        clip = directory.resolve("clip.ts");
        try (TestPatternWriter writer = TestPatternWriter.builder(clip.toString())
                .size(320, 192)
                .fps(25)
                .open()) {
            for (int i = 0; i < FRAMES; i++) {
                writer.write();
            }
        }
        fifo = directory.resolve("video.fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
    }

    @AfterEach
    void nothingIsLeft() throws IOException {
        assertFalse(Files.exists(Path.of("/dev/shm/cuframes-" + key)));
        Path sockets = directory.resolve("sockets");
        if (Files.exists(sockets)) {
            try (Stream<Path> left = Files.list(sockets)) {
                assertEquals(
                        List.of(),
                        left.filter(path -> path.toString().endsWith(".sock")).toList());
            }
        }
    }

    /** As one camera, or as one of several. */
    private List<String> line(boolean several, String address) {
        List<String> line = new ArrayList<>(List.of(
                "rtsp-source",
                "--transport",
                "host",
                "--decoder",
                "cpu",
                "--json",
                "--socket-dir",
                directory.resolve("sockets").toString()));
        line.addAll(several ? List.of("--camera", key + "=" + address) : List.of("--rtsp", address, "--key", key));
        return line;
    }

    private Tool start(boolean several, String address) throws IOException {
        return Tool.start(directory, line(several, address).toArray(String[]::new));
    }

    private boolean hasOpen(Tool tool) {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/" + tool.pid() + "/fd"))) {
            for (Path descriptor : descriptors.toList()) {
                if (Files.isSymbolicLink(descriptor)
                        && Files.readSymbolicLink(descriptor).equals(fifo)) {
                    return true;
                }
            }
        } catch (IOException e) {
            // a descriptor was closed, or the process is over
        }
        return false;
    }

    @ParameterizedTest
    @CsvSource({"false, INT", "false, TERM", "true, INT", "true, TERM"})
    void aSignalEndsItWhileItWaitsForAWriter(boolean several, String signal) throws Exception {
        try (Tool source = start(several, fifo.toString())) {
            Tool.awaitThat("it has the FIFO open", () -> hasOpen(source));
            source.signal(signal);
            assertEquals(0, source.await(), source.err());
        }
    }

    @ParameterizedTest
    @CsvSource({"false, INT", "false, TERM", "true, INT", "true, TERM"})
    void aSignalEndsItWhileItsWriterSaysNothing(boolean several, String signal) throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        Thread writer = new Thread(() -> write(end), "writer");
        writer.setDaemon(true);
        writer.start();
        try (Tool source = start(several, fifo.toString())) {
            Tool.awaitThat(
                    "it publishes",
                    () -> Files.exists(directory.resolve("sockets").resolve(key + ".sock")));
            source.signal(signal);
            assertEquals(0, source.await(), source.err());
            assertTrue(writer.isAlive(), "the writer went, and there was nothing to wait for");
        } finally {
            end.countDown();
        }
    }

    private void write(CountDownLatch end) {
        try (OutputStream out = Files.newOutputStream(fifo)) {
            out.write(Files.readAllBytes(clip));
            end.await();
        } catch (IOException | InterruptedException e) {
            return; // the command went first
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"-", "pipe:", "/dev/stdin", "fd:0"})
    void standardInputPlaysToItsEnd(String address) throws Exception {
        List<String> shell =
                new ArrayList<>(List.of("sh", "-c", "clip=$1; shift; cat \"$clip\" | \"$@\"", "sh", clip.toString()));
        shell.add(ProcessHandle.current().info().command().orElseThrow());
        shell.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path")));
        shell.add(Cuframes.class.getName());
        shell.addAll(line(false, address));
        try (Tool source = Tool.start(directory, new ProcessBuilder(shell))) {
            assertEquals(0, source.await(), source.err());
            assertEquals(FRAMES, source.json().get("frames").getAsInt(), source.out());
        }
    }

    @Test
    void anUnknownInputOptionIsSaidWithoutItsValue() throws Exception {
        List<String> line = line(false, clip.toString());
        line.addAll(List.of("--input-option", "nosuch_option=hunter2"));
        try (Tool source = Tool.start(directory, line.toArray(String[]::new))) {
            assertTrue(source.await() != 0);
            assertTrue(source.err().contains("unknown input option \"nosuch_option\""), source.err());
            assertFalse(source.err().contains("hunter2"), source.err());
        }
    }

    @Test
    void formatAndOptionsReachTheInput() throws Exception {
        Path raw = Files.write(directory.resolve("clip.raw"), new byte[320 * 192 * 3 / 2 * 5]);
        List<String> line = line(true, raw.toString());
        line.addAll(List.of("--input-format", "rawvideo", "--input-option", "video_size=320x192"));
        try (Tool source = Tool.start(directory, line.toArray(String[]::new))) {
            assertEquals(0, source.await(), source.err());
            assertTrue(source.err().contains("rawvideo 320x192"), source.err());
        }
    }
}
