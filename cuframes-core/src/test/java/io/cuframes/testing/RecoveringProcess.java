// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.Backoff;
import io.cuframes.CuframesException;
import io.cuframes.Frame;
import io.cuframes.FrameFormat;
import io.cuframes.Publisher;
import io.cuframes.PublisherGoneException;
import io.cuframes.Subscriber;
import io.cuframes.Transport;
import io.cuframes.ffm.Libc;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;

/**
 * A reader that reconnects, and is told line by line to use up its descriptors ({@code hoard N}, all but so many) and to have them again ({@code free}).
 * Says {@code failed REASON} of each attempt that fails for another reason than those before, {@code connected} and {@code over CODE TEXT}. Each command
 * is answered {@code done}.
 */
public final class RecoveringProcess {
    private static final Deque<Integer> HOARD = new ArrayDeque<>();

    private RecoveringProcess() {}

    /** Arguments: key, socket directory, and how many descriptors to leave before the first connect; -1 for all. */
    public static void main(String[] args) throws IOException {
        rehearse();
        int left = Integer.parseInt(args[2]);
        if (left >= 0) {
            hoard(left);
        }
        Thread.ofPlatform().daemon().start(() -> read(args[0], Path.of(args[1])));
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String[] words = line.split(" ", -1);
            if (words[0].equals("hoard")) {
                hoard(Integer.parseInt(words[1]));
            } else {
                HOARD.forEach(Libc::close);
                HOARD.clear();
            }
            System.out.println("done");
        }
    }

    private static void hoard(int left) {
        for (int fd = Libc.eventfd(0, Libc.EFD_CLOEXEC); fd >= 0; fd = Libc.eventfd(0, Libc.EFD_CLOEXEC)) {
            HOARD.push(fd);
        }
        for (int i = 0; i < left; i++) {
            Libc.close(HOARD.pop());
        }
    }

    /** Loads what connecting and failing take, while there are descriptors for it. */
    private static void rehearse() throws IOException {
        Path directory = Files.createTempDirectory("cuframes-rehearsal");
        String key = "rehearsal-" + ProcessHandle.current().pid();
        try (Publisher publisher = Publisher.builder(key)
                        .socketDirectory(directory)
                        .transport(Transport.HOST)
                        .size(64, 64)
                        .open();
                Subscriber subscriber = subscriber(key, directory)) {
            publisher.close();
            try (Frame frame = subscriber.next(Duration.ofMillis(200))) {
                System.out.println("rehearsed");
            }
        }
        Files.delete(directory);
    }

    private static Subscriber subscriber(String key, Path directory) {
        Set<String> reasons = new HashSet<>();
        return Subscriber.builder(key)
                .socketDirectory(directory)
                .connectTimeout(Duration.ofSeconds(60))
                .reconnect(Backoff.every(Duration.ofMillis(10)))
                .listener(new Subscriber.Listener() {
                    @Override
                    public void attemptFailed(int attempt, Duration retryIn, String reason) {
                        if (reasons.add(reason) && key.startsWith("test-")) {
                            System.out.println("failed " + reason);
                        }
                    }

                    @Override
                    public void reconnected(long epoch, int attempts, FrameFormat format) {
                        System.out.println("connected");
                    }
                })
                .open();
    }

    private static void read(String key, Path directory) {
        try (Subscriber subscriber = subscriber(key, directory)) {
            System.out.println("connected");
            while (true) {
                try (Frame frame = subscriber.next(Duration.ofMillis(100))) {
                    if (frame != null) {
                        System.out.println("frame " + frame.seq());
                    }
                }
            }
        } catch (PublisherGoneException e) {
            System.out.println("over GONE " + e.getMessage());
        } catch (CuframesException e) {
            System.out.println("over " + e.code() + " " + e.getMessage());
        }
    }
}
