// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.Needs;
import io.cuframes.testing.OwnBuffers;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A publisher of this library, read by {@code src/test/c/host_reader.c}, which was written from docs/protocol.md alone. */
@Timeout(60)
class CClientTest {
    /** Not a multiple of the pitch's alignment: rows have padding, which no checksum must contain. */
    private static final int WIDTH = 322;

    private static final int HEIGHT = 48;

    @TempDir
    private static Path compiled;

    @TempDir
    private Path sockets;

    private final String key = "c-client-" + UUID.randomUUID();
    private final List<Process> started = new ArrayList<>();

    @BeforeAll
    static void compile() throws IOException, InterruptedException {
        Needs.compiler();
        Process compiler = new ProcessBuilder(
                        "cc",
                        "-std=c11",
                        "-Wall",
                        "-Wextra",
                        "-Werror",
                        "-pedantic",
                        "-O2",
                        "-o",
                        program().toString(),
                        Path.of("src", "test", "c", "host_reader.c").toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, compiler.waitFor(), output);
    }

    private static Path program() {
        return compiled.resolve("host_reader");
    }

    @AfterEach
    void killAll() throws InterruptedException, IOException {
        for (Process process : started) {
            process.destroyForcibly().waitFor();
        }
        Files.deleteIfExists(Path.of("/dev/shm/cuframes-" + key)); // a killed publisher leaves it
    }

    @Test
    void aStrictReaderSeesEveryFrameInOrderAndThenTheEnd() throws Exception {
        int slots = 8;
        int frames = 300;
        try (Client client = new Client("-m", "strict")) {
            try (Publisher publisher = builder(slots).open()) {
                client.awaitConnected(slots, slots - 2);
                while (publisher.subscribers() == 0) { // READY is on its way
                    Thread.onSpinWait();
                }
                int ahead = slots - 2; // as far as the reader may be behind without being lapped
                for (int seq = 1; seq <= frames + ahead; seq++) {
                    if (seq <= frames) {
                        publish(publisher, seq);
                    }
                    if (seq > ahead) {
                        assertEquals(expected(seq - ahead), Seen.of(client.line()));
                    }
                }
            }
            assertEquals("received " + frames + " missed 0 damaged 0 end=ENDED", client.line());
            client.assertExit(0);
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyPixelFormatIsReadPlaneByPlane(PixelFormat format) throws Exception {
        int odd = format.needsEvenSize() ? 0 : 1;
        try (Client client = new Client("-m", "strict")) {
            try (Publisher publisher =
                    builder(4).format(format).size(WIDTH + odd, HEIGHT + odd).open()) {
                client.awaitConnected(4, 2);
                while (publisher.subscribers() == 0) { // READY is on its way
                    Thread.onSpinWait();
                }
                for (int seq = 1; seq <= 3; seq++) {
                    publish(publisher, seq);
                    assertEquals(expected(publisher.format(), seq), Seen.of(client.line()));
                }
            }
            assertEquals("received 3 missed 0 damaged 0 end=ENDED", client.line());
            client.assertExit(0);
        }
    }

    @Test
    void aStrictReaderThatWasLappedCountsWhatItMissed() throws Exception {
        int slots = 4;
        try (Client client = new Client("-m", "strict", "-h", "100")) {
            int frames = 100;
            try (Publisher publisher = builder(slots).open()) {
                client.awaitConnected(slots, slots - 2);
                publish(publisher, 1);
                assertEquals(expected(1), Seen.of(client.line()));
                for (int seq = 2; seq <= frames; seq++) {
                    publish(publisher, seq);
                }
            }
            long last = 1;
            int received = 1;
            String line = client.line();
            for (; !line.startsWith("received"); line = client.line(), received++) {
                Seen seen = Seen.of(line);
                assertEquals(expected(seen.seq), seen);
                assertTrue(seen.seq > last, seen + " after " + last);
                last = seen.seq;
            }
            assertEquals(frames, last);
            assertEquals("received " + received + " missed " + (frames - received) + " damaged 0 end=ENDED", line);
            client.assertExit(0);
        }
    }

    @Test
    void aNewestReaderSeesWholeFramesOfAPublisherThatDoesNotWait() throws Exception {
        int slots = 3;
        int frames = 2000;
        try (Client client = new Client("-m", "newest")) {
            try (Publisher publisher = builder(slots).open()) {
                client.awaitConnected(slots, 1);
                for (int seq = 1; seq <= frames; seq++) {
                    publish(publisher, seq);
                }
            }
            long last = 0;
            int received = 0;
            String line = client.line();
            for (; !line.startsWith("received"); line = client.line()) {
                Seen seen = Seen.of(line);
                assertEquals(expected(seen.seq), seen);
                assertTrue(seen.seq > last, seen + " after " + last);
                last = seen.seq;
                received++;
            }
            assertEquals(frames, last); // what is left in the ring is read after the end
            assertEquals("received " + received + " missed " + (frames - received) + " damaged 0 end=ENDED", line);
            client.assertExit(0);
        }
    }

    @Test
    void aReaderFindsFramesInBuffersOfTheApplication() throws Exception {
        FrameFormat layout = OwnBuffers.layout(WIDTH, HEIGHT);
        int slots = 4;
        try (OwnBuffers own = new OwnBuffers(Transport.HOST, layout, slots);
                Publisher publisher = own.register(Publisher.builder(key).socketDirectory(sockets))
                        .open();
                Client client = new Client("-m", "strict", "-n", "10")) {
            client.awaitConnected(slots, slots - 2);
            while (publisher.subscribers() == 0) { // READY is on its way
                Thread.onSpinWait();
            }
            for (int seq = 1; seq <= 10; seq++) {
                publish(publisher, seq);
                assertEquals(expected(layout, seq), Seen.of(client.line()));
            }
            client.assertExit(0);
        }
    }

    @Test
    void aHeldFrameDoesNotChangeWhileThePublisherLapsTheRing() throws Exception {
        int slots = 3;
        try (Publisher publisher = builder(slots).open();
                Client client = new Client("-h", "500", "-n", "1")) {
            client.awaitConnected(slots, 1);
            publish(publisher, 1);
            assertEquals(expected(1), Seen.of(client.line()));
            int seq = 1;
            while (client.process.isAlive()) {
                publish(publisher, ++seq);
            }
            assertTrue(seq > 50 * slots, "only " + seq + " frames in " + slots + " slots");
            assertEquals("received 1 missed 0 damaged 0 end=LIMIT", client.line()); // and no line that says CHANGED
            client.assertExit(0);
            assertEquals(0, publisher.dropped());
        }
    }

    @Test
    void whatAKilledReaderHeldIsFreedAtOnce() throws Exception {
        int slots = 4;
        try (Publisher publisher = builder(slots).open()) {
            Client client = new Client("-h", "60000");
            client.awaitConnected(slots, slots - 2);
            publish(publisher, 1);
            assertEquals(expected(1), Seen.of(client.line()));
            assertEquals(slots - 1, acquirable(publisher, slots));

            client.process.destroyForcibly().waitFor();
            long killed = System.nanoTime();
            while (acquirable(publisher, slots) < slots || publisher.subscribers() > 0) {
                assertTrue(System.nanoTime() - killed < 500_000_000, "still leased 500 ms after the kill");
                Thread.sleep(1);
            }
        }
    }

    @Test
    void anotherMajorVersionIsRejectedWithAText() throws Exception {
        try (Publisher publisher = builder(2).open();
                Client client = new Client("-V", "2")) {
            String line = client.line();
            assertTrue(line.matches("REJECT 1 1\\.1 .*version.*"), line);
            assertNull(client.lines.readLine());
            client.assertExit(2);
            assertEquals(0, publisher.subscribers(), "it was never admitted");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "1", "65535"})
    void aReaderOfAnyMinorVersionReadsAndADamagedFrameIsMarked(String minor) throws Exception {
        try (Client client = new Client("-m", "strict", "-v", minor)) {
            try (Publisher publisher = builder(4).open()) {
                client.awaitConnected(4, 2);
                while (publisher.subscribers() == 0) { // READY is on its way
                    Thread.onSpinWait();
                }
                for (int seq = 1; seq <= 6; seq++) {
                    try (WritableFrame frame = publisher.acquire()) {
                        fill(publisher.format(), frame, seq);
                        frame.damaged(seq % 3 == 0).publish(pts(seq));
                    }
                    assertEquals(expected(seq), Seen.of(client.line()));
                }
            }
            assertEquals("received 6 missed 0 damaged 2 end=ENDED", client.line());
            client.assertExit(0);
        }
    }

    @Test
    void theDeathOfAPublisherIsSeenOnceItsFramesAreRead() throws Exception {
        Process publisher = start(new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        DoomedPublisher.class.getName(),
                        key,
                        sockets.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)); // its log
        try (Client client = new Client("-m", "strict", "-h", "20", "-t", "20000")) {
            client.awaitConnected(8, 6);
            publisher.getOutputStream().write('\n');
            publisher.getOutputStream().flush();
            assertEquals(expected(1), Seen.of(client.line()));
            assertEquals('d', publisher.getInputStream().read()); // it has published them all
            publisher.destroyForcibly().waitFor();
            for (int seq = 2; seq <= 6; seq++) {
                assertEquals(expected(seq), Seen.of(client.line()));
            }
            assertEquals("received 6 missed 0 damaged 0 end=DIED", client.line());
            client.assertExit(0);
        }
    }

    /** The publisher of a process that is killed: six frames in eight slots, once it is told to. */
    static final class DoomedPublisher {
        private DoomedPublisher() {}

        public static void main(String[] args) throws Exception {
            try (Publisher publisher = builder(args[0], Path.of(args[1]), 8).open()) {
                System.in.read();
                for (int seq = 1; seq <= 6; seq++) {
                    publish(publisher, seq);
                }
                System.out.write('d');
                System.out.flush();
                Thread.sleep(Duration.ofMinutes(1));
            }
        }
    }

    private Publisher.Builder builder(int slots) {
        return builder(key, sockets, slots);
    }

    private static Publisher.Builder builder(String key, Path sockets, int slots) {
        return Publisher.builder(key)
                .size(WIDTH, HEIGHT)
                .slots(slots)
                .transport(Transport.HOST)
                .socketDirectory(sockets);
    }

    /** How many slots can be taken at a time; all are given back. */
    private static int acquirable(Publisher publisher, int slots) {
        List<WritableFrame> taken = new ArrayList<>();
        for (int i = 0; i < slots; i++) {
            WritableFrame frame = publisher.acquire();
            if (frame != null) {
                taken.add(frame);
            }
        }
        taken.forEach(WritableFrame::close);
        return taken.size();
    }

    private static void publish(Publisher publisher, long seq) {
        try (WritableFrame frame = publisher.acquire()) {
            assertNotNull(frame, "no slot for frame " + seq);
            fill(publisher.format(), frame, seq);
            assertEquals(seq, frame.publish(pts(seq)));
        }
    }

    private static void fill(FrameFormat format, WritableFrame frame, long seq) {
        for (int i = 0; i < format.planes().size(); i++) {
            PlaneLayout layout = frame.plane(i).layout();
            frame.plane(i).segment().fill((byte) (seq * 5 + 1)); // the padding
            frame.copyPlane(i, MemorySegment.ofArray(pattern(layout, seq)), layout.rowBytes());
        }
    }

    private static long pts(long seq) {
        return seq * 33_366_667 - 100_000_000; // the first ones are negative
    }

    /** The visible bytes of a plane, row after row. */
    private static byte[] pattern(PlaneLayout plane, long seq) {
        byte[] bytes = new byte[plane.rowBytes() * plane.height()];
        new Random(seq * 0x10001 + plane.offset()).nextBytes(bytes);
        return bytes;
    }

    private static String checksum(byte[] bytes) {
        long sum = 0xcbf29ce484222325L;
        for (byte b : bytes) {
            sum = (sum ^ (b & 0xff)) * 0x100000001b3L;
        }
        return String.format("%016x", sum);
    }

    private static Seen expected(long seq) {
        return expected(FrameFormat.of(PixelFormat.NV12, WIDTH, HEIGHT, ColorInfo.UNKNOWN), seq);
    }

    private static Seen expected(FrameFormat format, long seq) {
        PlaneLayout first = format.planes().getFirst();
        List<String> checksums = format.planes().stream()
                .map(plane -> checksum(pattern(plane, seq)))
                .toList();
        return new Seen(seq, pts(seq), first.width(), first.height(), first.pitch(), checksums);
    }

    /** A frame as the client reports it, without its slot. */
    private record Seen(long seq, long pts, int width, int height, int pitch, List<String> checksums) {
        static Seen of(String line) {
            List<String> words = List.of(line.split(" ", -1));
            assertTrue(words.size() > 6, line);
            return new Seen(
                    Long.parseLong(words.get(0)),
                    Long.parseLong(words.get(2)),
                    Integer.parseInt(words.get(3)),
                    Integer.parseInt(words.get(4)),
                    Integer.parseInt(words.get(5)),
                    words.subList(6, words.size()));
        }
    }

    private Process start(ProcessBuilder builder) throws IOException {
        Process process = builder.start();
        started.add(process);
        return process;
    }

    /** The C program as a process. It ends by itself when nothing comes for 10 s, so that its lines can be awaited. */
    private final class Client implements AutoCloseable {
        private final Process process;
        private final BufferedReader lines;

        Client(String... options) throws IOException {
            List<String> command = new ArrayList<>(List.of(program().toString(), "-t", "10000"));
            command.addAll(List.of(options));
            command.add(sockets.resolve(key + ".sock").toString());
            process = start(new ProcessBuilder(command).redirectErrorStream(true));
            lines = process.inputReader(StandardCharsets.UTF_8);
        }

        String line() throws IOException {
            String line = lines.readLine();
            assertNotNull(line, "the client ended");
            return line;
        }

        void awaitConnected(int slots, int maxLeases) throws IOException {
            assertEquals("CONNECTED subscriber 1 slots " + slots + " max_leases " + maxLeases, line());
        }

        void assertExit(int status) throws InterruptedException {
            assertTrue(process.waitFor(5, TimeUnit.SECONDS), "the client does not end");
            assertEquals(status, process.exitValue());
        }

        @Override
        public void close() {
            process.destroyForcibly();
        }
    }
}
