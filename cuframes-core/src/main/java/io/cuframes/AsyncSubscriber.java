// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.internal.os.Closing;
import java.time.Duration;
import java.util.Objects;

/**
 * A subscriber with a thread of its own, {@code cuframes-<key>-reader}, that calls a {@link FrameHandler} with each frame.
 *
 * <pre>{@code
 * try (AsyncSubscriber frames = Subscriber.builder("cam1")
 *         .mode(SubscriberMode.NEWEST_ONLY)
 *         .reconnect(Backoff.DEFAULT)
 *         .start(frame -> detect(frame.plane(0).pointer(), frame.plane(0).pitch()))) {
 *     frames.awaitEnd(Duration.ofHours(1));
 * }
 * }</pre>
 *
 * <p>The thread is a daemon: it does not keep the program from ending. All methods are safe from any thread.
 */
public final class AsyncSubscriber implements AutoCloseable {
    private final Subscriber.Options options;
    private final Subscriber subscriber;
    private final FrameHandler handler;
    private final Thread thread;

    private AsyncSubscriber(Subscriber.Options options, Subscriber subscriber, FrameHandler handler) {
        this.options = options;
        this.subscriber = subscriber;
        this.handler = handler;
        this.thread = Thread.ofPlatform()
                .daemon()
                .name("cuframes-" + subscriber.key() + "-reader")
                .unstarted(this::run);
    }

    static AsyncSubscriber start(Subscriber.Options options, FrameHandler handler) {
        Objects.requireNonNull(handler, "handler");
        Subscriber subscriber = Subscriber.open(options, "handler", () -> false);
        try {
            AsyncSubscriber async = new AsyncSubscriber(options, subscriber, handler);
            async.thread.start();
            return async;
        } catch (Throwable e) { // no thread can be made
            Closing.undo(e, subscriber::release);
            throw e;
        }
    }

    private void run() {
        Throwable end = handleAll();
        boolean closed = subscriber.isRetired();
        try {
            subscriber.release();
        } catch (Throwable e) {
            end = Closing.join(end, e);
        }
        if (closed) {
            if (end != null) { // nobody waits for it any more, but it is not to be lost
                thread.getUncaughtExceptionHandler().uncaughtException(thread, end);
            }
        } else if (Subscriber.isPlainEnd(options, end)) {
            handler.onEnd();
        } else {
            handler.onError(end);
        }
    }

    /** Hands frames on until there are no more; what ended that, or null if {@link #close()} did. */
    private Throwable handleAll() {
        try {
            while (!subscriber.isRetired()) {
                Thread.interrupted(); // what the handler left behind is not meant for the wait for the next frame
                try (Frame frame = subscriber.take(Long.MAX_VALUE, true)) {
                    if (frame != null) {
                        handler.onFrame(frame);
                    }
                }
            }
            return null;
        } catch (Throwable e) {
            return e;
        }
    }

    /**
     * The subscriber that reads, for its accessors: counts, format, connection. Its {@link Subscriber#next} throws an IllegalStateException; closing
     * it stops the handler as {@link #close()} does, and does not wait.
     *
     * @return the same at each call
     */
    public Subscriber subscriber() {
        return subscriber;
    }

    /**
     * Whether frames are handed to the handler, now and when there are some.
     *
     * @return false once this is closed or over: in {@link FrameHandler#onEnd} and {@link FrameHandler#onError}, too
     */
    public boolean isRunning() {
        return !subscriber.isRetired();
    }

    /**
     * Waits until the handler has had its last call.
     *
     * @param timeout how long at most
     * @return whether it has
     * @throws InterruptedException if the calling thread is interrupted
     * @throws IllegalStateException if the handler calls this, which would wait for itself
     */
    public boolean awaitEnd(Duration timeout) throws InterruptedException {
        if (Thread.currentThread().equals(thread)) {
            throw new IllegalStateException("the handler of \"" + subscriber.key() + "\" cannot wait for its own end");
        }
        return thread.join(timeout);
    }

    /**
     * Ends the subscription; {@link FrameHandler#onEnd} and {@link FrameHandler#onError} are not called. Waits for the handler to return, however
     * long that takes: after this, it is not called again. It does not wait when the handler itself closes, nor when the calling thread is
     * interrupted, which it then still is: the handler's thread then lets go of everything as soon as the handler returns. Closing twice closes
     * once.
     */
    @Override
    public void close() {
        subscriber.stop();
        if (Thread.currentThread().equals(thread)) {
            return;
        }
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
