// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cuframes.testing.Child;
import io.cuframes.testing.FramePattern;
import io.cuframes.testing.PublisherProcess;
import io.cuframes.testing.StreamFixture;
import io.cuframes.testing.SubscriberProcess;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;

/** A stream of its own for each test, and processes that publish and read it, of one transport. */
abstract class StreamTest {
    private static final int WIDTH = 320;
    private static final int HEIGHT = 180;

    final Transport transport;
    final StreamFixture stream = new StreamFixture();
    final List<Child> children = new ArrayList<>();

    StreamTest(Transport transport) {
        this.transport = transport;
    }

    @AfterEach
    void killChildren() {
        children.forEach(Child::close);
        stream.close();
    }

    /** A publisher with that many slots, and what {@link PublisherProcess} takes besides. */
    Child publisher(int slots, Object... more) {
        Object[] first = {stream.key(), stream.directory(), transport, slots, WIDTH, HEIGHT};
        return ready(Child.start(
                PublisherProcess.class,
                Stream.of(first, more).flatMap(Stream::of).toArray()));
    }

    /** A subscriber, and what {@link SubscriberProcess} takes besides. */
    Child subscriber(SubscriberMode mode, Object... more) {
        Object[] first = {stream.key(), stream.directory(), mode};
        return ready(Child.start(
                SubscriberProcess.class,
                Stream.of(first, more).flatMap(Stream::of).toArray()));
    }

    private Child ready(Child child) {
        keep(child);
        assertEquals("ready " + transport, child.answer());
        return child;
    }

    /** Kills the process at the end. */
    Child keep(Child child) {
        children.add(child);
        return child;
    }

    Publisher.Builder localPublisher() {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(transport)
                .size(WIDTH, HEIGHT);
    }

    Subscriber.Builder localSubscriber() {
        return Subscriber.builder(stream.key()).socketDirectory(stream.directory());
    }

    /** What a subscriber process says after reading: all right, nothing missed. */
    static String read(long received, long last) {
        return "read " + received + " 0 " + last + " 0 true";
    }

    /** Publishes a frame that says which it is. */
    static void publishOne(Publisher publisher, long number) {
        try (WritableFrame frame = publisher.acquire()) {
            new FramePattern(publisher.format()).write(frame, number);
            frame.publish(number);
        }
    }
}
