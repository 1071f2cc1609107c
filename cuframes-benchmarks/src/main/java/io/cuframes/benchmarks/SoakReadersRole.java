// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import io.cuframes.Backoff;
import io.cuframes.CuframesException;
import io.cuframes.Frame;
import io.cuframes.FrameFormat;
import io.cuframes.PublisherGoneException;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * A number of subscribers, each of which joins a stream, reads it for a while, checks every frame, leaves, and joins another, until this process is killed
 * or its parent is gone. Says how it does each second.
 */
final class SoakReadersRole {
    private static final Duration SLICE = Duration.ofMillis(100);
    private static final int MOST_SECONDS = 10;
    private static final int STREAM_PLACE = 1;

    private final String[] arguments;
    private final AtomicLong frames = new AtomicLong();
    private final AtomicLong missed = new AtomicLong();
    private final AtomicLong damaged = new AtomicLong();
    private final AtomicLong joins = new AtomicLong();
    private final AtomicLong failures = new AtomicLong();

    private SoakReadersRole(String[] arguments) {
        this.arguments = arguments.clone();
    }

    /** Whether whoever started this process is gone. */
    static boolean isOrphan() {
        return ProcessHandle.current()
                .parent()
                .filter(ProcessHandle::isAlive)
                .filter(parent -> parent.pid() > 1)
                .isEmpty();
    }

    /** Arguments: how many subscribers, key prefix, how many streams, socket directory, seed. */
    public static void main(String[] args) {
        SoakReadersRole role = new SoakReadersRole(args);
        for (int i = 0; i < Integer.parseInt(args[0]); i++) {
            long seed = Long.parseLong(args[4]) + i;
            Thread.ofPlatform().daemon().name("soak-reader-" + i).start(() -> role.read(new Random(seed)));
        }
        while (!isOrphan()) {
            LockSupport.parkNanos(1_000_000_000);
            System.out.println("counts " + role.frames + " " + role.missed + " " + role.damaged + " " + role.joins + " "
                    + role.failures);
        }
    }

    private void read(Random random) {
        while (true) {
            SubscriberMode mode = random.nextBoolean() ? SubscriberMode.STRICT_ORDER : SubscriberMode.NEWEST_ONLY;
            String key = arguments[STREAM_PLACE] + random.nextInt(Integer.parseInt(arguments[2]));
            long until = System.nanoTime() + (1 + random.nextInt(MOST_SECONDS * 10)) * 100_000_000L;
            try (Subscriber subscriber = Subscriber.builder(key)
                    .socketDirectory(Path.of(arguments[3]))
                    .mode(mode)
                    .reconnect(Backoff.every(Duration.ofMillis(20)))
                    .open()) {
                joins.incrementAndGet();
                readUntil(until, subscriber, random);
                missed.addAndGet(subscriber.missed());
            } catch (CuframesException e) {
                if (!e.isPassing() || e instanceof PublisherGoneException) { // else a stream is between two formats
                    failures.incrementAndGet();
                    System.err.println("soak reader: " + e);
                }
            }
            LockSupport.parkNanos(random.nextInt(1_000) * 1_000_000L);
        }
    }

    private void readUntil(long until, Subscriber subscriber, Random random) {
        Map<FrameFormat, SoakStamp> stamps = new HashMap<>();
        while (System.nanoTime() < until) {
            try (Frame frame = subscriber.next(SLICE)) {
                if (frame == null) {
                    continue;
                }
                if (!stamps.computeIfAbsent(frame.format(), SoakStamp::new).isWhole(frame, frame.seq())) {
                    damaged.incrementAndGet();
                }
                if (random.nextInt(50) == 0) { // a reader that takes its time
                    LockSupport.parkNanos(200_000_000);
                    if (!stamps.get(frame.format()).isWhole(frame, frame.seq())) {
                        damaged.incrementAndGet();
                    }
                }
                frames.incrementAndGet();
            }
        }
    }
}
