// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

/**
 * What an {@link AsyncSubscriber} calls, one call at a time, on its own thread.
 *
 * <p>At the end one of {@link #onEnd} and {@link #onError} is called, once, and nothing after it; neither is called for who closes the
 * subscriber. By then everything is let go of, so that a handler may start another subscriber there.
 */
@FunctionalInterface
public interface FrameHandler {
    /**
     * The next frame. It is closed when this returns or throws, unless it was closed here: with {@link Frame#closeOn} where a GPU is still to
     * read it. To keep pixels longer, copy them, or be a receiver of {@link Subscriber.Builder#toFlowPublisher}, who closes frames
     * itself. As long as this runs no other frame is taken; what that means for the publisher is the affair of {@link SubscriberMode} and {@link
     * PublishPolicy}.
     *
     * @param frame open, for this thread
     * @throws Exception anything: the subscription is then over, and {@link #onError} is called with it
     */
    void onFrame(Frame frame) throws Exception;

    /**
     * The subscription is over because something went wrong: the publisher died or went on with another format, or did not wait any longer, and
     * the subscriber does not reconnect or has given up ({@link PublisherGoneException}); the handler threw; or what {@link Subscriber#next}
     * throws. Unless overridden, the thread's uncaught exception handler is given it; so is what this method throws.
     *
     * @param failure what went wrong
     */
    default void onError(Throwable failure) {
        Thread thread = Thread.currentThread();
        thread.getUncaughtExceptionHandler().uncaughtException(thread, failure);
    }

    /** The subscription is over because the publisher ended the stream, and its last frame was handled. Not called if the subscriber reconnects. */
    default void onEnd() {}
}
