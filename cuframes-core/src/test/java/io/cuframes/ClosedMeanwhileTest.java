// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.StreamFixture;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Subscribers, frames and publishers that one thread uses while another closes them: what is refused says so, and nothing is used that is unmapped. */
class ClosedMeanwhileTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** Rounds of a race, at most; fewer where the machine is slow. */
    private static final int ROUNDS = 4000;

    private static final long RACE_NANOS = TimeUnit.SECONDS.toNanos(12);

    /** The close comes so much later, in turns of a loop, from round to round: sooner or later in the middle. */
    private static final int DELAYS = 400;

    private final StreamFixture stream = new StreamFixture();

    @AfterEach
    void cleanUp() {
        stream.close();
    }

    private Publisher publisher() {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .size(64, 64)
                .slots(4)
                .open();
    }

    private Subscriber subscriber() {
        return Subscriber.builder(stream.key())
                .socketDirectory(stream.directory())
                .open();
    }

    private static void publish(Publisher publisher) {
        try (WritableFrame frame = publisher.acquire()) {
            frame.publish(1);
        }
    }

    /** Whether an address is that of a ring that this process has mapped. */
    private static boolean isMapped(long address) {
        return StreamFixture.mappings().stream()
                .map(line -> line.split("[- ]"))
                .anyMatch(ends -> Long.parseUnsignedLong(ends[0], 16) <= address
                        && address < Long.parseUnsignedLong(ends[1], 16));
    }

    /** What a thread does to an open frame, at the same time as the main thread closes something. */
    private interface Use {
        void of(Frame frame);
    }

    /** Runs both at the same time, the second in this thread and a little later from round to round; the first must not throw. */
    private static void atOnce(int round, Runnable use, Runnable close) throws Exception {
        List<Throwable> thrown = new ArrayList<>();
        CyclicBarrier go = new CyclicBarrier(2);
        Thread user = Thread.ofPlatform()
                .uncaughtExceptionHandler((thread, e) -> thrown.add(e))
                .start(() -> {
                    await(go);
                    use.run();
                });
        await(go);
        for (int turn = round % DELAYS; turn > 0; turn--) {
            Thread.onSpinWait();
        }
        close.run();
        user.join();
        assertEquals(List.of(), thrown);
    }

    /** Has a frame used by one thread as another closes its subscriber, again and again. */
    private void race(Use use, Executable afterwards) throws Throwable {
        try (Publisher publisher = publisher()) {
            publish(publisher);
            long start = System.nanoTime();
            for (int round = 0; round < ROUNDS && System.nanoTime() - start < RACE_NANOS; round++) {
                Subscriber subscriber = subscriber();
                Frame frame = subscriber.next(PATIENCE);
                atOnce(round, () -> use.of(frame), subscriber::close);
                afterwards.execute();
            }
        }
    }

    private static void await(CyclicBarrier barrier) {
        try {
            barrier.await(30, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private void requireClosed(IllegalStateException refused) {
        assertTrue(refused.getMessage().contains(stream.key()), refused.getMessage());
        assertTrue(refused.getMessage().contains("closed"), refused.getMessage());
    }

    @Test
    void aTensorThatIsExportedAsTheSubscriberIsClosedKeepsItsMemoryOrIsRefused() throws Throwable {
        List<DlpackTensor> exported = new ArrayList<>();
        race(
                frame -> {
                    try {
                        exported.add(frame.dlpack(0));
                    } catch (IllegalStateException e) {
                        requireClosed(e);
                    }
                },
                () -> {
                    for (DlpackTensor tensor : exported) {
                        assertTrue(isMapped(tensor.address()), "a tensor of memory that is unmapped");
                        tensor.close();
                    }
                    exported.clear();
                    assertEquals(List.of(), memoryOfRings(), "the last tensor takes the mappings with it");
                });
    }

    /** The subscribers', who map them for reading; the publisher maps their control pages so, for as long as it takes it to see them go. */
    private static List<String> memoryOfRings() {
        return StreamFixture.mappings().stream()
                .filter(line -> line.contains(" r--s ") && !line.contains("-control-"))
                .toList();
    }

    @Test
    void aFrameThatIsExportedAsAnotherThreadClosesItIsLeasedOrRefused() throws Throwable {
        try (Publisher publisher = publisher();
                Subscriber subscriber = subscriber()) {
            long start = System.nanoTime();
            for (int round = 0; round < ROUNDS && System.nanoTime() - start < RACE_NANOS; round++) {
                publish(publisher);
                Frame frame = subscriber.next(PATIENCE);
                List<DlpackTensor> exported = new ArrayList<>();
                Runnable export = () -> {
                    try {
                        exported.add(frame.dlpack(0));
                    } catch (IllegalStateException e) {
                        requireClosed(e);
                    }
                };
                atOnce(round, export, frame::close);
                assertEquals(exported.size(), publisher.stats().leasedSlots(), "an open tensor is a lease");
                exported.forEach(DlpackTensor::close);
                assertEquals(0, publisher.stats().leasedSlots());
            }
        }
    }

    @Test
    void whatIsReadAsTheSubscriberIsClosedIsThereOrIsRefusedByName() throws Throwable {
        try (Arena arena = Arena.ofShared()) {
            race(
                    frame -> {
                        try {
                            MemorySegment copy = arena.allocate(frame.sizeBytes());
                            while (true) {
                                frame.ptsNanos();
                                frame.captureTimeNanos();
                                frame.isKeyFrame();
                                frame.publishTimeNanos();
                                frame.userDataLength();
                                frame.copyTo(copy);
                            }
                        } catch (IllegalStateException e) {
                            requireClosed(e);
                        }
                    },
                    () -> {});
        }
    }

    @Test
    void everyUseOfAClosedPublisherIsRefusedByName() {
        Publisher publisher = publisher();
        WritableFrame frame = publisher.acquire();
        publisher.close();
        for (Executable use : List.<Executable>of(
                publisher::acquire,
                () -> publisher.acquire(0),
                publisher::announced,
                () -> publisher.setIdle(true),
                () -> publisher.setIdle(false),
                () -> frame.userData(new byte[1]),
                () -> frame.publish(1))) {
            requireClosed(assertThrows(IllegalStateException.class, use));
        }
        frame.close();
        assertEquals(0, publisher.stats().published());
    }
}
