// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.FrameFormat;
import io.cuframes.Publisher;
import io.cuframes.WritableFrame;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/** A publisher in this process that publishes a frame with a pattern every interval, on a thread of its own, and measures how long that takes. */
public final class LivePublisher implements AutoCloseable {
    private final long intervalNanos;
    private final Thread thread;
    private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final Percentiles durations = new Percentiles();
    private volatile Publisher publisher;
    private volatile boolean closed;
    private volatile boolean paused;
    private FramePattern pattern;

    /** Takes over a publisher. */
    public LivePublisher(Publisher publisher, long intervalNanos) {
        this.publisher = publisher;
        this.intervalNanos = intervalNanos;
        this.pattern = new FramePattern(publisher.format());
        this.thread = Thread.ofPlatform().name("live-publisher").start(this::run);
    }

    private void run() {
        long due = System.nanoTime();
        while (!closed) {
            for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
                task.run();
            }
            if (!paused) {
                publishOne();
            }
            due = Math.max(due + intervalNanos, System.nanoTime() - intervalNanos);
            LockSupport.parkNanos(due - System.nanoTime());
        }
    }

    private void publishOne() {
        long start = System.nanoTime();
        WritableFrame frame = publisher.acquire();
        long acquired = System.nanoTime();
        if (frame == null) {
            durations.add(acquired - start);
            return;
        }
        try (frame) {
            long seq = publisher.published() + 1;
            pattern.write(frame, seq);
            long filled = System.nanoTime();
            frame.publish(seq * 40_000_000);
            durations.add(acquired - start + System.nanoTime() - filled);
        }
    }

    /** Does something on the publishing thread, between two frames. */
    public <T> T call(Supplier<T> something) {
        CompletableFuture<T> result = new CompletableFuture<>();
        tasks.add(() -> {
            try {
                result.complete(something.get());
            } catch (RuntimeException e) {
                result.completeExceptionally(e);
            }
        });
        return result.join();
    }

    /** Publishes nothing until {@link #resume}, and waits until the GPU has announced all. */
    public void pause() {
        call(() -> {
            paused = true;
            while (publisher.announced() < publisher.published()) {
                Thread.onSpinWait();
            }
            return null;
        });
    }

    public void resume() {
        paused = false;
    }

    /** How many slots can be acquired at a time; for while it is paused. */
    public int countSlots() {
        return call(() -> {
            List<WritableFrame> frames = new ArrayList<>();
            for (WritableFrame frame = publisher.acquire(); frame != null; frame = publisher.acquire()) {
                frames.add(frame);
            }
            frames.forEach(WritableFrame::close);
            return frames.size();
        });
    }

    /** Goes on with another format. */
    public void reopen(FrameFormat format) {
        call(() -> {
            publisher = publisher.reopen(format);
            pattern = new FramePattern(format);
            return null;
        });
    }

    public Publisher publisher() {
        return publisher;
    }

    /** How long acquire and publish took together, for each frame; once this is closed. */
    public Percentiles durations() {
        return durations;
    }

    /** Ends the stream. */
    @Override
    public void close() {
        closed = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
        publisher.close();
    }
}
