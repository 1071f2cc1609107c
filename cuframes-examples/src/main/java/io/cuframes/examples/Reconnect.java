// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples;

import io.cuframes.Backoff;
import io.cuframes.Frame;
import io.cuframes.FrameFormat;
import io.cuframes.PublisherGoneException;
import io.cuframes.Subscriber;
import java.time.Duration;

/** Reads on when the publisher is started again, also with another picture size. Arguments: the key, and after how many publishers to stop. */
public final class Reconnect {
    private Reconnect() {}

    private static final class Announcer implements Subscriber.Listener {
        @Override
        public void disconnected(long epoch, PublisherGoneException.Reason reason, String text) {
            System.err.println(text);
        }

        @Override
        public void reconnected(long epoch, int attempts, FrameFormat format) {
            System.err.println("back at attempt " + attempts);
        }
    }

    public static void main(String[] args) {
        int publishers = Integer.parseInt(args[1]);
        try (Subscriber subscriber = Subscriber.builder(args[0])
                .reconnect(Backoff.DEFAULT) // 20 ms, then twice as long each time, up to 2 s
                .listener(new Announcer())
                .open()) {
            long epoch = 0; // names the publisher's incarnation
            for (int seen = 0; seen < publishers; ) {
                try (Frame frame = subscriber.next(Duration.ofSeconds(1))) {
                    if (frame != null && frame.epoch() != epoch) {
                        epoch = frame.epoch(); // seq begins at 1 again, and the format may be another
                        seen++;
                        System.out.println("publisher " + seen + ": " + frame.width() + "x" + frame.height());
                    }
                }
            }
        }
    }
}
