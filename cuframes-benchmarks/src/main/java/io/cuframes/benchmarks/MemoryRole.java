// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import com.google.gson.JsonObject;
import io.cuframes.Frame;
import io.cuframes.PixelFormat;
import io.cuframes.Publisher;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A process whose memory is looked at: a publisher of 100 frames a second, or a subscriber that reads 300 of them, copies each to the host, and then says
 * what of its heap is in use after a collection, and goes on. Both live until standard input ends.
 *
 * <p>Arguments: {@code publisher} or {@code subscriber}, the socket directory, the key, and for a publisher the transport, width, height and slots.
 * Prints a line of JSON.
 */
public final class MemoryRole {
    private static final long PERIOD_NANOS = 10_000_000;
    private static final int FRAMES = 300;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private MemoryRole() {}

    public static void main(String[] arguments) throws Exception {
        Thread.ofPlatform().daemon().start(MemoryRole::endWithInput);
        Path directory = Path.of(arguments[1]);
        if (arguments[0].equals("publisher")) {
            publish(directory, arguments);
        } else {
            subscribe(directory, arguments[2]);
        }
    }

    private static void endWithInput() {
        try {
            while (System.in.read() >= 0) {
                // Nobody is to say anything.
            }
        } catch (java.io.IOException e) {
            // The end as well.
        }
        Runtime.getRuntime().halt(0);
    }

    private static void publish(Path directory, String[] arguments) throws InterruptedException {
        int slots = Integer.parseInt(arguments[6]);
        try (Publisher publisher = Publisher.builder(arguments[2])
                .socketDirectory(directory)
                .transport(Transport.valueOf(arguments[3]))
                .format(PixelFormat.NV12)
                .size(Integer.parseInt(arguments[4]), Integer.parseInt(arguments[5]))
                .slots(slots)
                .open()) {
            JsonObject json = new JsonObject();
            json.addProperty("ring_bytes", publisher.format().frameBytes() * slots);
            System.out.println(json);
            for (long pts = 0; ; pts += PERIOD_NANOS) {
                try (WritableFrame frame = publisher.acquire()) {
                    frame.publish(pts);
                }
                Thread.sleep(Duration.ofNanos(PERIOD_NANOS));
            }
        }
    }

    private static void subscribe(Path directory, String key) {
        try (Subscriber subscriber = Subscriber.builder(key)
                        .socketDirectory(directory)
                        .mode(SubscriberMode.NEWEST_ONLY)
                        .open();
                Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(subscriber.format().frameBytes(), 64);
            for (long frames = 1; ; frames++) {
                try (Frame frame = subscriber.next(PATIENCE)) {
                    if (frame != null) {
                        frame.copyTo(copy);
                    }
                }
                if (frames == FRAMES) {
                    System.gc();
                    JsonObject json = new JsonObject();
                    json.addProperty(
                            "heap_bytes",
                            ManagementFactory.getMemoryMXBean()
                                    .getHeapMemoryUsage()
                                    .getUsed());
                    System.out.println(json);
                }
            }
        }
    }
}
