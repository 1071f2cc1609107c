// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.FrameFormat;
import io.cuframes.Publisher;
import io.cuframes.Transport;
import io.cuframes.javacv.VideoSource;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/**
 * Publishes a source until it ends; where its format changes, its publisher is opened anew with that; while nobody wants its frames, it is
 * closed. For one thread; the accessors are safe from any.
 */
final class SourceRun {
    /** What a run is at. */
    enum Phase {
        /** No frame is known yet. */
        OPENING,
        /** Frames are published. */
        DECODING,
        /** Nobody reads: the source is closed. */
        IDLE,
        /** Somebody reads again: the source is being opened. */
        STARTING
    }

    /** Hears how a run goes on, on its thread. */
    interface Watcher {
        /** A publisher is there: the first one, or the next for a new format. */
        void opened(SourceRun run);

        /** The phase is another. */
        void turned(SourceRun run);

        /** Called often: after each frame, and now and then while there is none. */
        void offered(SourceRun run);
    }

    /** How often somebody who waits for readers looks for one. */
    private static final long LOOK_MILLIS = 50;

    private final VideoSource source;
    private final Function<FrameFormat, Publisher> opener;
    private final long maxFrames;
    private final Demand demand;
    private final Watcher watcher;
    private final AtomicLong frames = new AtomicLong();
    private final AtomicLong dropped = new AtomicLong();
    private volatile Publisher publisher;
    private volatile Phase phase = Phase.OPENING;
    private volatile Transport transport;
    private volatile int epochs;
    private volatile int starts;
    private volatile int mostSubscribers;
    private volatile long firstNanos;
    private volatile long lastNanos;

    SourceRun(
            VideoSource source,
            Function<FrameFormat, Publisher> opener,
            long maxFrames,
            Demand demand,
            Watcher watcher) {
        this.source = source;
        this.opener = opener;
        this.maxFrames = maxFrames;
        this.demand = demand;
        this.watcher = watcher;
    }

    /** Publishes until the source ends, the frames are counted, or the signal comes. */
    void run(StopSignal stop) {
        // Before the first frame a format may be known in part only, and the rest of it would begin another epoch at
        // once.
        if (stop.raised() || !source.awaitFrame()) {
            return;
        }
        publisher = opener.apply(source.format());
        try {
            demand.ask(publisher);
            opened();
            while (publishAll(stop) == VideoSource.Status.FORMAT_CHANGED) {
                publisher = publisher.reopen(source.format());
                demand.askInstead(publisher);
                opened();
            }
        } finally {
            publisher.close();
        }
    }

    private void opened() {
        epochs = epochs() + 1;
        transport = publisher.transport();
        watcher.opened(this);
    }

    private void turn(Phase next) {
        if (next == Phase.DECODING) {
            starts = starts() + 1;
        }
        phase = next;
        watcher.turned(this);
    }

    private VideoSource.Status publishAll(StopSignal stop) {
        VideoSource.Status status = VideoSource.Status.PUBLISHED;
        while (!stop.raised() && (maxFrames == 0 || frames() < maxFrames)) {
            if (phase != Phase.DECODING && source.awaitFrame()) {
                publisher.setIdle(false);
                turn(Phase.DECODING);
            }
            status = source.publishNext(publisher);
            switch (status) {
                case PUBLISHED -> count();
                case DROPPED -> dropped.incrementAndGet();
                case IDLE -> awaitDemand(stop);
                case FORMAT_CHANGED, END -> {
                    return status;
                }
            }
            noteProgress();
        }
        return status;
    }

    private void awaitDemand(StopSignal stop) {
        publisher.setIdle(true);
        turn(Phase.IDLE);
        while (!stop.raised() && !demand.getAsBoolean()) {
            noteProgress();
            stop.sleep(LOOK_MILLIS);
        }
        if (!stop.raised()) {
            turn(Phase.STARTING);
        }
    }

    private void count() {
        long now = System.nanoTime();
        lastNanos = now;
        if (frames.incrementAndGet() == 1) {
            firstNanos = now;
        }
    }

    private void noteProgress() {
        mostSubscribers = Math.max(mostSubscribers, publisher.subscribers());
        watcher.offered(this);
    }

    /** The source is lost, and will be tried again: readers who wait for it to start wait for nothing that is under way. */
    void noteLoss() {
        if (phase == Phase.STARTING) {
            publisher.setIdle(false);
        }
    }

    /** Whether it depends on readers. */
    boolean varies() {
        return demand.varies();
    }

    Phase phase() {
        return phase;
    }

    /** The publisher at present, or the last one, closed; null before the first. */
    Publisher publisher() {
        return publisher;
    }

    /** Publishers opened: one, and one more for each change of format. */
    int epochs() {
        return epochs;
    }

    /** How often decoding for readers began: once without on-demand; with it, each time that somebody came where nobody had read. */
    int starts() {
        return starts;
    }

    long frames() {
        return frames.get();
    }

    /** Frames that found every slot being read. */
    long dropped() {
        return dropped.get();
    }

    int subscribers() {
        return publisher == null ? 0 : publisher.subscribers();
    }

    /** The most subscribers there were at a time. */
    int mostSubscribers() {
        return mostSubscribers;
    }

    /** Where the frames were; null if there was none. */
    Transport transport() {
        return transport;
    }

    /** From the first frame to the last. */
    Duration duration() {
        return Duration.ofNanos(lastNanos - firstNanos);
    }

    double seconds() {
        return duration().toNanos() / 1e9;
    }

    double fps() {
        return frames() < 2 ? Double.NaN : (frames() - 1) / seconds();
    }
}
