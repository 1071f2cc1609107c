// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.internal.cuda.Cuda;
import io.cuframes.testing.Child;
import io.cuframes.testing.DeviceFrame;
import io.cuframes.testing.DevicePublisherProcess;
import io.cuframes.testing.DeviceStream;
import io.cuframes.testing.FramePattern;
import io.cuframes.testing.PublisherProcess;
import io.cuframes.testing.StreamFixture;
import io.cuframes.testing.StreamGate;
import io.cuframes.testing.SubscriberProcess;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What must hold where nobody waits for the GPU: copies, announcements and releases are queued, and happen later. */
abstract class DeviceOrderConformance {
    final Transport transport;

    DeviceOrderConformance(Transport transport) {
        this.transport = transport;
    }

    static final int WIDTH = 320;
    static final int HEIGHT = 180;
    static final Duration PATIENCE = Duration.ofSeconds(20);

    final StreamFixture stream = new StreamFixture();
    private final List<Child> children = new ArrayList<>();

    @AfterEach
    void killChildren() {
        children.forEach(Child::close);
        stream.close();
    }

    Child devicePublisher(Map<String, String> environment, int slots) {
        return ready(Child.start(
                environment,
                DevicePublisherProcess.class,
                stream.key(),
                stream.directory(),
                slots,
                WIDTH,
                HEIGHT,
                transport));
    }

    Child publisher(int slots) {
        return ready(
                Child.start(PublisherProcess.class, stream.key(), stream.directory(), transport, slots, WIDTH, HEIGHT));
    }

    Child subscriber(SubscriberMode mode) {
        return ready(Child.start(SubscriberProcess.class, stream.key(), stream.directory(), mode));
    }

    private Child ready(Child child) {
        children.add(child);
        assertEquals("ready " + transport, child.answer());
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

    /** What a strict reader process says that has read so many frames: none missed, torn or out of order. */
    static String readAll(long frames) {
        return "read " + frames + " 0 " + frames + " 0 true";
    }

    /** Waits for something that comes without being asked for. */
    static void awaitThat(BooleanSupplier shown, String what) {
        long start = System.nanoTime();
        while (!shown.getAsBoolean()) {
            assertTrue(System.nanoTime() - start < 60_000_000_000L, what);
            Thread.onSpinWait();
        }
    }

    @Test
    void framesQueuedOnTwoStreamsArriveWholeAndInOrder() {
        Child publisher = devicePublisher(Map.of(), 32);
        Child strict = subscriber(SubscriberMode.STRICT_ORDER);
        Child newest = subscriber(SubscriberMode.NEWEST_ONLY);
        newest.tell("until 150");
        for (int batch = 1; batch <= 5; batch++) { // of less than the ring, so that no scheduling can lap the reader
            publisher.tell("queue 30");
            assertEquals(readAll(batch * 30L), strict.ask("read 30"));
            assertEquals("queued " + batch * 30, publisher.answer());
        }
        String seen = newest.answer();
        assertTrue(seen.endsWith(" 150 0 true"), seen);
    }

    @Test
    void theHeadNeverGoesBackWhereStreamsTakeTurns() throws InterruptedException {
        AtomicBoolean done = new AtomicBoolean();
        List<String> stepsBack = new ArrayList<>();
        try (DeviceStream first = new DeviceStream();
                DeviceStream second = new DeviceStream();
                Publisher publisher = localPublisher().slots(8).open();
                DeviceFrame source = new DeviceFrame(publisher.format())) {
            Thread watcher = Thread.ofPlatform().start(() -> {
                for (long last = 0; !done.get(); ) {
                    long now = publisher.announced();
                    if (now < last) {
                        stepsBack.add(last + " to " + now);
                    }
                    last = now;
                }
            });
            for (int i = 0; i < 100; i++) {
                long on = (i % 2 == 0 ? first : second).handle();
                try (WritableFrame frame = publisher.acquire()) {
                    if (i % 2 == 0) { // the other stream has less to do, and would overtake
                        source.queueInto(frame, on);
                    }
                    frame.publish(on, i);
                }
            }
            first.await();
            second.await();
            done.set(true);
            watcher.join();
            assertEquals(100, publisher.announced());
        }
        assertEquals(List.of(), stepsBack);
    }

    @Test
    void aFrameClosedOnAStreamStaysUntilTheStreamHasReadIt() {
        Child publisher = publisher(4);
        try (Arena arena = Arena.ofConfined();
                DeviceStream reading = new DeviceStream();
                Subscriber subscriber = localSubscriber().open();
                DeviceFrame copy = new DeviceFrame(subscriber.format())) {
            FramePattern pattern = new FramePattern(subscriber.format());
            MemorySegment bytes = arena.allocate(subscriber.format().frameBytes());
            for (int round = 1; round <= 5; round++) {
                publisher.ask("publish 1");
                Frame frame = subscriber.next(PATIENCE);
                long seq = frame.seq();
                for (int i = 0; i < 100; i++) { // the last one counts
                    copy.queueFrom(frame.plane(0).pointer(), reading.handle()); // the planes follow one another
                }
                frame.closeOn(reading.handle());
                publisher.ask("publish 8"); // through all the slots that are free
                reading.await();
                assertEquals(-1, pattern.firstFault(copy.store(bytes), seq), "frame " + seq);
            }
            assertEquals("slots 4", publisher.ask("slots"));
        }
    }

    /** As above, where the stream is the default one of a thread, and another thread is the last to be done with the frame. */
    @Test
    void aFrameLeftToTheDefaultStreamOfAThreadStaysUntilThatStreamHasReadIt() throws Exception {
        long perThread = DlpackTensor.PER_THREAD_STREAM;
        Child publisher = publisher(4);
        try (Arena arena = Arena.ofConfined();
                Subscriber subscriber = localSubscriber().open();
                DeviceFrame copy = new DeviceFrame(subscriber.format());
                StreamGate gate = new StreamGate()) {
            publisher.ask("publish 1");
            Frame frame = subscriber.next(PATIENCE);
            DlpackTensor luma = frame.dlpackY();
            gate.block(perThread);
            copy.queueFrom(frame.plane(0).pointer(), perThread);
            frame.closeOn(perThread);
            Thread closing = Thread.ofPlatform().start(luma::close);
            closing.join();
            assertEquals("published 9", publisher.ask("publish 8")); // through all the slots that are free
            assertEquals("slots 3", publisher.ask("slots"));
            gate.open();
            Cuda.synchronize(perThread);
            MemorySegment bytes = copy.store(arena.allocate(subscriber.format().frameBytes()));
            assertEquals(-1, new FramePattern(subscriber.format()).firstFault(bytes, 1));
            awaitThat(() -> publisher.ask("slots").equals("slots 4"), "the end of the lease comes right behind");
        }
    }

    @Test
    void anEndedPublisherKeepsItsRingUntilItsReadersHaveLetGo() {
        Child publisher = publisher(4);
        Child reader = subscriber(SubscriberMode.STRICT_ORDER);
        publisher.ask("publish 1");
        assertEquals(readAll(1), reader.ask("hold 1"));
        publisher.tell("close");
        assertEquals("waiting", reader.ask("gone"));
        assertTrue(reader.answer().startsWith("gone ENDED "));
        for (int i = 0; i < 100; i++) { // it has two seconds
            assertEquals(readAll(1), reader.ask("check"));
        }
        reader.ask("drop");
        reader.tell("close");
        assertEquals(0, publisher.awaitExit());
    }

    @Test
    void aSubscriberIsClosedOnlyOnceItsStreamHasEndedTheLeases() throws Exception {
        Child publisher = publisher(4);
        try (DeviceStream reading = new DeviceStream();
                StreamGate gate = new StreamGate();
                Subscriber subscriber = localSubscriber().open();
                DeviceFrame copy = new DeviceFrame(subscriber.format())) {
            publisher.ask("publish 1");
            Frame frame = subscriber.next(PATIENCE);
            gate.block(reading.handle());
            copy.queueFrom(frame.plane(0).pointer(), reading.handle());
            frame.closeOn(reading.handle());
            CompletableFuture<Void> closing = CompletableFuture.runAsync(subscriber::close); // unmaps what is copied
            assertThrows(TimeoutException.class, () -> closing.get(200, TimeUnit.MILLISECONDS));
            gate.open();
            closing.get();
            reading.await();
        }
    }
}
