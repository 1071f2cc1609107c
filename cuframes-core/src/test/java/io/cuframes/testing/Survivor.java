// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.Backoff;
import io.cuframes.Frame;
import io.cuframes.FrameFormat;
import io.cuframes.PublisherGoneException;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A reader in this process that outlives its publishers: it looks at every byte of every frame on a thread of its own, follows the stream from epoch to
 * epoch, and notes when it learned of each publisher's end.
 */
public final class Survivor implements AutoCloseable, Subscriber.Listener {
    private static final Duration SLICE = Duration.ofMillis(20);
    private static final Duration CLOSING = Duration.ofSeconds(10);

    private final Subscriber subscriber;
    private final Thread thread;
    private final Map<FrameFormat, FramePattern> patterns = new HashMap<>();
    private final AtomicLong frames = new AtomicLong();
    private final AtomicLong lastSeq = new AtomicLong();
    private final AtomicLong lastEpoch = new AtomicLong();
    private final AtomicLong lostNanos = new AtomicLong();
    private final AtomicReference<String> fault = new AtomicReference<>();
    private volatile PublisherGoneException.Reason lostReason;
    private volatile boolean closed;

    /** Connects to the publisher that is there. */
    public Survivor(StreamFixture stream, SubscriberMode mode) {
        subscriber = Subscriber.builder(stream.key())
                .socketDirectory(stream.directory())
                .mode(mode)
                .name("survivor")
                .reconnect(Backoff.every(Duration.ofMillis(5)))
                .listener(this)
                .open();
        thread = Thread.ofPlatform().name("survivor-" + mode).start(this::read);
    }

    private void read() {
        try {
            while (!closed) {
                try (Frame frame = subscriber.next(SLICE)) {
                    if (frame != null) {
                        look(frame);
                    }
                }
            }
        } catch (RuntimeException e) {
            note("failed: " + e);
        }
    }

    private void look(Frame frame) {
        long at = patterns.computeIfAbsent(frame.format(), FramePattern::new).firstFault(frame, frame.seq());
        if (at >= 0) {
            note("frame " + frame.seq() + " of " + frame.format() + " is damaged at byte " + at);
        }
        if (frame.epoch() == lastEpoch.get() && frame.seq() <= lastSeq.get()) {
            note("frame " + frame.seq() + " after " + lastSeq.get());
        }
        frames.incrementAndGet();
        lastEpoch.set(frame.epoch());
        lastSeq.set(frame.seq());
    }

    private void note(String what) {
        fault.compareAndSet(null, what);
    }

    @Override
    public void disconnected(long epoch, PublisherGoneException.Reason reason, String text) {
        lostNanos.set(System.nanoTime());
        lostReason = reason;
    }

    /** What was wrong first; null if nothing was. */
    public String fault() {
        return fault.get();
    }

    /** Frames seen, all whole unless {@link #fault} says otherwise. */
    public long frames() {
        return frames.get();
    }

    /** Whether it has seen that frame of that epoch, or a later one. */
    public boolean hasSeen(long epoch, long seq) {
        return lastEpoch.get() == epoch && lastSeq.get() >= seq;
    }

    public boolean isConnected() {
        return subscriber.isConnected();
    }

    public Subscriber subscriber() {
        return subscriber;
    }

    /** When it last learned that a publisher was gone; monotonic. */
    public long lostNanos() {
        return lostNanos.get();
    }

    /** How that publisher went. */
    public PublisherGoneException.Reason lostReason() {
        return lostReason;
    }

    @Override
    public void close() {
        closed = true;
        try {
            if (!thread.join(CLOSING)) {
                throw new AssertionError("a survivor hangs");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
        subscriber.close();
    }
}
