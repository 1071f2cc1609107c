// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import io.cuframes.Publisher;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import java.io.IOException;
import java.nio.file.Path;

/** A publisher in a process of its own, to be killed. Arguments: the key and the socket directory. */
public final class OtherPublisher {
    private OtherPublisher() {}

    static Process start(String key, Path sockets) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        OtherPublisher.class.getName(),
                        key,
                        sockets.toString())
                .inheritIO()
                .start();
    }

    public static void main(String[] arguments) throws InterruptedException {
        try (Publisher publisher = Publisher.builder(arguments[0])
                .size(160, 96)
                .transport(Transport.HOST)
                .socketDirectory(Path.of(arguments[1]))
                .open()) {
            for (long i = 0; ; i++) {
                try (WritableFrame frame = publisher.acquire()) {
                    if (frame != null) {
                        frame.publish(i * 40_000_000);
                    }
                }
                Thread.sleep(5);
            }
        }
    }
}
