// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.Frame;
import io.cuframes.Publisher;
import io.cuframes.Subscriber;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;

/** Programs that end at SIGTERM as docs/java-api.md has it: publishers and subscribers whose shutdown hook asks and waits, or closes itself. */
final class HookedProgram {
    private HookedProgram() {}

    /** What it is, the key, and where the socket is. */
    public static void main(String[] arguments) {
        String key = arguments[1];
        Path directory = Path.of(arguments[2]);
        switch (arguments[0]) {
            case "publisher that is asked" -> publishUntilAsked(key, directory);
            case "publisher that is closed" -> publishUntilClosed(key, directory);
            case "subscriber that is asked" -> readUntilAsked(key, directory);
            case "subscriber that is closed" -> readUntilClosed(key, directory);
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static Publisher open(String key, Path directory) {
        return Publisher.builder(key)
                .size(64, 48)
                .transport(Transport.HOST)
                .socketDirectory(directory)
                .open();
    }

    private static void publishUntilAsked(String key, Path directory) {
        AtomicBoolean stop = new AtomicBoolean();
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            stop.set(true);
            try {
                main.join(5000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        try (Publisher publisher = open(key, directory)) {
            while (!stop.get()) {
                try (WritableFrame frame = publisher.acquire()) {
                    if (frame != null) {
                        frame.publish(System.nanoTime());
                    }
                }
            }
        }
    }

    private static void publishUntilClosed(String key, Path directory) {
        Publisher publisher = open(key, directory);
        Runtime.getRuntime().addShutdownHook(new Thread(publisher::close));
        try {
            while (true) {
                try (WritableFrame frame = publisher.acquire()) {
                    if (frame != null) {
                        frame.publish(System.nanoTime());
                    }
                }
            }
        } catch (IllegalStateException e) {
            if (!publisher.isClosed()) {
                throw e;
            }
        }
    }

    private static Subscriber connect(String key, Path directory) {
        return Subscriber.builder(key)
                .socketDirectory(directory)
                .connectTimeout(Duration.ofSeconds(60))
                .open();
    }

    private static void readUntilAsked(String key, Path directory) {
        AtomicBoolean stop = new AtomicBoolean();
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            stop.set(true);
            main.interrupt(); // ends the wait for a frame
            try {
                main.join(5000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        try (Subscriber subscriber = connect(key, directory)) {
            while (!stop.get()) {
                try (Frame frame = subscriber.next(Duration.ofDays(1))) {
                    System.out.println(frame == null ? "none" : "frame");
                }
            }
        }
    }

    private static void readUntilClosed(String key, Path directory) {
        Subscriber subscriber = connect(key, directory);
        Runtime.getRuntime().addShutdownHook(new Thread(subscriber::close));
        try {
            while (true) {
                try (Frame frame = subscriber.next(Duration.ofDays(1))) {
                    System.out.println(frame == null ? "none" : "frame");
                }
            }
        } catch (IllegalStateException e) {
            if (!subscriber.isClosed()) {
                throw e;
            }
        }
    }
}
