// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks.ipc;

import io.cuframes.Frame;
import io.cuframes.PixelFormat;
import io.cuframes.PublishPolicy;
import io.cuframes.Publisher;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import io.cuframes.Transport;
import io.cuframes.WaitStrategy;
import io.cuframes.WritableFrame;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Two rings in host memory. The bytes are written, and read, in the slot. Either nothing is lost, and the writer waits for the reader; or the writer
 * waits for nobody, as a camera does, and a reader that is slower misses frames.
 */
final class RingLink extends Link {
    private static final Duration PATIENCE = Duration.ofSeconds(1);
    private static final Duration CONNECT = Duration.ofSeconds(30);

    private final Publisher publisher;
    private final boolean lossless;
    private final Subscriber subscriber;

    /** Which of the two processes this is decides which ring it writes. */
    RingLink(Task task, boolean first, Path directory, boolean lossless) {
        this.lossless = lossless;
        // Two rows of half a small message each, the least that a frame has; or rows of 2048, which a ring does not
        // pad.
        int width = Math.min(task.bytes() / 2, 2048);
        publisher = Publisher.builder(key(first))
                .socketDirectory(directory)
                .transport(Transport.HOST)
                .format(PixelFormat.GRAY8)
                .size(width, task.bytes() / width)
                .slots(task.bytes() > PAGE ? 6 : 64)
                .policy(lossless ? PublishPolicy.STRICT_WAIT : PublishPolicy.DROP_OLDEST)
                .waitTimeout(PATIENCE)
                .open();
        try {
            subscriber = Subscriber.builder(key(!first))
                    .socketDirectory(directory)
                    .mode(SubscriberMode.STRICT_ORDER)
                    .waitStrategy(WaitStrategy.SPIN)
                    .connectTimeout(CONNECT)
                    .open();
        } catch (RuntimeException e) {
            publisher.close();
            throw e;
        }
        while (publisher.subscribers() == 0) {
            Thread.onSpinWait();
        }
    }

    private static String key(boolean first) {
        return "ipc-" + ProcessHandle.current().parent().orElseThrow().pid() + (first ? "-there" : "-back");
    }

    @Override
    void send(long number, long startNanos) {
        while (true) {
            try (WritableFrame frame = publisher.acquire()) {
                if (frame != null) {
                    MemorySegment bytes = frame.plane(0).segment();
                    if (bytes.byteSize() > PAGE) {
                        bytes.fill(bodyOf(number));
                    } else {
                        bytes.set(ValueLayout.JAVA_BYTE, BODY, bodyOf(number));
                    }
                    bytes.set(ValueLayout.JAVA_LONG, NUMBER, number);
                    bytes.set(ValueLayout.JAVA_LONG, STARTED, startNanos);
                    frame.publish(0);
                    return;
                }
            }
        }
    }

    @Override
    int poll() {
        try (Frame frame = subscriber.next(PATIENCE)) {
            if (frame == null) {
                return 0;
            }
            MemorySegment bytes = frame.plane(0).segment();
            long number = bytes.get(ValueLayout.JAVA_LONG, NUMBER);
            byte body = bodyOf(number);
            boolean right = bytes.get(ValueLayout.JAVA_BYTE, BODY) == body;
            for (long at = PAGE; at < bytes.byteSize(); at += PAGE) {
                right &= bytes.get(ValueLayout.JAVA_BYTE, at) == body;
            }
            take(number, bytes.get(ValueLayout.JAVA_LONG, STARTED), right, lossless);
            return 1;
        }
    }

    @Override
    public void close() {
        subscriber.close();
        publisher.close();
    }
}
