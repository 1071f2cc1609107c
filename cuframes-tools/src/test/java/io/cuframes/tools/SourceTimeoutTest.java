// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.javacv.TestPatternWriter;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The timeouts of {@code rtsp-source}, with a server that does not answer, or falls silent. */
@Timeout(120)
class SourceTimeoutTest {
    /** Before a time: it is not the end of a longer one. */
    private static final String NOT_LONGER = "(?<![\\d.])";

    private final String key = "source-timeout-" + ProcessHandle.current().pid();

    @TempDir
    Path directory;

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

    private static boolean says(String text, String time) {
        return Pattern.compile(NOT_LONGER + time).matcher(text).find();
    }

    @Test
    void aServerThatDoesNotAnswerIsWaitedForAsLongAsSaid() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                Tool tool = source(
                        "--rtsp",
                        "rtsp://127.0.0.1:" + silent.getLocalPort() + "/none",
                        "--key",
                        key,
                        "--open-timeout",
                        "1.7")) {
            assertEquals(5, tool.await(), tool.err());
            assertTrue(says(tool.err(), "(1700 ms|1\\.7 s)"), tool.err());
        }
    }

    @Test
    void oneCameraOfTheFileMayHaveATimeoutOfItsOwn() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            String url = "rtsp://127.0.0.1:" + silent.getLocalPort() + "/none";
            Path config = Files.writeString(
                    directory.resolve("cameras.yaml"), """
                    open-timeout: 1.6
                    cameras:
                      - {key: KEY-a, url: "URL"}
                      - {key: KEY-b, url: "URL", open-timeout: 2.3}
                    """.replace("KEY", key).replace("URL", url));
            try (Tool tool = source("--config", config.toString())) {
                tool.awaitErrorLine(key + "-a: .*" + NOT_LONGER + "(1600 ms|1\\.6 s).*");
                tool.awaitErrorLine(key + "-b: .*" + NOT_LONGER + "(2300 ms|2\\.3 s).*");
                List<String> tries = tool.err()
                        .lines()
                        .filter(line -> says(line, "(1600 ms|1\\.6 s)"))
                        .toList();
                assertTrue(tries.stream().allMatch(line -> line.startsWith(key + "-a: ")), tries.toString());
                tool.signal("TERM");
                tool.await();
            }
        }
    }

    @Test
    void aSourceThatFallsSilentIsLostAfterTheTimeSaid() throws Exception {
        Path clip = directory.resolve("clip.mkv");
        try (TestPatternWriter writer = TestPatternWriter.builder(clip.toString())
                .size(320, 192)
                .fps(25)
                .open()) {
            for (int i = 0; i < 50; i++) {
                writer.write();
            }
        }
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            List<Socket> guests = new ArrayList<>();
            Thread.ofPlatform().daemon().start(() -> serve(server, guests, clip));
            try (Tool tool = source(
                    "--rtsp",
                    "http://127.0.0.1:" + server.getLocalPort() + "/clip.mkv",
                    "--key",
                    key,
                    "--read-timeout",
                    "1.4")) {
                tool.awaitErrorLine("the input is lost: .*" + NOT_LONGER + "(1400 ms|1\\.4 s).*");
                tool.signal("TERM");
                assertEquals(0, tool.await(), tool.err());
            } finally {
                synchronized (guests) {
                    for (Socket guest : guests) {
                        guest.close();
                    }
                }
            }
        }
        assertFalse(Files.exists(Path.of("/dev/shm/cuframes-" + key)));
    }

    /** Gives each guest the whole clip, and then nothing more, also no end. */
    private static void serve(ServerSocket server, List<Socket> guests, Path clip) {
        try {
            byte[] bytes = Files.readAllBytes(clip);
            while (true) {
                Socket guest = server.accept();
                synchronized (guests) {
                    guests.add(guest);
                }
                guest.getOutputStream()
                        .write("HTTP/1.0 200 OK\r\nContent-Type: video/x-matroska\r\n\r\n"
                                .getBytes(StandardCharsets.US_ASCII));
                guest.getOutputStream().write(bytes);
                guest.getOutputStream().flush();
            }
        } catch (IOException e) {
            // the test is over
        }
    }
}
