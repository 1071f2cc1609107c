// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.CuframesException;
import io.cuframes.Frame;
import io.cuframes.Publisher;
import io.cuframes.PublisherGoneException;
import io.cuframes.Subscriber;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import java.nio.file.Path;
import java.time.Duration;

/** A publisher whose server thread dies as the second reader comes, and its first reader. Says what each of them learns of it. */
public final class DyingServerProcess {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private DyingServerProcess() {}

    /** Arguments: key, socket directory. */
    public static void main(String[] args) {
        Publisher.Builder builder = Publisher.builder(args[0])
                .socketDirectory(Path.of(args[1]))
                .transport(Transport.HOST)
                .size(64, 64);
        FaultInjector.arm("PEER_ACCEPTED:2:ERROR");
        Publisher publisher = builder.open();
        try (Subscriber subscriber = subscriber(args).open()) {
            try (WritableFrame frame = publisher.acquire()) {
                frame.publish(0);
            }
            Frame held = subscriber.next(PATIENCE);
            System.out.println("frame " + held.seq());
            System.out.println("another reader " + connect(args));
            System.out.println("reader " + next(subscriber));
            System.out.println("publisher " + acquire(publisher));
            System.out.println("subscribers " + publisher.subscribers());
            System.out.println("frame " + held.seq() + " still");
            held.close();
        }
        publisher.close();
        System.out.println("names " + StreamFixture.mappings() + " " + StreamFixture.descriptors());
        try (Publisher next = builder.open();
                Subscriber subscriber = subscriber(args).open()) {
            System.out.println("successor " + (next.epoch() == subscriber.epoch()));
        }
    }

    private static Subscriber.Builder subscriber(String[] args) {
        return Subscriber.builder(args[0]).socketDirectory(Path.of(args[1]));
    }

    private static String connect(String[] args) {
        try (Subscriber subscriber =
                subscriber(args).connectTimeout(Duration.ofMillis(100)).open()) {
            return "connected " + subscriber.epoch();
        } catch (CuframesException e) {
            return e.code().toString();
        }
    }

    private static String next(Subscriber subscriber) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (System.nanoTime() - deadline < 0) {
            try (Frame frame = subscriber.next(Duration.ofMillis(10))) {
                if (frame != null) {
                    return "frame " + frame.seq();
                }
            } catch (PublisherGoneException e) {
                return e.reason().toString();
            }
        }
        return "nothing";
    }

    private static String acquire(Publisher publisher) {
        try (WritableFrame frame = publisher.acquire()) {
            return frame == null ? "null" : "a frame";
        } catch (CuframesException e) {
            return e.code() + " " + e.getMessage();
        }
    }
}
