// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.javacv.TestPatternWriter;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** The demo's camera: a thread that encodes the test pattern and pushes it, at its frame rate, until it is closed. */
final class PatternPush implements AutoCloseable {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(30);
    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final String url;
    private final int width;
    private final int height;
    private final int fps;
    private final Thread thread;
    private volatile boolean closed;
    private volatile Throwable failure;

    PatternPush(String url, int width, int height, int fps) {
        this.url = url;
        this.width = width;
        this.height = height;
        this.fps = fps;
        this.thread = new Thread(this::run, "cuframes-camera");
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        try (TestPatternWriter writer = open()) {
            long intervalNanos = TimeUnit.SECONDS.toNanos(1) / fps;
            long next = System.nanoTime();
            while (!closed) {
                writer.write();
                next += intervalNanos;
                sleepUntil(next);
            }
        } catch (RuntimeException | Error e) {
            if (!closed) {
                failure = e;
            }
        }
    }

    /** Connects, once the source listens. */
    private TestPatternWriter open() {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (true) {
            try {
                return TestPatternWriter.builder(url)
                        .size(width, height)
                        .fps(fps)
                        .open();
            } catch (CuframesException e) {
                if (closed
                        || e.code() == ErrorCode.INVALID_ARGUMENT
                        || e.code() == ErrorCode.UNSUPPORTED
                        || System.nanoTime() - deadline > 0) {
                    throw e;
                }
                LockSupport.parkNanos(RETRY_NANOS);
            }
        }
    }

    private void sleepUntil(long nanos) {
        long left = nanos - System.nanoTime();
        while (left > 0 && !closed) {
            LockSupport.parkNanos(left);
            left = nanos - System.nanoTime();
        }
    }

    /** What went wrong, or null. */
    Throwable failure() {
        return failure;
    }

    /** Ends the stream. */
    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
        try {
            thread.join(TimeUnit.SECONDS.toMillis(3));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
