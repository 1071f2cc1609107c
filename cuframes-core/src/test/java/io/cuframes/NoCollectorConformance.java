// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.CudaStandIn;
import io.cuframes.testing.StreamFixture;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Frames flow in a JVM that has a small heap and no garbage collector at all (Epsilon): what the steady state allocates is never freed. */
abstract class NoCollectorConformance {
    private static final int FRAMES = 200_000;
    private static final int WARM_UP = 20_000;

    /** One object for each frame would take 16 bytes or more; what goes on beside the frames, such as the compilers' work, takes less than this in all. */
    private static final long MOST_BYTES = 2L * FRAMES;

    private final Transport transport;
    private final StreamFixture stream = new StreamFixture();

    NoCollectorConformance(Transport transport) {
        this.transport = transport;
    }

    @AfterEach
    void removeStream() {
        stream.close();
    }

    @Test
    void twoHundredThousandFramesFitInASmallHeapThatIsNeverCollected() throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:+UnlockExperimentalVMOptions",
                        "-XX:+UseEpsilonGC",
                        "-Xms48m",
                        "-Xmx48m",
                        "-XX:-UsePerfData",
                        "-Djava.util.logging.config.file=/dev/null",
                        "-cp",
                        System.getProperty("java.class.path"),
                        NoCollectorConformance.class.getName(),
                        stream.key(),
                        stream.directory().toString(),
                        transport.name())
                .redirectErrorStream(true);
        builder.environment().putAll(CudaStandIn.environment());
        builder.environment().put(CudaStandIn.variable("DELAY_US"), "0"); // a hundred thousand of them take long
        builder.environment().put(CudaStandIn.variable("JITTER_US"), "0");
        Process process = builder.start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        List<String> words = List.of(output.strip().split(" ", -1));
        assertEquals("allocated", words.get(words.size() - 2), output);
        assertTrue(Long.parseLong(words.getLast()) < MOST_BYTES, output);
    }

    /** Arguments: key, socket directory, transport. Prints what the frames took of the heap. */
    public static void main(String[] args) {
        Transport transport = Transport.valueOf(args[2]);
        try (Publisher publisher = Publisher.builder(args[0])
                        .socketDirectory(Path.of(args[1]))
                        .transport(transport)
                        .size(64, 64)
                        .open();
                Subscriber subscriber = Subscriber.builder(args[0])
                        .socketDirectory(Path.of(args[1]))
                        .mode(SubscriberMode.STRICT_ORDER)
                        .open()) {
            pass(publisher, subscriber, WARM_UP);
            long before = used();
            pass(publisher, subscriber, FRAMES);
            System.out.println("allocated " + (used() - before));
        }
    }

    private static long used() {
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    private static void pass(Publisher publisher, Subscriber subscriber, int frames) {
        Duration patience = Duration.ofSeconds(30);
        for (int i = 0; i < frames; i++) {
            WritableFrame next = publisher.acquire();
            while (next == null) { // a GPU has yet to end a lease
                Thread.onSpinWait();
                next = publisher.acquire();
            }
            try (WritableFrame frame = next) {
                frame.publish(i);
            }
            Frame frame = subscriber.next(patience);
            if (frame == null || frame.ptsNanos() != i) {
                throw new IllegalStateException("frame " + i + " did not come");
            }
            if (subscriber.transport().isDevice() && i % 2 == 0) {
                frame.closeOn(subscriber.stream());
            } else {
                frame.close();
            }
        }
    }
}
