// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.Publisher;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Goes {@code sub-count}'s way from its start to its first frames, with a publisher of its own in host memory, and the other commands' to their
 * options: what the JVM loads on these ways is what an archive of classes is to have. For the scripts that make one; not a command.
 */
final class Rehearsal {
    private static final long PERIOD_MILLIS = 5;

    private Rehearsal() {}

    /**
     * Rehearses, and exits with the status of {@code sub-count}. With a key and a socket directory as arguments, publishes under that until standard
     * input ends, for who measures how long a start takes.
     *
     * @param arguments none, or a key and a directory
     * @throws Exception if there is no place for a socket
     */
    public static void main(String[] arguments) throws Exception {
        if (arguments.length == 2) {
            try (Publisher publisher = open(arguments[0], Path.of(arguments[1]))) {
                Thread writer = new Thread(() -> publish(publisher), "rehearsal-writer");
                writer.start();
                System.in.readAllBytes();
                writer.interrupt();
                writer.join();
            }
            return;
        }
        Cuframes.run("rtsp-source", "--help");
        Cuframes.run("demo", "--help");
        String key = "rehearsal-" + ProcessHandle.current().pid();
        Path directory = Files.createTempDirectory("cuframes-rehearsal");
        int status;
        try (Publisher publisher = open(key, directory)) {
            Thread writer = new Thread(() -> publish(publisher), "rehearsal-writer");
            writer.start();
            status = Cuframes.run("sub-count", "--key", key, "--socket-dir", directory.toString(), "--max-frames", "3");
            writer.interrupt();
            writer.join();
        } finally {
            Files.deleteIfExists(directory);
        }
        StopSignal.get().finish(status);
        System.exit(status);
    }

    private static Publisher open(String key, Path directory) {
        return Publisher.builder(key)
                .size(64, 64)
                .transport(Transport.HOST)
                .socketDirectory(directory)
                .open();
    }

    private static void publish(Publisher publisher) {
        try {
            while (true) {
                try (WritableFrame frame = publisher.acquire()) {
                    if (frame != null) {
                        frame.publish(System.nanoTime());
                    }
                }
                Thread.sleep(PERIOD_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the end
        }
    }
}
