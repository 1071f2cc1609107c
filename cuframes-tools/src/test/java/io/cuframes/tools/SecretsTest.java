// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import io.cuframes.javacv.TestPatternWriter;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A camera's password and token are in nothing that a source prints, publishes, or is called. */
class SecretsTest {
    private static final String USER = "adm1n";
    private static final String PASSWORD = "hunter2";
    private static final String TOKEN = "s3cr3t";
    private static final List<String> SECRETS = List.of(
            PASSWORD,
            TOKEN,
            USER,
            Base64.getEncoder().encodeToString((USER + ":" + PASSWORD).getBytes(StandardCharsets.US_ASCII)));

    private final String key = "secrets-test-" + ProcessHandle.current().pid();

    @TempDir
    Path directory;

    @AfterEach
    void removeWhatAKilledSourceLeft() throws IOException {
        Files.deleteIfExists(Path.of("/dev/shm/cuframes-" + key));
    }

    private static String url(String scheme, int port) {
        return scheme + "://" + USER + ":" + PASSWORD + "@127.0.0.1:" + port + "/cam.ts?channel=1&token=" + TOKEN;
    }

    private static void assertNone(String where, String text) {
        for (String secret : SECRETS) {
            assertFalse(text.contains(secret), () -> where + " has " + secret + ": " + text);
        }
    }

    /** A source with all that it can be told to say. */
    private Tool source(Map<String, String> environment, String... more) throws IOException {
        List<String> line = new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED",
                "-Dcuframes.ffmpeg.loglevel=56", // AV_LOG_TRACE
                "-cp",
                System.getProperty("java.class.path"),
                Cuframes.class.getName(),
                "rtsp-source"));
        line.addAll(List.of(
                "--key", key, "--socket-dir", directory.resolve("sockets").toString()));
        line.addAll(List.of("--transport", "host", "--decoder", "cpu", "--debug", "--json", "--progress", "json"));
        line.addAll(List.of(more));
        ProcessBuilder builder = new ProcessBuilder(line);
        builder.environment().putAll(environment);
        return Tool.start(directory, builder);
    }

    /** Answers each request of one connection with the next of these, and keeps what it was asked. */
    private static Thread camera(ServerSocket server, List<String> asked, String... answers) {
        return Thread.ofPlatform().daemon().start(() -> {
            try (Socket socket = server.accept();
                    BufferedReader requests = new BufferedReader(
                            new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))) {
                for (String answer : answers) {
                    int number = 0;
                    for (String line = requests.readLine();
                            line != null && !line.isEmpty();
                            line = requests.readLine()) {
                        asked.add(line);
                        number = line.startsWith("CSeq: ") ? Integer.parseInt(line.substring(6)) : number;
                    }
                    String text = "RTSP/1.0 " + answer + "\r\nCSeq: " + number + "\r\n\r\n";
                    socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
                }
            } catch (IOException e) {
                asked.add(e.toString()); // the source has gone
            }
        });
    }

    @Test
    void aCameraThatRefusesThePasswordIsTalkedAboutWithoutIt() throws Exception {
        List<String> asked = new ArrayList<>();
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread camera = camera(
                    server,
                    asked,
                    "200 OK\r\nPublic: OPTIONS, DESCRIBE",
                    "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"cam\"",
                    "404 Not Found");
            try (Tool source = source(Map.of(), "--rtsp", url("rtsp", server.getLocalPort()), "--no-reconnect")) {
                assertEquals(5, source.await(), source.err());
                camera.join();
                assertTrue(asked.stream().anyMatch(line -> line.startsWith("Authorization: Basic")), asked.toString());
                assertTrue(
                        source.err().contains("cannot open rtsp://***@127.0.0.1:" + server.getLocalPort()),
                        source.err());
                assertTrue(source.err().contains("Authorization: ***"), "FFmpeg's log is passed on: " + source.err());
                assertTrue(source.err().contains("warning: the credentials of the URL are on the command line"));
                assertNone("standard error", source.err());
                assertNone("standard output", source.out());
            }
        }
    }

    @Test
    void whatIsPublishedDoesNotSayWhereItIsFrom() throws Exception {
        Path clip = directory.resolve("clip.ts");
        try (TestPatternWriter writer = TestPatternWriter.builder(clip.toString())
                .size(320, 192)
                .fps(25)
                .open()) {
            for (int i = 0; i < 50; i++) {
                writer.write();
            }
        }
        byte[] bytes = Files.readAllBytes(clip);
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 4);
        server.createContext("/cam.ts", exchange -> {
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        server.start();
        try {
            Path file = secretFile(url("http", server.getAddress().getPort()));
            try (Tool source = source(Map.of(), "--rtsp", "@" + file, "--realtime", "--no-reconnect")) {
                source.awaitError("Opening '"); // FFmpeg's
                Path segment = Path.of("/dev/shm/cuframes-" + key);
                Tool.awaitThat("it publishes", () -> Files.exists(segment));
                assertNone("the segment", new String(Files.readAllBytes(segment), StandardCharsets.ISO_8859_1));
                assertNone("its command line", Files.readString(Path.of("/proc/" + source.pid() + "/cmdline")));
                assertNone("its threads", threads(source.pid()));
                assertEquals(0, source.await(), source.err());
                assertEquals(50, source.json().get("frames").getAsInt(), source.out());
                assertNone("standard error", source.err());
                assertNone("standard output", source.out());
            }
        } finally {
            server.stop(0);
        }
    }

    private Path secretFile(String content) throws IOException {
        Path file = directory.resolve("url");
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        return Files.writeString(file, content + "\n");
    }

    private static String threads(long pid) throws IOException {
        StringBuilder names = new StringBuilder();
        try (Stream<Path> tasks = Files.list(Path.of("/proc/" + pid + "/task"))) {
            for (Path task : tasks.toList()) {
                names.append(Files.readString(task.resolve("comm")));
            }
        }
        return names.toString();
    }

    @Test
    void theEnvironmentKeepsAUrlOffTheCommandLine() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Tool source = source(Map.of(SourceAddress.VARIABLE, url("rtsp", server.getLocalPort())))) {
            server.accept().close(); // so it has the URL
            assertNone("its command line", Files.readString(Path.of("/proc/" + source.pid() + "/cmdline")));
            source.signal("TERM");
            source.await();
            assertFalse(source.err().contains("on the command line"), source.err());
            assertNone("standard error", source.err());
        }
    }

    private void assertUsageError(String expected, String... more) throws Exception {
        try (Tool source = source(Map.of(), more)) {
            assertEquals(2, source.await(), source.err());
            assertTrue(source.err().contains(expected), source.err());
            assertNone("standard error", source.err());
        }
    }

    @Test
    void aUrlInTheWrongPlaceIsNotRepeatedInFull() throws Exception {
        assertUsageError("rtsp://***@127.0.0.1:1/cam.ts?channel=1&token=***", url("rtsp", 1));
    }

    @Test
    void aFileWithoutOneUrlIsAUsageError() throws Exception {
        assertUsageError("nothing to open: give --rtsp, or a URL in the environment variable CUFRAMES_RTSP_URL");
        assertUsageError("none: the file cannot be read", "--rtsp", "@" + directory.resolve("none"));
        Path two = secretFile(url("rtsp", 1) + "\n" + url("rtsp", 2));
        assertUsageError("the file has 2 lines, and must have one", "--rtsp", "@" + two);
    }

    @Test
    void whoMayReadIsAnOption() throws Exception {
        assertUsageError("--allow-group is \"video\": it must be a number", "--rtsp", "x", "--allow-group", "video");
        Path clip = directory.resolve("clip.mp4");
        try (TestPatternWriter writer = TestPatternWriter.builder(clip.toString())
                .size(320, 192)
                .fps(25)
                .open()) {
            writer.write();
        }
        try (Tool source = source(
                Map.of(),
                "--rtsp",
                clip.toString(),
                "--loop",
                "--realtime",
                "--allow-group",
                "none",
                "--allow-user",
                "54321,54322")) {
            Path socket = directory.resolve("sockets").resolve(key + ".sock");
            Tool.awaitThat("it publishes", () -> Files.exists(socket));
            assertEquals("rw-rw-rw-", PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)));
            assertEquals(
                    "rw-------",
                    PosixFilePermissions.toString(Files.getPosixFilePermissions(Path.of("/dev/shm/cuframes-" + key))));
            source.signal("TERM");
            assertEquals(0, source.await(), source.err());
        }
    }
}
