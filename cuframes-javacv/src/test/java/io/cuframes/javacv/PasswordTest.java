// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cuframes.CuframesException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A password arrives at the camera as it is, whatever characters it has, encoded or not. */
@Timeout(120)
class PasswordTest {
    private static final String BASIC = "Authorization: Basic ";

    /** A camera that wants a password and takes none. It keeps what it was offered. */
    private static final class LockedCamera implements AutoCloseable {
        private final ServerSocket server = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
        private final BlockingQueue<String> offered = new LinkedBlockingQueue<>();
        private final Thread thread = new Thread(this::serve, "locked camera");

        LockedCamera() throws IOException {
            thread.setDaemon(true);
            thread.start();
        }

        int port() {
            return server.getLocalPort();
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
            String protocol = "";
            String sequence = "";
            for (String line = request.readLine(); line != null; line = request.readLine()) {
                if (line.matches("[A-Z]+ .* (RTSP|HTTP)/1..")) {
                    protocol = line.substring(line.lastIndexOf(' ') + 1);
                } else if (line.startsWith("CSeq:")) {
                    sequence = line + "\r\n";
                } else if (line.startsWith(BASIC)) {
                    offered.add(new String(
                            Base64.getDecoder().decode(line.substring(BASIC.length())), StandardCharsets.UTF_8));
                } else if (line.isEmpty()) {
                    socket.getOutputStream()
                            .write((protocol + " 401 Unauthorized\r\n" + sequence
                                            + "WWW-Authenticate: Basic realm=\"cam\"\r\nContent-Length: 0\r\n\r\n")
                                    .getBytes(StandardCharsets.UTF_8));
                }
            }
        }

        @Override
        public void close() throws IOException {
            server.close();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "rtsp admin:hunter2 admin:hunter2",
                "rtsp admin:p@ss#1 admin:p@ss#1",
                "rtsp admin:p%40ss%231 admin:p@ss#1",
                "rtsp admin:p/a?b#c:d admin:p/a?b#c:d",
                "rtsp admin:100% admin:100%",
                "rtsp admin:100%25 admin:100%",
                "rtsp admin:pässe admin:pässe",
                "http admin:p@ss#1 admin:p@ss#1",
                "http admin:p/a?b#c:d admin:p/a?b#c:d",
                "http admin:p%2Fa admin:p/a"
            })
    void itArrives(String scheme, String written, String meant) throws Exception {
        try (LockedCamera camera = new LockedCamera()) {
            String url = scheme + "://" + written + "@127.0.0.1:" + camera.port() + "/cam";
            CuframesException refused = assertThrows(
                    CuframesException.class,
                    () -> VideoSource.builder(url)
                            .decoder(VideoSource.Decoder.CPU)
                            .open());
            assertEquals(meant, camera.offered.poll(60, TimeUnit.SECONDS), refused.getMessage());
            assertFalse(refused.getMessage().contains("admin"), refused.getMessage());
        }
    }
}
