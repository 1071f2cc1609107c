// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A camera that serves JPEG pictures over HTTP at a pace of its own, for ever, as multipart/x-mixed-replace. */
final class MjpegServer implements AutoCloseable {
    private static final long SECOND = 1_000_000_000;

    private final LoopbackListener listener = new LoopbackListener("mjpeg", false);
    private final List<byte[]> pictures = new ArrayList<>();
    private final double fps;
    private final boolean saysLength;

    /** Serves these files over and over; each part has a Content-Length or not. */
    MjpegServer(List<Path> pictures, double fps, boolean saysLength) {
        this.fps = fps;
        this.saysLength = saysLength;
        for (Path picture : pictures) {
            try {
                this.pictures.add(Files.readAllBytes(picture));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        listener.begin((client, number) -> serve(client));
    }

    private void serve(Socket client) throws IOException, InterruptedException {
        readRequest(client.getInputStream());
        OutputStream out = client.getOutputStream();
        out.write(ascii(
                "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=picture\r\n\r\n--picture\r\n"));
        long start = System.nanoTime();
        for (long i = 0; !listener.closesBefore(start + Math.round(i * SECOND / fps)); i++) {
            byte[] picture = pictures.get((int) (i % pictures.size()));
            out.write(ascii("Content-Type: image/jpeg\r\n"
                    + (saysLength ? "Content-Length: " + picture.length + "\r\n" : "") + "\r\n"));
            out.write(picture);
            out.write(ascii("\r\n--picture\r\n")); // at once: a client without a length waits for it
        }
    }

    private static void readRequest(InputStream in) throws IOException {
        for (int ends = 0; ends < 2; ) { // two ends of line in a row
            int next = in.read();
            if (next < 0) {
                throw new IOException("the client went");
            }
            ends = next == '\n' ? ends + 1 : next == '\r' ? ends : 0;
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    String url() {
        return "http://127.0.0.1:" + listener.port() + "/video.mjpg";
    }

    @Override
    public void close() {
        listener.close();
    }
}
