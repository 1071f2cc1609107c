// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static io.cuframes.testing.Await.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.Child;
import io.cuframes.testing.CudaStandIn;
import io.cuframes.testing.StreamFixture;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

/**
 * This process loses its CUDA context at each of its waits: who waits gets the error, and the processes at the other end get their slots back, or the
 * end of the stream.
 */
abstract class ContextLossConformance extends StreamTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int ILLEGAL_ADDRESS = 700;
    private static final int SLOTS = 4;

    ContextLossConformance(Transport transport) {
        super(transport);
    }

    /** Loses the context while a call in another thread waits; what the call threw. The call would wait for much longer. */
    private CudaException loseDuring(Runnable call) {
        CountDownLatch begun = new CountDownLatch(1);
        FutureTask<Void> waiting = new FutureTask<>(
                () -> {
                    begun.countDown();
                    call.run();
                },
                null);
        Thread.ofPlatform().daemon().start(waiting);
        try {
            begun.await();
            Thread.sleep(100); // it waits by now, or begins to, which is all the same
            CudaStandIn.loseDevice(ILLEGAL_ADDRESS);
            waiting.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof CudaException lost) {
                return lost;
            }
            throw new AssertionError("threw something else", e.getCause());
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("what waits is not notified", e);
        }
        throw new AssertionError("returned as if nothing had happened");
    }

    private void assertTellsAll(CudaException lost) {
        assertEquals(ILLEGAL_ADDRESS, lost.status());
        assertTrue(lost.isContextLost());
        assertFalse(lost.isPassing());
        for (String part : List.of(stream.key(), "700", "close", lost.call())) {
            assertTrue(lost.getMessage().contains(part), lost.getMessage());
        }
    }

    /** The publisher of another process has all its slots again, and nobody who reads. */
    private void assertPublisherIsFree(Child publisher) {
        assertEquals("subscribers 0", publisher.ask("await 0"));
        assertEquals("slots " + SLOTS, publisher.ask("slots"));
    }

    private void assertNothingOfTheSystemIsLeft(List<String> descriptors, List<String> mappings) {
        await(() -> descriptors.equals(StreamFixture.descriptors()), "descriptors are left");
        await(() -> mappings.equals(StreamFixture.mappings()), "mappings are left");
    }

    @Test
    void aReaderThatWaitsForAFrameGetsTheErrorAndThePublisherItsSlots() {
        List<String> descriptors = StreamFixture.descriptors();
        List<String> mappings = StreamFixture.mappings();
        Child publisher = publisher(SLOTS);
        Subscriber subscriber = localSubscriber().open();
        assertTellsAll(loseDuring(() -> subscriber.next(Duration.ofDays(1))));
        assertTellsAll(assertThrows(CudaException.class, () -> subscriber.next(Duration.ZERO)));
        publisher.ask("publish 1");
        assertTellsAll(assertThrows(
                CudaException.class, () -> subscriber.next(Duration.ofSeconds(1)), "a frame it cannot read"));
        subscriber.close();
        assertPublisherIsFree(publisher);
        CudaStandIn.recoverDevice(); // releases the pages that were pinned for it
        assertNothingOfTheSystemIsLeft(descriptors, mappings);
    }

    @Test
    void aReaderThatLooksWithoutWaitingGetsTheError() {
        publisher(SLOTS);
        try (Subscriber subscriber = localSubscriber().open()) {
            assertNull(subscriber.next(Duration.ZERO));
            CudaStandIn.loseDevice(ILLEGAL_ADDRESS);
            CudaException[] lost = {null};
            await(
                    () -> {
                        try {
                            subscriber.next(Duration.ZERO);
                        } catch (CudaException e) {
                            lost[0] = e;
                        }
                        return lost[0] != null;
                    },
                    "next() gives null for ever");
            assertTellsAll(lost[0]);
        }
    }

    @Test
    void aReaderWhoseLeasesAreAllInTheHandsOfItsGpuGetsTheErrorAndThePublisherItsSlots() {
        Child publisher = publisher(SLOTS);
        Subscriber subscriber = localSubscriber().open();
        CudaStandIn.Hold hold = new CudaStandIn.Hold();
        int left = 0;
        publisher.ask("publish 1");
        for (Frame frame = subscriber.next(Duration.ofSeconds(1)); frame != null; ) {
            frame.closeOn(subscriber.stream());
            left++;
            publisher.ask("publish 1");
            frame = left < SLOTS - 2 ? subscriber.next(Duration.ofSeconds(1)) : null;
        }
        assertEquals(SLOTS - 2, left, "as many as it may");
        assertTellsAll(loseDuring(() -> subscriber.next(Duration.ofDays(1))));
        hold.close();
        subscriber.close();
        assertPublisherIsFree(publisher);
    }

    @Test
    void aReaderThatHoldsFramesAndTensorsGivesAllBackAsItCloses() {
        List<String> mappings = StreamFixture.mappings();
        Child publisher = publisher(SLOTS);
        Subscriber subscriber = localSubscriber().open();
        publisher.ask("publish 1");
        Frame exported = subscriber.next(PATIENCE);
        DlpackTensor tensor = exported.dlpack();
        exported.close();
        publisher.ask("publish 1");
        assertNotNull(subscriber.next(PATIENCE));
        CudaStandIn.loseDevice(ILLEGAL_ADDRESS);
        subscriber.close();
        assertPublisherIsFree(publisher);
        tensor.close();
        CudaStandIn.recoverDevice();
        await(() -> mappings.equals(StreamFixture.mappings()), "what the tensor kept is left");
    }

    @Test
    void aReaderWithAHandlerGetsTheError() throws InterruptedException {
        Child publisher = publisher(SLOTS);
        Throwable[] end = {null};
        AsyncSubscriber frames = localSubscriber().start(new FrameHandler() {
            @Override
            public void onFrame(Frame frame) {
                throw new AssertionError("no frame was published");
            }

            @Override
            public void onError(Throwable error) {
                end[0] = error;
            }
        });
        CudaStandIn.loseDevice(ILLEGAL_ADDRESS);
        assertTrue(frames.awaitEnd(PATIENCE), "the handler's thread waits for ever");
        assertTellsAll((CudaException) end[0]);
        assertPublisherIsFree(publisher);
    }

    @Test
    void aPublisherThatWaitsForASlotGetsTheErrorAndItsReadersTheEnd() {
        Publisher publisher = localPublisher().slots(SLOTS).open();
        Child reader = subscriber(SubscriberMode.NEWEST_ONLY);
        CudaStandIn.Hold hold = new CudaStandIn.Hold();
        for (int i = 1; i <= SLOTS; i++) {
            publisher.acquire().publish(i);
        }
        assertTellsAll(loseDuring(publisher::acquire));
        assertTellsAll(assertThrows(CudaException.class, () -> publisher.setIdle(true)));
        assertTellsAll(assertThrows(CudaException.class, publisher::close));
        hold.close();
        assertEquals(List.of(), stream.remains());
        assertTrue(
                reader.tell("gone").answerThatBegins("gone").startsWith("gone ENDED"), "its reader learns of the end");
    }

    @Test
    void aPublisherThatClosesGetsTheErrorAndItsReadersTheEnd() {
        List<String> descriptors = StreamFixture.descriptors();
        List<String> mappings = StreamFixture.mappings();
        Publisher publisher = localPublisher().slots(SLOTS).open();
        CudaStandIn.Hold hold = new CudaStandIn.Hold();
        publisher.acquire().publish(1);
        assertTellsAll(loseDuring(publisher::close));
        hold.close();
        assertEquals(List.of(), stream.remains());
        CudaStandIn.recoverDevice();
        assertNothingOfTheSystemIsLeft(descriptors, mappings);
    }

    @Test
    void anIdlePublisherGetsTheErrorAndFreesItsKey() {
        Publisher publisher = localPublisher().slots(SLOTS).open();
        publisher.setIdle(true);
        CudaStandIn.loseDevice(ILLEGAL_ADDRESS);
        assertTellsAll(assertThrows(CudaException.class, () -> publisher.setIdle(true)));
        try (WritableFrame frame = publisher.acquire()) {
            assertEquals(
                    ILLEGAL_ADDRESS,
                    assertThrows(CudaException.class, () -> frame.publish(1)).status());
        }
        assertTellsAll(assertThrows(CudaException.class, publisher::close));
        assertEquals(List.of(), stream.remains());
    }

    /** A query or a release by the library, on whatever thread, must not end a capture of the application's. */
    @Test
    void waitsAndClosesDoNotSpoilACapture() {
        Child publisher = publisher(SLOTS);
        Subscriber subscriber = localSubscriber().open();
        publisher.ask("publish 1");
        subscriber.next(PATIENCE).close();
        try (CudaStandIn.Capture capture = new CudaStandIn.Capture()) {
            assertNull(subscriber.next(Duration.ofMillis(200)));
            assertFalse(capture.isSpoilt(), "a wait spoils it");
            subscriber.close();
            assertFalse(capture.isSpoilt(), "the close of a subscriber spoils it");
        }
        publisher.close();
        Publisher own = localPublisher().open();
        own.acquire().publish(1);
        await(() -> own.announced() == 1, "it is not announced");
        try (CudaStandIn.Capture capture = new CudaStandIn.Capture()) {
            own.setIdle(true);
            own.close();
            assertFalse(capture.isSpoilt(), "the close of a publisher spoils it");
        }
    }

    /** The thread that waits has no context of its own current. */
    @Test
    void aStreamThatIsBusyIsCalledBusyOnAnyThread() throws InterruptedException {
        Publisher publisher = localPublisher().slots(2).open();
        CuframesException[] late = {null};
        try (CudaStandIn.Hold hold = new CudaStandIn.Hold()) {
            for (int i = 1; i <= 2; i++) {
                publisher.acquire().publish(i);
            }
            Thread waiting = Thread.ofPlatform()
                    .start(() -> late[0] = assertThrows(CuframesException.class, publisher::acquire));
            waiting.join();
        }
        assertEquals(ErrorCode.TIMEOUT, late[0].code());
        assertTrue(late[0].getMessage().contains("its stream is still busy"), late[0].getMessage());
        publisher.close();
    }
}
