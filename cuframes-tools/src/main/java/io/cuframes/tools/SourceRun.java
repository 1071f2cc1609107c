// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.CuframesException;
import io.cuframes.FrameFormat;
import io.cuframes.Publisher;
import io.cuframes.Transport;
import io.cuframes.javacv.VideoSource;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/**
 * Publishes a source until it ends; where its format changes, a publisher of the new format follows; while nobody wants its frames, it is closed.
 * Where a publisher cannot be opened now and may be later, the GPU having no memory for its ring for example, it is tried again until the signal
 * comes. For one thread; the accessors are safe from any.
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

        /** The publisher could not be opened, and is tried again. */
        void waiting(SourceRun run, String reason, Duration retryIn);

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
    private final boolean patient;
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

    /**
     * A run that has yet to begin.
     *
     * @param source what is published
     * @param opener opens a publisher for frames of a format
     * @param maxFrames after which it ends; 0 for no end
     * @param demand whether somebody wants frames
     * @param watcher hears how it goes on
     * @param patient whether the first publisher is tried again, too, as each later one is
     */
    SourceRun(
            VideoSource source,
            Function<FrameFormat, Publisher> opener,
            long maxFrames,
            Demand demand,
            Watcher watcher,
            boolean patient) {
        this.source = source;
        this.opener = opener;
        this.maxFrames = maxFrames;
        this.demand = demand;
        this.watcher = watcher;
        this.patient = patient;
    }

    /** Publishes until the source ends, the frames are counted, or the signal comes. */
    void run(StopSignal stop) {
        // Before the first frame a format may be known in part only, and the rest of it would begin another epoch at
        // once.
        if (stop.raised() || !source.awaitFrame()) {
            return;
        }
        try (Ending closing = this::closePublisher) {
            Publisher first = openFirst(stop);
            if (first != null) {
                publisher = first;
                demand.ask(first);
                opened();
                publishEpochs(stop);
            }
        }
    }

    /** The publisher at the end, which need not be the first: what its close throws does not hide why the run ended. */
    private interface Ending extends AutoCloseable {
        @Override
        void close();
    }

    private void closePublisher() {
        if (publisher != null) {
            publisher.close();
        }
    }

    private void publishEpochs(StopSignal stop) {
        while (publishAll(stop) == VideoSource.Status.FORMAT_CHANGED) {
            Publisher next = openNext(stop);
            if (next == null) {
                return;
            }
            publisher = next;
            demand.askInstead(next);
            opened();
        }
    }

    /** Null if the signal came first. */
    private Publisher openFirst(StopSignal stop) {
        try {
            return opener.apply(source.format());
        } catch (CuframesException e) {
            if (!patient) {
                throw e;
            }
            return openLater(stop, e);
        }
    }

    /** Null if the signal came first. */
    private Publisher openNext(StopSignal stop) {
        try {
            return publisher.reopen(source.format());
        } catch (CuframesException e) {
            return openLater(stop, e); // the one before is closed: its readers see that the stream is gone
        }
    }

    private Publisher openLater(StopSignal stop, CuframesException failure) {
        CuframesException last = failure;
        RetryWait waits = new RetryWait();
        while (last.isPassing() && !stop.raised()) {
            Duration wait = waits.next();
            watcher.waiting(this, last.getMessage(), wait);
            stop.sleep(wait.toMillis());
            if (stop.raised()) {
                return null;
            }
            try {
                return opener.apply(source.format());
            } catch (CuframesException e) {
                last = e;
            }
        }
        if (stop.raised()) {
            return null;
        }
        throw last;
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

    /** What was damaged of the source. */
    SourceDamage damage() {
        return SourceDamage.of(source);
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
