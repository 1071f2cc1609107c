// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * A live HLS stream (RFC 8216): a playlist that slides over segments made before, with a new one at its end now and then. Safe from any thread.
 */
final class HlsServer implements AutoCloseable {
    private static final int LISTED_AT_MOST = 6;

    private final HttpServer server;
    private final ExecutorService exchanges;
    private final ScheduledExecutorService pace;
    private final List<Path> segments;
    private final double segmentSeconds;
    private final String ending;
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private int revealed;
    private Future<?> revealing;
    private boolean held;
    private boolean failing;

    /**
     * Serves the first few segments, of one duration, at once. Their names end in {@code ending}, whatever is in them: ".ts", ".dat" or nothing.
     */
    HlsServer(List<Path> segments, double segmentSeconds, String ending, int revealedAtOnce) {
        this.segments = List.copyOf(segments);
        this.segmentSeconds = segmentSeconds;
        this.ending = ending;
        this.revealed = Math.min(revealedAtOnce, segments.size());
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String name = "hls " + server.getAddress().getPort();
        exchanges = Executors.newCachedThreadPool(task -> new Thread(task, name));
        pace = Executors.newSingleThreadScheduledExecutor(task -> new Thread(task, name + " pace"));
        server.setExecutor(exchanges);
        server.createContext("/", this::answer);
        server.start();
    }

    /** Reveals a segment more each such time, until all are; the playlist says then that it ends. */
    HlsServer revealEach(Duration time) {
        revealing = pace.scheduleAtFixedRate(this::reveal, time.toMillis(), time.toMillis(), TimeUnit.MILLISECONDS);
        return this;
    }

    private synchronized void reveal() {
        if (!held && revealed < segments.size()) {
            revealed++;
        }
    }

    /** Reveals no segment until this is called with false. */
    synchronized void hold(boolean newHeld) {
        held = newHeld;
    }

    /** Answers 503 to everything until this is called with false. */
    synchronized void fail(boolean newFailing) {
        failing = newFailing;
    }

    private synchronized boolean failing() {
        return failing;
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        int status = failing() ? 503 : 200;
        byte[] body = new byte[0];
        if (status == 200 && path.equals("/live.m3u8")) {
            exchange.getResponseHeaders().set("Content-Type", "application/vnd.apple.mpegurl");
            body = playlist().getBytes(StandardCharsets.US_ASCII);
        } else if (status == 200) {
            exchange.getResponseHeaders().set("Content-Type", "video/mp2t");
            body = Files.readAllBytes(segments.get(number(path)));
        }
        requests.add(path + " " + status);
        try (exchange) {
            exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
            if (body.length > 0) {
                exchange.getResponseBody().write(body);
            }
        }
    }

    private int number(String path) {
        return Integer.parseInt(path.substring("/segment".length(), path.length() - ending.length()));
    }

    private synchronized String playlist() {
        int first = Math.max(0, revealed - LISTED_AT_MOST);
        StringBuilder text = new StringBuilder("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:")
                .append((int) Math.ceil(segmentSeconds))
                .append("\n#EXT-X-MEDIA-SEQUENCE:")
                .append(first)
                .append('\n');
        for (int i = first; i < revealed; i++) {
            text.append(String.format(Locale.ROOT, "#EXTINF:%.3f,%nsegment%d%s%n", segmentSeconds, i, ending));
        }
        return text.append(revealed == segments.size() ? "#EXT-X-ENDLIST\n" : "")
                .toString();
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/live.m3u8";
    }

    /** What was asked for and answered so far, such as {@code /live.m3u8 200}. */
    List<String> requests() {
        return requests;
    }

    @Override
    public void close() {
        if (revealing != null) {
            revealing.cancel(false);
        }
        pace.shutdownNow();
        server.stop(0);
        exchanges.shutdownNow();
    }
}
