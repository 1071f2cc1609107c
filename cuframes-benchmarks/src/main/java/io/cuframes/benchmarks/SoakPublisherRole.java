// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import io.cuframes.ColorInfo;
import io.cuframes.FrameFormat;
import io.cuframes.PixelFormat;
import io.cuframes.Publisher;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/** Publishes one stream, and goes on with another format now and then, until a byte comes on its standard input. Says how it does each second. */
final class SoakPublisherRole {
    private static final List<PixelFormat> FORMATS =
            List.of(PixelFormat.NV12, PixelFormat.RGB24, PixelFormat.P010, PixelFormat.GRAY8);

    private static final int LEAST_SECONDS = 8;
    private static final int MORE_SECONDS = 20;

    private final Random random;
    private final FrameFormat full;
    private Publisher publisher;
    private SoakStamp stamp;
    private long frames;
    private long slowestNanos;
    private int formats = 1;

    private SoakPublisherRole(Publisher publisher, long seed) {
        this.random = new Random(seed);
        this.full = publisher.format();
        use(publisher);
    }

    private void use(Publisher next) {
        publisher = next;
        stamp = new SoakStamp(next.format());
    }

    /** Arguments: key, socket directory, transport, width, height, frames a second, seed. */
    public static void main(String[] args) throws IOException {
        Publisher first = Publisher.builder(args[0])
                .socketDirectory(Path.of(args[1]))
                .transport(Transport.valueOf(args[2]))
                .size(Integer.parseInt(args[3]), Integer.parseInt(args[4]))
                .maxSubscribers(256)
                .open();
        new SoakPublisherRole(first, Long.parseLong(args[6])).run(1_000_000_000L / Integer.parseInt(args[5]));
    }

    private void run(long intervalNanos) throws IOException {
        long start = System.nanoTime();
        long due = start;
        long nextFormat = start + formatNanos();
        long nextWord = start;
        while (System.in.available() == 0) {
            long now = System.nanoTime();
            if (now >= nextFormat) {
                use(publisher.reopen(nextFormat()));
                formats++;
                nextFormat = now + formatNanos();
            }
            publishOne();
            if (now >= nextWord) {
                nextWord = now + 1_000_000_000;
                say();
                if (SoakReadersRole.isOrphan()) {
                    break;
                }
            }
            due = Math.max(due + intervalNanos, System.nanoTime() - intervalNanos);
            LockSupport.parkNanos(due - System.nanoTime());
        }
        say();
        publisher.close();
    }

    private long formatNanos() {
        return (LEAST_SECONDS + random.nextInt(MORE_SECONDS)) * 1_000_000_000L;
    }

    /** Another pixel format, full size or half. */
    private FrameFormat nextFormat() {
        int half = random.nextInt(2);
        return FrameFormat.of(
                FORMATS.get(random.nextInt(FORMATS.size())),
                (full.width() >> half) & ~1,
                (full.height() >> half) & ~1,
                ColorInfo.UNKNOWN);
    }

    private void publishOne() {
        long before = System.nanoTime();
        WritableFrame frame = publisher.acquire();
        long taken = System.nanoTime() - before;
        if (frame != null) {
            try (frame) {
                stamp.write(frame, publisher.published() + 1);
                before = System.nanoTime();
                frame.publish(before);
                taken += System.nanoTime() - before;
            }
            frames++;
        }
        slowestNanos = Math.max(slowestNanos, taken);
    }

    private void say() {
        System.out.println("counts " + frames + " " + slowestNanos + " " + formats);
    }
}
