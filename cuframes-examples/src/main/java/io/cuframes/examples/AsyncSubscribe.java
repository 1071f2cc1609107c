// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples;

import io.cuframes.AsyncSubscriber;
import io.cuframes.Frame;
import io.cuframes.FrameHandler;
import io.cuframes.Subscriber;
import java.time.Duration;

/** Frames are pushed to a handler on a thread of the library's; this thread goes on with its own affairs. Argument: the key. */
public final class AsyncSubscribe {
    private AsyncSubscribe() {}

    /** What is done with each frame. It is closed when onFrame returns: copy what is to be kept. */
    private static final class Counter implements FrameHandler {
        private long keyFrames;

        @Override
        public void onFrame(Frame frame) {
            if (frame.isKeyFrame()) {
                keyFrames++;
            }
        }

        @Override
        public void onError(Throwable failure) {
            System.err.println("it went wrong: " + failure.getMessage());
        }

        @Override
        public void onEnd() {
            System.out.println("the stream has ended; key frames: " + keyFrames);
        }
    }

    public static void main(String[] args) throws InterruptedException {
        try (AsyncSubscriber frames = Subscriber.builder(args[0]).start(new Counter())) {
            while (!frames.awaitEnd(Duration.ofSeconds(1))) {
                System.err.println(frames.subscriber().received() + " frames so far");
            }
        }
    }
}
