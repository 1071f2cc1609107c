// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import io.cuframes.CuframesException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongPredicate;

/** A camera on a thread of its own: pushes the test pattern at 25 frames per second, to whoever listens at a URL. A key frame every 5. */
final class Pusher implements AutoCloseable {
    private static final long GIVE_UP_NANOS = 20_000_000_000L;

    private final LongPredicate leftOut;
    private final Thread thread;
    private volatile boolean stopping;
    private volatile CuframesException failure;

    Pusher(String url, String codec) {
        this(url, codec, number -> false);
    }

    /** One that leaves frames out, by their numbers. */
    Pusher(String url, String codec, LongPredicate leftOut) {
        this.leftOut = leftOut;
        thread = new Thread(() -> run(url, codec), "pusher");
        thread.start();
    }

    private void run(String url, String codec) {
        try (TestPatternWriter writer = connect(url, codec)) {
            long start = System.nanoTime();
            while (!stopping) {
                if (leftOut.test(writer.number())) {
                    writer.skip();
                } else {
                    writer.write();
                }
                long due = start + writer.number() * 1_000_000_000 / Clips.FPS;
                TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
            }
        } catch (CuframesException e) {
            failure = e; // the reader went first
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Tries until the reader listens. */
    private TestPatternWriter connect(String url, String codec) throws InterruptedException {
        long start = System.nanoTime();
        while (true) {
            try {
                return TestPatternWriter.builder(url)
                        .size(Clips.WIDTH, Clips.HEIGHT)
                        .fps(Clips.FPS)
                        .codec(codec)
                        .gop(5)
                        .open();
            } catch (CuframesException e) {
                if (stopping || System.nanoTime() - start > GIVE_UP_NANOS) {
                    throw e;
                }
                TimeUnit.MILLISECONDS.sleep(50);
            }
        }
    }

    CuframesException failure() {
        return failure;
    }

    @Override
    public void close() {
        stopping = true;
        try {
            thread.join(10_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
