// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.Child;
import io.cuframes.testing.StreamFixture;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The steady state makes no garbage: with statistics counted, and events that nobody records. */
class AllocationTest {
    private static final int FRAMES = 100_000;
    private static final int MAX_ATTEMPTS = 30;
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /** Looking it up is no small matter for the garbage collector. */
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private final StreamFixture stream = new StreamFixture();

    @AfterEach
    void removeStream() {
        stream.close();
    }

    private Publisher publisher() {
        return publisher(stream.key(), stream.directory());
    }

    private static Publisher publisher(String key, Path directory) {
        return Publisher.builder(key)
                .socketDirectory(directory)
                .transport(Transport.HOST)
                .size(64, 64)
                .open();
    }

    private Subscriber subscriber(WaitStrategy strategy) {
        return subscriber(stream.key(), stream.directory(), strategy);
    }

    private static Subscriber subscriber(String key, Path directory, WaitStrategy strategy) {
        return Subscriber.builder(key)
                .socketDirectory(directory)
                .waitStrategy(strategy)
                .open();
    }

    /**
     * What so many steps allocate, in bytes. Linking and compiling allocate too, on this thread and for a while, so that is tried again, with fewer
     * steps until those allocate nothing: linking comes to an end, and what every step allocates does not.
     */
    private static long allocatedBy(int steps, Runnable step) {
        long allocated = Long.MAX_VALUE;
        for (int attempt = 0; attempt < MAX_ATTEMPTS && allocated > 0; attempt++) {
            allocated = measure(steps / 10, step);
            if (allocated == 0) {
                allocated = measure(steps, step);
            }
        }
        return allocated;
    }

    private static long measure(int steps, Runnable step) {
        long before = allocatedByThisThread();
        for (int i = 0; i < steps; i++) {
            step.run();
        }
        return allocatedByThisThread() - before;
    }

    private static long allocatedByThisThread() {
        return ((com.sun.management.ThreadMXBean) THREADS).getCurrentThreadAllocatedBytes();
    }

    /** Publishes and reads, and misses a frame now and then. */
    private static void pass(Publisher publisher, Subscriber subscriber) {
        publish(publisher);
        if (publisher.published() % 8 == 0) {
            publish(publisher);
        }
        try (Frame frame = subscriber.next(PATIENCE)) {
            assertEquals(1, frame.ptsNanos());
        }
    }

    private static void publish(Publisher publisher) {
        try (WritableFrame frame = publisher.acquire()) {
            frame.publish(1);
        }
    }

    @Test
    void publishNextAndCloseAllocateNothing() {
        try (Publisher publisher = publisher();
                Subscriber subscriber = subscriber(WaitStrategy.ADAPTIVE)) {
            assertEquals(0, allocatedBy(FRAMES, () -> pass(publisher, subscriber)));
            SubscriberStats stats = subscriber.stats();
            assertEquals(stats.received(), stats.latency().count(), "every frame's latency is recorded");
            assertTrue(stats.gaps() > FRAMES / 10);
        }
    }

    /** What a compiler would not even make. */
    @Test
    void norWhereNothingIsCompiled() {
        try (Child interpreted = Child.start(
                Map.of("JDK_JAVA_OPTIONS", "-Xint"), AllocationTest.class, stream.key(), stream.directory())) {
            assertEquals("0 bytes", interpreted.answer());
        }
    }

    /** Arguments: key, socket directory. Prints what frames allocate in this JVM. */
    public static void main(String[] args) {
        try (Publisher publisher = publisher(args[0], Path.of(args[1]));
                Subscriber subscriber = subscriber(args[0], Path.of(args[1]), WaitStrategy.ADAPTIVE)) {
            System.out.println(allocatedBy(FRAMES / 50, () -> pass(publisher, subscriber)) + " bytes");
        }
    }

    @Test
    void droppedFramesAllocateNothing() {
        try (Publisher publisher = publisher();
                Subscriber one = subscriber(WaitStrategy.ADAPTIVE);
                Subscriber other = subscriber(WaitStrategy.ADAPTIVE)) {
            for (Subscriber subscriber : List.of(one, other)) {
                for (int i = 0; i < 3; i++) { // half of the ring
                    publish(publisher);
                    subscriber.next(PATIENCE);
                }
            }
            assertEquals(0, allocatedBy(FRAMES / 5, () -> assertNull(publisher.acquire())));
            assertTrue(publisher.stats().dropped() >= FRAMES / 5);
        }
    }

    /** But for the look at the socket, every 25 ms: until that is compiled, the JDK makes 40 bytes for each call that tells its errno. */
    @Test
    void looksThatFindNoFrameAllocateNothing() {
        try (Publisher publisher = publisher();
                Subscriber subscriber = subscriber(WaitStrategy.PARK)) {
            assertTrue(allocatedBy(FRAMES / 5, () -> assertNull(subscriber.next(Duration.ZERO))) < FRAMES / 50);
            assertEquals(0, publisher.published());
        }
    }
}
