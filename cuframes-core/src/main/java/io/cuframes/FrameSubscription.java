// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.internal.os.Closing;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** One receiver of a {@link FramePublisher}: takes frames under demand, and makes all calls to the receiver from one thread. */
final class FrameSubscription implements Flow.Subscription {
    /** How often a subscription without demand looks whether its publisher is gone. */
    private static final long IDLE_NANOS = 50_000_000;

    private final Subscriber.Options options;
    private final Thread thread;

    /** Null once there is nothing more to tell. For the thread. */
    private Flow.Subscriber<? super Frame> receiver;

    /** Frames requested and not yet delivered; the largest long for no limit. */
    private final AtomicLong demand = new AtomicLong();

    /** What the receiver requested that nobody can; null if nothing. */
    private volatile IllegalArgumentException illegal;

    /** The receiver wants nothing more, or has been told the end. */
    private volatile boolean cancelled;

    private volatile Subscriber source;

    /** Why there are no more frames. For the thread. */
    private Throwable end;

    FrameSubscription(Subscriber.Options options, Flow.Subscriber<? super Frame> receiver) {
        this.options = options;
        this.receiver = receiver;
        this.thread = Thread.ofPlatform()
                .daemon()
                .name("cuframes-" + options.key() + "-reader")
                .unstarted(this::run);
    }

    /** Begins, or has the receiver hear at once that there is no thread for it. */
    void start() {
        try {
            thread.start();
        } catch (OutOfMemoryError e) {
            end = e;
            receiver.onSubscribe(this);
            if (!cancelled) {
                cancelled = true;
                signalEnd();
            }
            receiver = null;
        }
    }

    @Override
    public void request(long count) {
        if (count <= 0) {
            illegal = new IllegalArgumentException("non-positive subscription request (Reactive Streams, rule 3.9): a"
                    + " receiver of \"" + options.key() + "\" requested " + count + " frames");
            stop();
            return;
        }
        demand.accumulateAndGet(count, (open, more) -> open + more < 0 ? Long.MAX_VALUE : open + more);
        LockSupport.unpark(thread);
    }

    @Override
    public void cancel() {
        cancelled = true;
        stop();
    }

    private void stop() {
        Subscriber connected = source; // if it is not there yet, whoever makes it looks at the flags after
        if (connected != null) {
            connected.stop();
        }
        LockSupport.unpark(thread);
    }

    private boolean isStopped() {
        return cancelled || illegal != null;
    }

    private void run() {
        try {
            receiver.onSubscribe(this);
            for (Frame frame = next(); frame != null; frame = next()) {
                deliver(frame);
            }
            if (!cancelled) {
                cancelled = true;
                signalEnd();
            }
        } finally { // whatever the receiver throws
            cancelled = true;
            receiver = null;
            retire();
        }
    }

    /** The next frame that was requested; null if there are no more, and then {@code end} says why. */
    private Frame next() {
        try {
            if (source == null) {
                source = Subscriber.open(options, "receiver", this::isStopped);
            }
            while (!isStopped()) {
                Thread.interrupted(); // what the receiver left behind is not meant for the wait for the next frame
                if (demand.get() > 0 || source.isOver()) {
                    Frame frame = source.take(Long.MAX_VALUE, true);
                    if (frame != null) {
                        return frame;
                    }
                } else {
                    LockSupport.parkNanos(this, IDLE_NANOS);
                }
            }
        } catch (RuntimeException | Error e) {
            end = e;
        }
        return null;
    }

    private void deliver(Frame frame) {
        demand.getAndUpdate(open -> open == Long.MAX_VALUE ? open : open - 1);
        boolean delivered = false;
        try {
            if (!isStopped()) {
                receiver.onNext(frame);
                delivered = true;
            }
        } finally {
            if (!delivered) {
                frame.close();
            }
        }
    }

    private void signalEnd() {
        Throwable reason = illegal == null ? end : illegal;
        try {
            retire(); // first, so that the receiver may connect anew
        } catch (Throwable e) {
            reason = Closing.join(reason, e);
        }
        if (Subscriber.isPlainEnd(options, reason)) {
            receiver.onComplete();
        } else {
            receiver.onError(reason);
        }
    }

    private void retire() {
        if (source != null) {
            source.retire();
        }
    }
}
