// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A file over HTTP whose connection breaks off goes on where it was: each picture is shown once. */
@Timeout(120)
class HttpFileLossTest {
    private static final int FRAMES = 200;
    private static final Pattern RANGE = Pattern.compile("bytes=(\\d+)-.*");

    @TempDir
    private Path directory;

    /** Serves one file with ranges; answers that begin before a place in it end there, as long as some are to be cut. */
    private static final class Server implements AutoCloseable {
        private final HttpServer server =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        private final ExecutorService exchanges = Executors.newCachedThreadPool();
        private final AtomicInteger cuts;
        private final byte[] file;

        Server(Path file, int cuts) throws IOException {
            this.file = Files.readAllBytes(file);
            this.cuts = new AtomicInteger(cuts);
            server.setExecutor(exchanges);
            server.createContext("/", this::answer);
            server.start();
        }

        String url(Path of) {
            return "http://127.0.0.1:" + server.getAddress().getPort() + "/" + of.getFileName();
        }

        private void answer(HttpExchange exchange) throws IOException {
            String range = exchange.getRequestHeaders().getFirst("Range");
            Matcher matcher = RANGE.matcher(range == null ? "" : range);
            int from = matcher.matches() ? Integer.parseInt(matcher.group(1)) : 0;
            int middle = file.length / 2;
            boolean isCut = from < middle && cuts.getAndUpdate(left -> Math.max(0, left - 1)) > 0;
            exchange.getResponseHeaders().set("Accept-Ranges", "bytes");
            exchange.getResponseHeaders()
                    .set("Content-Range", "bytes " + from + "-" + (file.length - 1) + "/" + file.length);
            exchange.sendResponseHeaders(range == null ? 200 : 206, file.length - from);
            OutputStream body = exchange.getResponseBody();
            body.write(file, from, (isCut ? middle : file.length) - from);
            exchange.close(); // before all of it is sent: the connection ends
        }

        @Override
        public void close() {
            server.stop(0);
            exchanges.shutdownNow();
        }
    }

    private Viewing playAll(Server server, Path clip) {
        Viewing viewing = new Viewing(Viewing.cpu(server.url(clip)), directory);
        VideoSource.Status status = viewing.play();
        while (status == VideoSource.Status.PUBLISHED) {
            status = viewing.play();
        }
        assertEquals(VideoSource.Status.END, status);
        return viewing;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void eachPictureIsShownOnce(int cuts) throws IOException {
        Path clip = Clips.make(directory.resolve("clip.mkv"), "libx264", FRAMES);
        try (Server server = new Server(clip, cuts);
                Viewing viewing = playAll(server, clip)) {
            assertTrue(viewing.news().lines().getFirst().startsWith("lost: "), "nothing was lost");
            assertTrue(
                    viewing.news().lines().contains("restored"),
                    "told " + viewing.news().lines());
            assertEquals(LongStream.range(0, FRAMES).boxed().toList(), viewing.numbers());
            viewing.assertTimesRise();
        }
    }

    /** MPEG-TS has no index, and gives what has come of a picture: that one may be broken. */
    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void noPictureOfATransportStreamIsShownTwice(int cuts) throws IOException {
        Path clip = Clips.make(directory.resolve("clip.ts"), "libx264", FRAMES);
        try (Server server = new Server(clip, cuts);
                Viewing viewing = playAll(server, clip)) {
            List<Long> readable =
                    viewing.numbers().stream().filter(number -> number >= 0).toList();
            assertEquals(readable.stream().sorted().distinct().toList(), readable);
            assertEquals(FRAMES - 1, readable.getLast());
            assertTrue(readable.size() >= FRAMES - 1, () -> "shown: " + viewing.numbers());
            viewing.assertTimesRise();
        }
    }

    @Test
    void withoutALossNothingIsTold() throws IOException {
        Path clip = Clips.make(directory.resolve("clip.mkv"), "libx264", FRAMES);
        try (Server server = new Server(clip, 0);
                Viewing viewing = playAll(server, clip)) {
            viewing.assertNoLoss();
            assertEquals(LongStream.range(0, FRAMES).boxed().toList(), viewing.numbers());
        }
    }
}
