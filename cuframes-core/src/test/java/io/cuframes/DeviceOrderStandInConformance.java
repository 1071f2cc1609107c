// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ffm.LibCudart;
import io.cuframes.internal.cuda.Cuda;
import io.cuframes.testing.Child;
import io.cuframes.testing.CudaStandIn;
import io.cuframes.testing.DeviceFrame;
import io.cuframes.testing.DeviceStream;
import io.cuframes.testing.FramePattern;
import io.cuframes.testing.StreamGate;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The order without a GPU, and what it is between any two operations of a stream. */
abstract class DeviceOrderStandInConformance extends DeviceOrderConformance {
    DeviceOrderStandInConformance(Transport transport) {
        super(transport);
    }

    /** Operations of a frame in NV12: two planes copied, then the announcement. */
    private static final int COPIES = 2;

    private static final long PER_THREAD = DlpackTensor.PER_THREAD_STREAM;

    private static void publishOn(Publisher publisher, DeviceFrame source, DeviceStream on) {
        try (WritableFrame frame = publisher.acquire()) {
            source.queueInto(frame, on.handle());
            frame.publish(on.handle(), (publisher.published() + 1) * 40_000_000);
        }
    }

    @Test
    void noReaderHasAFrameBeforeAllItsPixelsAreThere() {
        try (DeviceStream on = new DeviceStream();
                Publisher publisher = localPublisher().open();
                DeviceFrame source = new DeviceFrame(publisher.format())) {
            source.load(new FramePattern(publisher.format()).pixels(1));
            Child reader = subscriber(SubscriberMode.NEWEST_ONLY);
            reader.tell("read 1");
            try (CudaStandIn.Hold hold = new CudaStandIn.Hold()) {
                publishOn(publisher, source, on);
                assertEquals(1, publisher.published());
                for (int copy = 0; copy < COPIES; copy++) {
                    assertTrue(hold.step(on.handle()));
                    assertEquals(0, publisher.announced());
                }
                assertTrue(hold.step(on.handle()));
                assertEquals(1, publisher.announced());
                assertFalse(hold.step(on.handle()), "the announcement is the last");
                assertEquals(readAll(1), reader.answer());
            }
            reader.tell("close").awaitExit(); // so that the publisher need not wait for it
        }
    }

    /** Whoever copies the planes on a stream each, and publishes on a third. */
    @Test
    void copiesOnOtherStreamsAreDoneBeforeTheFrameIsAnnounced() {
        try (DeviceStream luma = new DeviceStream();
                DeviceStream chroma = new DeviceStream();
                DeviceStream on = new DeviceStream();
                Publisher publisher = localPublisher().open();
                DeviceFrame source = new DeviceFrame(publisher.format());
                CudaStandIn.Hold hold = new CudaStandIn.Hold()) {
            try (WritableFrame frame = publisher.acquire()) {
                copyPlane(frame, 0, source, luma);
                copyPlane(frame, 1, source, chroma);
                frame.publish(on.handle(), 0);
            }
            assertFalse(hold.step(on.handle()), "it waits for the planes");
            assertFalse(hold.step(chroma.handle()), "it waits for the plane before");
            assertTrue(hold.step(luma.handle()));
            assertTrue(hold.step(luma.handle()), "what the chroma waits for");
            assertFalse(hold.step(on.handle()), "it waits for the other plane");
            assertTrue(hold.step(chroma.handle()));
            assertTrue(hold.step(chroma.handle()), "what the announcement waits for");
            assertEquals(0, publisher.announced());
            assertTrue(hold.step(on.handle()));
            assertEquals(1, publisher.announced());
        }
    }

    private static void copyPlane(WritableFrame frame, int index, DeviceFrame source, DeviceStream on) {
        Plane plane = frame.plane(index);
        frame.copyPlane(index, new DevicePtr(source.address() + plane.offset()), plane.pitch(), on.handle());
    }

    @Test
    void aFrameThatIsGivenBackWaitsForItsCopies() throws Exception {
        try (DeviceStream on = new DeviceStream();
                Publisher publisher = localPublisher().open();
                DeviceFrame source = new DeviceFrame(publisher.format())) {
            WritableFrame frame = publisher.acquire();
            CompletableFuture<Void> closing;
            try (CudaStandIn.Hold hold = new CudaStandIn.Hold()) {
                copyPlane(frame, 0, source, on);
                closing = CompletableFuture.runAsync(frame::close);
                assertThrows(TimeoutException.class, () -> closing.get(200, TimeUnit.MILLISECONDS));
            }
            closing.get(30, TimeUnit.SECONDS);
            try (WritableFrame next = publisher.acquire()) {
                next.publish(0);
            }
        }
    }

    /** A thread with a default stream of its own, that does what it is asked to. */
    private static final class Helper implements AutoCloseable {
        private final ExecutorService thread = Executors.newSingleThreadExecutor();

        <T> T call(Callable<T> something) {
            try {
                return thread.submit(something).get(30, TimeUnit.SECONDS);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }

        /** Copies both planes on its default stream. */
        void copyInto(WritableFrame frame, DeviceFrame source) {
            call(() -> {
                Cuda.useDevice(0);
                source.queueInto(frame, PER_THREAD);
                return null;
            });
        }

        /** As {@link CudaStandIn.Hold#step}, its default stream. */
        boolean step(CudaStandIn.Hold hold) {
            return call(() -> hold.step(PER_THREAD));
        }

        @Override
        public void close() {
            thread.shutdown();
        }
    }

    @Test
    void copiesOnTheDefaultStreamOfAHelperAreDoneBeforeTheFrameIsAnnounced() {
        for (long stream : new long[] {0, PER_THREAD
        }) { // the publisher's thread publishes on another, or what has the same name there
            try (Helper helper = new Helper();
                    Publisher publisher = localPublisher().open();
                    DeviceFrame source = new DeviceFrame(publisher.format());
                    DeviceStream own = new DeviceStream();
                    CudaStandIn.Hold hold = new CudaStandIn.Hold()) {
                long on = stream == 0 ? own.handle() : stream;
                WritableFrame frame = publisher.acquire();
                helper.copyInto(frame, source);
                frame.publish(on, 0);
                assertFalse(hold.step(on), "it waits for the planes");
                assertEquals(0, publisher.announced());
                while (helper.step(hold)) {
                    assertEquals(0, publisher.announced());
                }
                assertTrue(hold.step(on));
                assertEquals(1, publisher.announced());
            }
        }
    }

    /** The frames before, the copies and the announcement may each be on a stream of another context. */
    @Test
    void streamsOfSeveralContextsAreOrdered() {
        long other = CudaStandIn.streamOfAnotherContext();
        try (DeviceStream own = new DeviceStream();
                Publisher publisher = localPublisher().open();
                DeviceFrame source = new DeviceFrame(publisher.format());
                CudaStandIn.Hold hold = new CudaStandIn.Hold()) {
            long[][] turns = {{own.handle(), other}, {other, own.handle()}, {other, other}};
            for (long[] turn : turns) {
                try (WritableFrame frame = publisher.acquire()) {
                    source.queueInto(frame, turn[0]);
                    frame.publish(turn[1], 0);
                }
            }
            while (hold.step(own.handle()) || hold.step(other)) {
                assertTrue(publisher.announced() <= turns.length);
            }
            assertEquals(turns.length, publisher.announced());
        }
        assertEquals(LibCudart.cudaSuccess, LibCudart.cudaStreamDestroy(other));
    }

    @Test
    void aFrameThatIsGivenBackWaitsForTheCopiesOfAHelper() throws Exception {
        try (Helper helper = new Helper();
                Publisher publisher = localPublisher().open();
                DeviceFrame source = new DeviceFrame(publisher.format())) {
            WritableFrame frame = publisher.acquire();
            CompletableFuture<Void> closing;
            try (CudaStandIn.Hold hold = new CudaStandIn.Hold()) {
                helper.copyInto(frame, source);
                closing = CompletableFuture.runAsync(frame::close);
                assertThrows(TimeoutException.class, () -> closing.get(200, TimeUnit.MILLISECONDS));
            }
            closing.get(30, TimeUnit.SECONDS);
        }
    }

    /** The slot of a frame that could not be announced is another frame's only once what was queued for it is done. */
    @ParameterizedTest
    @ValueSource(strings = {"copies", "a kernel of the application"})
    void theSlotOfAWithdrawnFrameIsNotUsedBeforeItsWorkIsDone(String work) {
        try (DeviceStream on = new DeviceStream();
                Publisher publisher = localPublisher().slots(2).open();
                DeviceFrame source = new DeviceFrame(publisher.format());
                CudaStandIn.Hold hold = new CudaStandIn.Hold()) {
            WritableFrame frame = publisher.acquire();
            int slot = frame.slot();
            if (work.equals("copies")) {
                source.queueInto(frame, on.handle());
            } else {
                Plane luma = frame.plane(0);
                Cuda.copyRows(
                        luma.pointer().address(), luma.pitch(), source.address(), WIDTH, WIDTH, HEIGHT, on.handle());
            }
            CudaStandIn.set("FAIL", "cuStreamWriteValue64_v2:1:999");
            assertThrows(CudaException.class, () -> frame.publish(on.handle(), 0));
            assertEquals(0, publisher.published());
            WritableFrame other = publisher.acquire();
            assertNotEquals(slot, other.slot());
            assertNull(publisher.acquire(), "the other slot is still being written");
            assertNull(publisher.acquire(slot), "the other slot is still being written");
            while (hold.step(on.handle())) {
                Thread.onSpinWait();
            }
            try (WritableFrame again = publisher.acquire()) {
                assertEquals(slot, again.slot());
            }
            other.close();
        }
    }

    /** A GPU that stands still for longer than a close waits costs a slot only for as long. */
    @Test
    void aSlotThatWasWithheldIsUsedAgainOnceItsCopiesAreDone() {
        try (Helper helper = new Helper();
                DeviceStream on = new DeviceStream();
                Publisher publisher = localPublisher().slots(2).open();
                DeviceFrame source = new DeviceFrame(publisher.format());
                CudaStandIn.Hold hold = new CudaStandIn.Hold()) {
            WritableFrame first = publisher.acquire();
            WritableFrame second = publisher.acquire();
            source.queueInto(first, on.handle());
            helper.copyInto(second, source);
            first.close(); // after two seconds
            second.close();
            assertNull(publisher.acquire());
            while (hold.step(on.handle())) {
                Thread.onSpinWait();
            }
            try (WritableFrame again = publisher.acquire()) {
                assertNotNull(again);
                assertNull(publisher.acquire(), "the helper's copies are still under way");
            }
            while (helper.step(hold)) {
                Thread.onSpinWait();
            }
            WritableFrame one = publisher.acquire();
            publisher.acquire().close();
            one.close();
        }
    }

    @Test
    void onALostGpuEveryPublishSaysSo() {
        try (Publisher publisher = localPublisher().slots(2).open()) {
            CudaStandIn.loseDevice(700);
            for (int i = 0; i < 5; i++) { // more often than there are slots
                CudaException lost = assertThrows(
                        CudaException.class, () -> publisher.acquire().publish(1));
                assertTrue(lost.isContextLost());
            }
            assertThrows(CudaException.class, publisher::close);
            CudaStandIn.recoverDevice();
        }
    }

    /** The memory that another thread's copy writes to stays until the copy is done, though the publisher is closed. */
    @Test
    void aCloseKeepsTheRingOfAThreadThatCopiesIntoIt() throws Exception {
        try (Arena arena = Arena.ofShared();
                DeviceStream on = new DeviceStream()) {
            Publisher publisher = localPublisher().stream(on.handle()).open();
            MemorySegment pixels = arena.allocate(publisher.format().frameBytes());
            WritableFrame frame = publisher.acquire();
            CompletableFuture<Void> copying;
            try (CudaStandIn.Hold hold = new CudaStandIn.Hold()) {
                copying = CompletableFuture.runAsync(() -> frame.copyPlane(0, pixels, WIDTH));
                awaitThat(() -> LibCudart.cudaStreamQuery(on.handle()) != LibCudart.cudaSuccess, "the copy is queued");
                publisher.close();
                assertEquals(List.of(), stream.remains(), "its names are free");
                assertThrows(TimeoutException.class, () -> copying.get(100, TimeUnit.MILLISECONDS));
            }
            copying.get(30, TimeUnit.SECONDS); // and not with an illegal address
            awaitThat(() -> CudaStandIn.remains().size() == 1, "all is released but the stream");
            IllegalStateException closed =
                    assertThrows(IllegalStateException.class, () -> frame.copyPlane(0, pixels, WIDTH));
            assertTrue(closed.getMessage().contains("is closed"), closed.getMessage());
        }
    }

    @Test
    void aStreamAnnouncesOnlyAfterTheStreamOfTheFrameBefore() {
        try (DeviceStream first = new DeviceStream();
                DeviceStream second = new DeviceStream();
                Publisher publisher = localPublisher().open();
                DeviceFrame source = new DeviceFrame(publisher.format());
                CudaStandIn.Hold hold = new CudaStandIn.Hold()) {
            publishOn(publisher, source, first);
            publishOn(publisher, source, second);
            for (int copy = 0; copy < COPIES; copy++) {
                assertTrue(hold.step(second.handle()));
            }
            assertFalse(hold.step(second.handle()), "it has its pixels, and waits");
            for (int copy = 0; copy < COPIES; copy++) {
                assertTrue(hold.step(first.handle()));
                assertFalse(hold.step(second.handle()));
            }
            assertEquals(0, publisher.announced());
            assertTrue(hold.step(first.handle()));
            assertEquals(1, publisher.announced());
            assertTrue(hold.step(first.handle()), "what the other waits for");
            assertEquals(1, publisher.announced());
            assertTrue(hold.step(second.handle()));
            assertEquals(2, publisher.announced());
        }
    }

    @Test
    void aFrameOnAStreamThatHasNothingToWaitForIsAnnouncedAtOnce() {
        try (DeviceStream first = new DeviceStream();
                DeviceStream second = new DeviceStream();
                Publisher publisher = localPublisher().open();
                DeviceFrame source = new DeviceFrame(publisher.format())) {
            publishOn(publisher, source, first);
            first.await();
            List<String> calls = CudaStandIn.calls(() -> publishOn(publisher, source, second));
            assertFalse(calls.contains("cuEventRecord"), calls.toString());
            second.await();
        }
    }

    @Test
    void aLeaseEndsWhenItsStreamHasReadTheFrameAndNotBefore() {
        Child publisher = publisher(2);
        try (Arena arena = Arena.ofConfined();
                DeviceStream reading = new DeviceStream();
                Subscriber subscriber = localSubscriber().open();
                DeviceFrame copy = new DeviceFrame(subscriber.format())) {
            publisher.ask("publish 1");
            Frame frame = subscriber.next(PATIENCE);
            try (CudaStandIn.Hold hold = new CudaStandIn.Hold()) {
                copy.queueFrom(frame.plane(0).pointer(), reading.handle());
                frame.closeOn(reading.handle());
                assertEquals("published 3", publisher.ask("publish 2"));
                assertEquals("slots 1", publisher.ask("slots"));
                assertTrue(hold.step(reading.handle()));
                assertEquals("slots 1", publisher.ask("slots"));
                assertTrue(hold.step(reading.handle()));
                assertEquals("slots 2", publisher.ask("slots"));
            }
            MemorySegment bytes = copy.store(arena.allocate(subscriber.format().frameBytes()));
            assertEquals(-1, new FramePattern(subscriber.format()).firstFault(bytes, 1));
        }
    }

    @Test
    void aRingIsZeroedBeforeItsPublisherIsOpen() throws Exception {
        try (StreamGate gate =
                new StreamGate().block(0)) { // the stream that cudaMemset works on, and does not wait for
            CompletableFuture<Publisher> opening =
                    CompletableFuture.supplyAsync(() -> localPublisher().open());
            assertThrows(TimeoutException.class, () -> opening.get(300, TimeUnit.MILLISECONDS));
            gate.open();
            opening.get().close();
        }
    }

    @Test
    void whatAKilledPublisherHadQueuedIsNeverSeenHalfDone() {
        Child publisher = devicePublisher(Map.of(CudaStandIn.variable("DELAY_US"), "50000"), 8);
        Child reader = subscriber(SubscriberMode.STRICT_ORDER);
        assertEquals("queued 6", publisher.ask("queue 6"));
        assertEquals(readAll(1), reader.ask("hold 1"));
        publisher.kill(); // the others are on their way
        assertEquals("waiting", reader.ask("gone"));
        String[] gone = reader.answer().split(" ", -1);
        assertEquals(List.of("gone", "DIED"), List.of(gone[0], gone[1]));
        assertEquals(readAll(Long.parseLong(gone[3])), reader.ask("check"));

        Child next = publisher(4); // takes over what is left of the names
        next.ask("publish 1");
        assertEquals(readAll(1), subscriber(SubscriberMode.STRICT_ORDER).ask("read 1"));
    }

    @Test
    void aPublisherWhoseGpuIsStuckSaysSo() {
        try (DeviceStream on = new DeviceStream();
                Publisher publisher = localPublisher().slots(2).open();
                DeviceFrame source = new DeviceFrame(publisher.format());
                CudaStandIn.Hold hold = new CudaStandIn.Hold()) {
            publishOn(publisher, source, on);
            publishOn(publisher, source, on);
            CuframesException stuck = assertThrows(CuframesException.class, publisher::acquire);
            assertEquals(ErrorCode.TIMEOUT, stuck.code());
            assertTrue(stuck.getMessage().endsWith("its stream is still busy"), stuck.getMessage());
            while (hold.step(on.handle())) {
                assertTrue(publisher.announced() <= 2);
            }
            publisher.acquire().close(); // it goes on once the GPU does
        }
    }

    @Test
    void theDefaultStreamOfAThreadIsAnotherInEveryThread() throws Exception {
        long perThread = 2; // cudaStreamPerThread
        try (Publisher publisher = localPublisher().open();
                StreamGate gate = new StreamGate()) {
            CompletableFuture.runAsync(() -> {
                        assertEquals(LibCudart.cudaSuccess, LibCudart.cudaSetDevice(0));
                        gate.block(perThread);
                        publisher.acquire().publish(perThread, 1);
                    })
                    .get();
            publisher.acquire().publish(perThread, 2);
            assertThrows(
                    TimeoutException.class,
                    () -> CompletableFuture.runAsync(() -> {
                                while (publisher.announced() < 1) {
                                    Thread.onSpinWait();
                                }
                            })
                            .get(100, TimeUnit.MILLISECONDS));
            gate.open();
            while (publisher.announced() < 2) {
                Thread.onSpinWait();
            }
        }
    }
}
