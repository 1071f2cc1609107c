// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Serves a folder over HTTP, and keeps what it was asked for. Knows no ranges; each connection is for one request. */
final class HttpFiles implements AutoCloseable {
    private final ServerSocket server = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final Path folder;

    HttpFiles(Path folder) throws IOException {
        this.folder = folder;
        Thread thread = new Thread(this::serve, "http files");
        thread.setDaemon(true);
        thread.start();
    }

    String url(String file) {
        return "http://127.0.0.1:" + server.getLocalPort() + "/" + file;
    }

    /** The lines of all requests so far. */
    List<String> requests() {
        return requests;
    }

    private void serve() {
        while (!server.isClosed()) {
            try (Socket socket = server.accept()) {
                answer(socket);
            } catch (IOException e) {
                // the client went, or the test is over
            }
        }
    }

    private void answer(Socket socket) throws IOException {
        BufferedReader request =
                new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        String first = request.readLine();
        for (String line = first; line != null && !line.isEmpty(); line = request.readLine()) {
            requests.add(line);
        }
        if (first == null) {
            return;
        }
        Path file = folder.resolve(first.replaceFirst("^\\S+ /([^ ?]*).*", "$1"));
        boolean there = Files.isRegularFile(file);
        byte[] body = there ? Files.readAllBytes(file) : new byte[0];
        OutputStream out = socket.getOutputStream();
        out.write(("HTTP/1.1 " + (there ? "200 OK" : "404 Not Found") + "\r\nConnection: close\r\nContent-Length: "
                        + body.length + "\r\n\r\n")
                .getBytes(StandardCharsets.UTF_8));
        out.write(body);
        out.flush();
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
