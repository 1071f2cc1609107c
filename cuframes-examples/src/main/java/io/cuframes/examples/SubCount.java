// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples;

import io.cuframes.Frame;
import io.cuframes.PublisherGoneException;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import java.time.Duration;

/** The shortest honest subscriber: counts the frames of a stream until it ends. Argument: the key. */
public final class SubCount {
    private SubCount() {}

    public static void main(String[] args) {
        Duration timeout = Duration.ofSeconds(1);
        try (Subscriber subscriber =
                Subscriber.builder(args[0]).mode(SubscriberMode.STRICT_ORDER).open()) {
            try {
                while (true) {
                    try (Frame frame = subscriber.next(timeout)) {
                        if (frame == null) {
                            System.err.println("no frame for a second");
                        } else if (frame.missed() > 0) {
                            System.err.println("missed " + frame.missed() + " frames before " + frame.seq());
                        }
                    }
                }
            } catch (PublisherGoneException e) {
                System.out.println(subscriber.received() + " frames of "
                        + subscriber.format().width() + "x"
                        + subscriber.format().height() + ", " + subscriber.missed() + " missed: " + e.getMessage());
            }
        }
    }
}
