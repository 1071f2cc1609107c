// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import java.util.Objects;
import java.util.concurrent.Flow;

/**
 * A stream's frames for reactive receivers, made by {@link Subscriber.Builder#toFlowPublisher}. Cold: every receiver has a connection and a thread
 * of its own, {@code cuframes-<key>-reader}, a daemon that makes all calls to it.
 *
 * <pre>{@code
 * Subscriber.builder("cam1").toFlowPublisher().subscribe(new Flow.Subscriber<Frame>() {
 *     private Flow.Subscription frames;
 *
 *     public void onSubscribe(Flow.Subscription subscription) {
 *         frames = subscription;
 *         frames.request(1);
 *     }
 *
 *     public void onNext(Frame frame) {
 *         try (frame) {
 *             detect(frame.plane(0).pointer(), frame.plane(0).pitch());
 *         }
 *         frames.request(1);
 *     }
 *
 *     public void onError(Throwable failure) {
 *         restartLater(failure);
 *     }
 *
 *     public void onComplete() {}
 * });
 * }</pre>
 *
 * <p><b>Frames are the receiver's to close</b>, on any thread. Those it holds stay valid also when it has cancelled, and when the publisher is
 * gone. Where it holds as many as the publisher grants, the next comes when one of them is closed, whatever the demand.
 *
 * <p><b>Demand is back-pressure</b>: a frame is taken from the ring only when it was requested. What happens to those that pass meanwhile is up to
 * {@link SubscriberMode} and {@link PublishPolicy}, as for {@link Subscriber#next}.
 *
 * <p><b>The end</b> is {@code onComplete} where the publisher ended the stream and there is no reconnection, else {@code onError} with what {@link
 * Subscriber.Builder#open()} or {@link Subscriber#next} would throw. An {@code onNext} that throws cancels; its frame is closed, and the thread's
 * uncaught exception handler is given what it threw.
 *
 * <p>Thread-safe, and may be subscribed to any number of times.
 */
public final class FramePublisher implements Flow.Publisher<Frame> {
    private final Subscriber.Options options;

    FramePublisher(Subscriber.Options options) {
        this.options = options;
    }

    /**
     * Connects for a receiver. Returns at once; that there is no publisher is told by {@code onError}, after the connect timeout.
     *
     * @param receiver called from a thread of its own
     */
    @Override
    public void subscribe(Flow.Subscriber<? super Frame> receiver) {
        new FrameSubscription(options, Objects.requireNonNull(receiver, "receiver")).start();
    }
}
