// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.Frame;
import io.cuframes.PublisherGoneException;
import io.cuframes.Subscriber;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** Reads frames and counts them. For one thread. */
final class FrameCount {
    /**
     * When to begin and to end.
     *
     * @param warmup frames read before counting begins
     * @param maxFrames frames to count; 0 for no end
     * @param timeout how long without a frame counts as a timeout
     */
    record Limits(long warmup, long maxFrames, Duration timeout) {}

    /** A wait is cut into pieces, so that a stop is obeyed and a stalled stream's live line still moves. */
    private static final Duration SLICE = Duration.ofMillis(100);

    private static final long MOST_LATENCY_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final Subscriber subscriber;
    private final Limits limits;
    private final StampCheck stamps;
    private final EpochLog epochs;
    private final CountProgress progress;
    private final CaptureLatency captureLatency = new CaptureLatency();
    private final Histogram latency = new Histogram(MOST_LATENCY_NANOS, 3);
    private long warmupLeft;
    private long frames;
    private long gaps;
    private long damaged;
    private long timeouts;
    private long seq;
    private long firstNanos;
    private long lastNanos;
    private long quietSince;
    private long stampedEpoch;

    /** A count that has not begun; without a stamp check where {@code stamps} is null. */
    FrameCount(Subscriber subscriber, Limits limits, StampCheck stamps, EpochLog epochs, CountProgress progress) {
        this.subscriber = subscriber;
        this.limits = limits;
        this.stamps = stamps;
        this.stampedEpoch = subscriber.epoch();
        this.epochs = epochs;
        this.progress = progress;
        this.warmupLeft = limits.warmup();
    }

    /**
     * Counts until the limit, the end of the stream, or the signal.
     *
     * @return how the stream ended, or null if it did not
     */
    PublisherGoneException run(StopSignal stop) {
        quietSince = System.nanoTime();
        try {
            while (!stop.raised() && (limits.maxFrames() == 0 || frames < limits.maxFrames())) {
                long now;
                try (Frame frame = subscriber.next(SLICE)) {
                    now = System.nanoTime();
                    if (frame == null) {
                        noticeQuiet(now);
                    } else {
                        take(frame, now);
                    }
                }
                progress.offer(this, now);
            }
            return null;
        } catch (PublisherGoneException e) {
            return e;
        }
    }

    private void noticeQuiet(long now) {
        if (now - quietSince >= limits.timeout().toNanos()) {
            timeouts++;
            quietSince = now;
        }
    }

    private void take(Frame frame, long now) {
        quietSince = now;
        seq = frame.seq();
        checkStamp(frame);
        if (warmupLeft > 0) {
            warmupLeft--;
            return;
        }
        if (frames == 0) {
            firstNanos = now;
        }
        lastNanos = now;
        frames++;
        gaps += frame.missed();
        damaged += frame.isDamaged() ? 1 : 0;
        epochs.count(frame);
        captureLatency.take(frame);
        latency.recordValue(Math.clamp(now - frame.publishTimeNanos(), 0, MOST_LATENCY_NANOS));
    }

    private void checkStamp(Frame frame) {
        if (stamps == null) {
            return;
        }
        if (frame.epoch() != stampedEpoch) {
            stampedEpoch = frame.epoch();
            stamps.begin(frame.format(), frame.transport(), subscriber.slots());
        }
        stamps.check(frame);
    }

    long frames() {
        return frames;
    }

    long gaps() {
        return gaps;
    }

    /** Frames counted that the publisher marked as damaged. */
    long damaged() {
        return damaged;
    }

    long timeouts() {
        return timeouts;
    }

    /** For how long the publisher has been stalled; 0 if it is not. */
    long publisherStalledMillis() {
        return subscriber.publisherStalledNanos() / 1_000_000;
    }

    /** Whether the publisher says that it publishes nothing on purpose. */
    boolean publisherIsIdle() {
        return subscriber.isPublisherIdle();
    }

    /** Sequence number of the last frame; 0 before the first. */
    long seq() {
        return seq;
    }

    /** Each epoch by itself. */
    EpochLog epochs() {
        return epochs;
    }

    CaptureLatency captureLatency() {
        return captureLatency;
    }

    /** What the stamps said, or null if they are not checked. */
    StampCheck stamps() {
        return stamps;
    }

    /** From the first counted frame to the last. */
    double seconds() {
        return (lastNanos - firstNanos) / 1e9;
    }

    /** Frames in a second, from the first counted frame to the last; NaN before there are two. */
    double fps() {
        return frames < 2 ? Double.NaN : (frames - 1) / seconds();
    }

    /** Microseconds; NaN before the first frame. */
    double latencyMicros(double percentile) {
        return frames == 0 ? Double.NaN : latency.getValueAtPercentile(percentile) / 1e3;
    }
}
