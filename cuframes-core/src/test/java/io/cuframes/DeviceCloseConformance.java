// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static io.cuframes.testing.Await.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ffm.LibCuda;
import io.cuframes.internal.cuda.Cuda;
import io.cuframes.testing.DeviceFrame;
import io.cuframes.testing.DeviceStream;
import io.cuframes.testing.StreamFixture;
import io.cuframes.testing.StreamGate;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The end of publishers and subscribers whose GPU is not done with what they queued: each close returns though the GPU does not go on, the key is free,
 * and once the GPU goes on everything is released and its work has hurt nobody.
 */
abstract class DeviceCloseConformance extends StreamTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private List<String> descriptors;
    private List<String> mappings;

    DeviceCloseConformance(Transport transport) {
        super(transport);
    }

    @BeforeEach
    void look() {
        localPublisher().open().close(); // what is made once in a process is made
        descriptors = StreamFixture.descriptors();
        mappings = StreamFixture.mappings();
    }

    /** Runs it in a thread of its own, with no device current, and fails if it does not return while the GPU stands still. */
    private static void returns(Runnable call, String what) {
        Throwable[] thrown = {null};
        Thread thread = Thread.ofPlatform().daemon().unstarted(call);
        thread.setUncaughtExceptionHandler((ended, e) -> thrown[0] = e);
        thread.start();
        try {
            assertTrue(thread.join(PATIENCE), what + " does not return beside a GPU that is busy");
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        if (thrown[0] != null) {
            throw new AssertionError(what, thrown[0]);
        }
    }

    private void assertKeyIsFree() {
        assertEquals(List.of(), stream.remains());
        Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .size(64, 64)
                .open()
                .close();
    }

    /** Everything that was kept is gone, after the GPU has gone on. */
    private void assertReaped() {
        await(() -> descriptors.equals(StreamFixture.descriptors()), "descriptors are left");
        await(() -> mappings.equals(StreamFixture.mappings()), "mappings are left");
    }

    private void assertGpuWorks() {
        long previous = Cuda.useDevice(0);
        try {
            long fresh = Cuda.createStream();
            Cuda.synchronize(fresh);
            assertEquals(0, LibCuda.cuStreamDestroy_v2(fresh));
        } finally {
            Cuda.restoreDevice(previous, 0);
        }
    }

    @Test
    void aPublisherClosesWhileItsOwnStreamStandsStill() {
        try (StreamGate gate = new StreamGate()) {
            Publisher publisher = localPublisher().open();
            gate.block(publisher.stream());
            publisher.acquire().publish(1);
            returns(publisher::close, "Publisher.close()");
            assertKeyIsFree();
            gate.open();
            assertReaped();
            assertGpuWorks();
        }
    }

    @Test
    void aPublisherClosesWhileTheApplicationsStreamStandsStillAndThatGoesOn() {
        try (DeviceStream mine = new DeviceStream();
                StreamGate gate = new StreamGate()) {
            Publisher publisher = localPublisher().stream(mine.handle()).open();
            gate.block(mine.handle());
            publisher.acquire().publish(1);
            returns(publisher::close, "Publisher.close()");
            assertKeyIsFree();
            assertFalse(StreamFixture.mappings().equals(mappings), "the GPU is still to write to the segment");
            gate.open();
            mine.await(); // throws if what it wrote to was gone
            assertReaped();
            assertGpuWorks();
        }
    }

    @Test
    void theRingOutlivesCopiesIntoAFrameThatIsNeverPublished() {
        try (DeviceStream mine = new DeviceStream();
                StreamGate gate = new StreamGate()) {
            Publisher publisher = localPublisher().open();
            try (DeviceFrame source = new DeviceFrame(publisher.format())) {
                WritableFrame frame = publisher.acquire();
                gate.block(mine.handle());
                source.queueInto(frame, mine.handle());
                returns(publisher::close, "Publisher.close()");
                assertKeyIsFree();
                gate.open();
                mine.await();
            }
            assertReaped();
            assertGpuWorks();
        }
    }

    @Test
    void aPublisherClosesBesideAnApplicationThatIsBusyWithSomethingElse() {
        try (DeviceStream other = new DeviceStream();
                StreamGate gate = new StreamGate()) {
            Publisher publisher = localPublisher().open();
            publisher.acquire().publish(1);
            gate.block(other.handle());
            returns(publisher::close, "Publisher.close()");
            assertKeyIsFree();
            gate.open();
            assertReaped();
        }
    }

    @Test
    void aSubscriberClosesWhileALeaseIsStillToBeEndedAndTheLeaseCountsUntilItIs() {
        try (DeviceStream mine = new DeviceStream();
                StreamGate gate = new StreamGate();
                Publisher publisher = localPublisher().open()) {
            Subscriber subscriber = localSubscriber().open();
            publisher.acquire().publish(1);
            Frame frame = subscriber.next(PATIENCE);
            gate.block(mine.handle());
            frame.closeOn(mine.handle());
            returns(subscriber::close, "Subscriber.close()");
            assertEquals(1, publisher.stats().leasedSlots(), "the GPU may still read the frame");
            gate.open();
            mine.await();
            await(() -> publisher.stats().leasedSlots() == 0, "the lease does not end");
            await(() -> publisher.subscribers() == 0, "the connection does not end");
            assertGpuWorks();
        }
        assertReaped();
    }

    @Test
    void aPublisherDoesNotWaitForAStrictSubscriberThatHasClosed() {
        try (DeviceStream mine = new DeviceStream();
                StreamGate gate = new StreamGate();
                Publisher publisher = localPublisher()
                        .slots(3)
                        .policy(PublishPolicy.DROP_NEWEST)
                        .gracePeriod(Duration.ofDays(1))
                        .open()) {
            Subscriber subscriber =
                    localSubscriber().mode(SubscriberMode.STRICT_ORDER).open();
            await(() -> publisher.subscribers() == 1, "the subscriber is not there");
            publisher.acquire().publish(1);
            Frame frame = subscriber.next(PATIENCE);
            gate.block(mine.handle());
            frame.closeOn(mine.handle());
            returns(subscriber::close, "Subscriber.close()");
            for (int i = 2; i <= 8; i++) { // more than there are slots
                WritableFrame next = publisher.acquire();
                assertNotNull(next, "frame " + i + " is kept for a subscriber that takes no more");
                next.publish(i);
                long published = i;
                await(() -> publisher.announced() == published, "frame " + i + " is not announced");
            }
            gate.open();
        }
        assertReaped();
    }

    @Test
    void aSubscriberThatCudaKeepsWaitingKeepsNoOthersPlace() {
        if (transport != Transport.CUDA_VMM) {
            return; // a ring by handles is unmapped before its connection ends
        }
        try (DeviceStream busy = new DeviceStream();
                DeviceStream free = new DeviceStream();
                StreamGate gate = new StreamGate();
                Publisher publisher = localPublisher().open()) {
            Subscriber first = localSubscriber().open();
            Subscriber second = localSubscriber().open();
            await(() -> publisher.subscribers() == 2, "they are not there");
            publisher.acquire().publish(1);
            Frame frame = second.next(PATIENCE);
            gate.block(busy.handle());
            returns(first::close, "Subscriber.close()");
            frame.closeOn(free.handle());
            returns(second::close, "Subscriber.close()");
            await(() -> publisher.subscribers() == 0, "a connection stays open");
            gate.open();
        }
        assertReaped();
    }

    @Test
    void theLastFrameOfASessionThatIsOverClosesAtOnce() {
        try (DeviceStream mine = new DeviceStream();
                StreamGate gate = new StreamGate()) {
            Publisher publisher = localPublisher().open();
            Subscriber subscriber = localSubscriber().open();
            publisher.acquire().publish(1);
            Frame first = subscriber.next(PATIENCE);
            publisher.acquire().publish(2);
            Frame second = subscriber.next(PATIENCE);
            subscriber.retire();
            gate.block(mine.handle());
            first.closeOn(mine.handle());
            returns(second::close, "Frame.close()");
            gate.open();
            mine.await();
            publisher.close();
            assertReaped();
            assertGpuWorks();
        }
    }
}
