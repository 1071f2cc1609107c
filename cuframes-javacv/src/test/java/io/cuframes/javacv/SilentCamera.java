// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import io.cuframes.CuframesException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A camera that pushes a second and a half of frames and then falls silent, its connection open. */
final class SilentCamera implements AutoCloseable {
    private static final int FRAMES = 60;

    private final CountDownLatch end = new CountDownLatch(1);
    private final Thread thread;
    private volatile long written;

    SilentCamera(String url) {
        thread = new Thread(() -> run(url), "silent camera");
        thread.start();
    }

    private void run(String url) {
        try (TestPatternWriter writer = connect(url)) {
            while (writer.number() < FRAMES) {
                writer.write();
                written = writer.number();
                TimeUnit.MILLISECONDS.sleep(10);
            }
            end.await();
        } catch (CuframesException e) {
            return; // the reader went first
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private TestPatternWriter connect(String url) throws InterruptedException {
        while (true) {
            try {
                return TestPatternWriter.builder(url)
                        .size(Clips.WIDTH, Clips.HEIGHT)
                        .codec("libx264")
                        .open();
            } catch (CuframesException e) {
                if (end.await(50, TimeUnit.MILLISECONDS)) {
                    throw e;
                }
            }
        }
    }

    long written() {
        return written;
    }

    @Override
    public void close() {
        end.countDown();
        try {
            thread.join(10_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
