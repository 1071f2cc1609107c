// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import io.cuframes.Transport;
import io.cuframes.WaitStrategy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * How long it takes from a frame's being written on one process's GPU stream to its being usable in another process: the publisher fills a 1080p
 * NV12 slot with a memset and announces it; the subscriber copies its last 4 bytes to the host on a stream of its own and waits for them. Three
 * ways, in one run:
 *
 * <ul>
 *   <li>floor: one process, two streams, one event between them: what cannot be undercut
 *   <li>ring: this library, over each transport, for each way of waiting
 *   <li>stream-wait: the classic way, the subscriber's stream waits for an IPC event
 * </ul>
 *
 * <p>Arguments: [frames, 5000 unless said]. Needs a GPU. The first fifth of the frames is warm-up and not counted.
 */
public final class ReadinessBenchmark {
    private static final int FRAMES = 5000;

    private ReadinessBenchmark() {}

    /** Runs everything, or, called by itself with the name of a role, that role. */
    public static void main(String[] args) throws IOException, InterruptedException {
        int frames = args.length > 0 ? Integer.parseInt(args[0]) : FRAMES;
        Path directory = Files.createTempDirectory("cuframes-benchmark");
        System.out.printf("1080p NV12 memset to 4 bytes on the host, %d frames, microseconds%n", frames);
        System.out.printf("%-18s %8s %8s %8s %8s%n", "way", "p50", "p90", "p99", "max");
        try {
            run(FloorRole.class, frames);
            for (Transport transport : List.of(Transport.CUDA_VMM, Transport.CUDA_IPC)) {
                for (WaitStrategy strategy : WaitStrategy.values()) {
                    pair(RingPublisherRole.class, RingSubscriberRole.class, frames, directory, strategy, transport);
                }
            }
            pair(StreamWaitPublisherRole.class, StreamWaitSubscriberRole.class, frames, directory, "");
        } finally {
            Files.delete(directory);
        }
    }

    private static void run(Class<?> role, Object... arguments) throws IOException, InterruptedException {
        finish(start(role, arguments), role);
    }

    private static void pair(Class<?> publisher, Class<?> subscriber, Object... arguments)
            throws IOException, InterruptedException {
        Process first = start(publisher, arguments);
        Process second = start(subscriber, arguments);
        try {
            finish(second, subscriber);
            finish(first, publisher);
        } finally {
            first.destroyForcibly();
            second.destroyForcibly();
        }
    }

    private static Process start(Class<?> role, Object... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Djava.util.logging.config.file=/dev/null", // no log lines in between
                "-cp",
                System.getProperty("java.class.path"),
                role.getName()));
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    /** Waits for a role and prints its line, so that lines of two processes do not mix. */
    private static void finish(Process process, Class<?> role) throws IOException, InterruptedException {
        String lines = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = process.waitFor();
        System.out.print(lines);
        if (status != 0) {
            throw new IllegalStateException(role.getSimpleName() + " ended with status " + status);
        }
    }
}
