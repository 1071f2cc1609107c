// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.SubscriberMode;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.HeadWord;
import io.cuframes.internal.protocol.SegmentDescriptor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A writer and readers as fast as they can, on the smallest ring that lets them meet: each word of a slot says which frame it belongs to, and a
 * reader must never see two frames in one. Without the fence of either side, without the lease check, or with a lease that is not set, it does.
 * A strict reader that is waited for must miss none, either.
 */
class LeaseStressTest {
    private static final int WORDS = 32;
    private static final long FRAMES = 4_000_000;

    /** Where the machine is busy, fewer frames have to do, once readers have had this many. */
    private static final long LONGEST_NANOS = 2_000_000_000L;

    private static final long LEAST = 1000;
    private static final long GIVE_UP_NANOS = 60_000_000_000L;

    /** How often somebody who waits for another thread looks before it gives its core away: that thread may need it. */
    private static final int LOOKS = 256;

    private static final long GRACE_NANOS = 120_000_000_000L;

    @ParameterizedTest
    @EnumSource(SubscriberMode.class)
    void readerNeverSeesAFrameBeingOverwritten(SubscriberMode mode) throws InterruptedException {
        try (Ring ring = new Ring(3)) {
            ReadTally one = new ReadTally();
            ReadTally other = new ReadTally();
            ring.start(ring.reader(mode, one));
            ring.start(ring.reader(mode, other));
            RingWriter writer = new RingWriter(ring.segment, ring.slots, ring.readers);
            long tried = ring.writeAll(writer, () -> one.received() + other.received() > LEAST);
            ring.join();
            assertEquals(0, ring.torn.get(), "torn frames");
            assertEquals(tried, writer.published() + writer.dropped());
            assertTrue(writer.published() > tried / 10, "the writer was starved: " + writer.published());
        }
    }

    /** The other slot is held for good, so that writer and readers meet in each frame. */
    @Test
    void aReaderThatIsWaitedForMissesNothingWhileAnotherRacesWithTheWriter() throws InterruptedException {
        try (Ring ring = new Ring(2)) {
            ReadTally strict = new ReadTally();
            ReadTally newest = new ReadTally();
            RingReader strictReader = ring.reader(SubscriberMode.STRICT_ORDER, strict);
            RingReader newestReader = ring.reader(SubscriberMode.NEWEST_ONLY, newest);
            RingReader holder = ring.reader(SubscriberMode.NEWEST_ONLY, new ReadTally());
            RingWriter writer = new RingWriter(ring.segment, ring.slots, ring.readers, GRACE_NANOS);
            ring.write(writer);
            holder.take();
            ring.start(strictReader, newestReader); // one thread, so that two cores are enough
            ring.writeAll(writer, () -> strict.received() > LEAST && newest.received() > LEAST);
            ring.join();
            assertEquals(0, ring.torn.get(), "torn frames");
            assertEquals(0, strict.missed(), "frames that the strict reader missed");
            assertTrue(strict.received() >= writer.published() - ring.slots, strict.received() + " received");
            assertEquals(0, writer.stalled());
        }
    }

    /** A ring in this process's memory, and threads that read it until they are told to stop. */
    private static final class Ring implements AutoCloseable {
        final Arena arena = Arena.ofShared();
        final int slots;
        final MemorySegment segment;
        final MemorySegment pixels;
        final ReaderSet readers = new ReaderSet();
        final AtomicLong torn = new AtomicLong();
        private final AtomicBoolean done = new AtomicBoolean();
        private final List<Thread> threads = new ArrayList<>();

        Ring(int slots) {
            this.slots = slots;
            this.segment = arena.allocate(SegmentDescriptor.length(slots), 4096);
            this.pixels = arena.allocate((long) slots * WORDS * Long.BYTES, 128);
        }

        RingReader reader(SubscriberMode mode, ReadTally tally) {
            MemorySegment control = arena.allocate(ControlDescriptor.LENGTH, 4096);
            ControlPage page = new ControlPage(
                    Arena.ofShared(),
                    control.asReadOnly(),
                    new ControlPage.Owner(1, "", 0, mode, SegmentDescriptor.MAX_SLOTS));
            page.setReady();
            readers.add(page);
            return new RingReader(segment, control, slots, mode, tally);
        }

        /** Starts a thread that lets these readers read in turn. */
        void start(RingReader... inTurn) {
            threads.add(Thread.ofPlatform().start(() -> {
                int looks = 0;
                while (!done.get()) {
                    for (RingReader reader : inTurn) {
                        looks = readOne(reader) ? 0 : idle(looks);
                    }
                }
            }));
        }

        private boolean readOne(RingReader reader) {
            long word = reader.take();
            if (word == RingReader.NOTHING) {
                return false;
            }
            int slot = HeadWord.slot(word);
            long seq = HeadWord.seq(word);
            boolean whole = reader.ptsNanos(slot) == seq;
            for (int i = 0; i < WORDS; i++) {
                whole &= pixels.get(ValueLayout.JAVA_LONG, ((long) slot * WORDS + i) * Long.BYTES) == seq;
            }
            reader.release(slot);
            if (!whole) {
                torn.incrementAndGet();
            }
            return true;
        }

        /** Writes frames as fast as readers let it, and longer if they have not had enough; returns how many it tried to. */
        long writeAll(RingWriter writer, BooleanSupplier enough) {
            long start = System.nanoTime();
            long tried = 0;
            int looks = 0;
            while ((tried < FRAMES && System.nanoTime() - start < LONGEST_NANOS) || !enough.getAsBoolean()) {
                if (write(writer)) {
                    tried++;
                } else {
                    looks = idle(looks);
                }
                assertTrue(System.nanoTime() - start < GIVE_UP_NANOS, "hardly any frames are read");
            }
            return tried;
        }

        /** Writes one frame, or drops it; false if there is a reader to be waited for. */
        boolean write(RingWriter writer) {
            int slot = writer.take();
            if (slot == RingWriter.UNREAD) {
                return false;
            }
            if (slot == RingWriter.ALL_LEASED) {
                writer.countDropped();
                return true;
            }
            long seq = writer.published() + 1;
            for (int word = 0; word < WORDS; word++) { // plain stores, as a program that fills a frame does
                pixels.set(ValueLayout.JAVA_LONG, ((long) slot * WORDS + word) * Long.BYTES, seq);
            }
            writer.announce(writer.name(slot, seq, seq, 0, 0, 0));
            return true;
        }

        @SuppressWarnings("ThreadPriorityCheck") // giving the core away is what it is for
        private static int idle(int looks) {
            if (looks < LOOKS) {
                Thread.onSpinWait();
                return looks + 1;
            }
            Thread.yield();
            return 0;
        }

        void join() throws InterruptedException {
            done.set(true);
            for (Thread thread : threads) {
                thread.join();
            }
        }

        @Override
        public void close() {
            arena.close();
        }
    }
}
