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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A writer and readers as fast as they can, on the smallest ring that lets them meet: each word of a slot says which frame it belongs to, and a
 * reader must never see two frames in one. Without the fence of either side, without the lease check, or with a lease that is not set, it does.
 */
class LeaseStressTest {
    private static final int SLOTS = 3;
    private static final int WORDS = 32;
    private static final int READERS = 2;
    private static final long FRAMES = 4_000_000;

    @ParameterizedTest
    @EnumSource(SubscriberMode.class)
    void readerNeverSeesAFrameBeingOverwritten(SubscriberMode mode) throws InterruptedException {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment segment = arena.allocate(SegmentDescriptor.length(SLOTS), 4096);
            MemorySegment pixels = arena.allocate((long) SLOTS * WORDS * Long.BYTES, 128);
            ReaderSet readers = new ReaderSet();
            AtomicBoolean done = new AtomicBoolean();
            AtomicLong torn = new AtomicLong();
            AtomicLong read = new AtomicLong();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < READERS; i++) {
                MemorySegment control = arena.allocate(ControlDescriptor.LENGTH, 4096);
                readers.add(new ControlPage(
                        Arena.ofShared(), control.asReadOnly(), new ControlPage.Owner(i + 1, "", 0, mode)));
                RingReader reader = new RingReader(segment, control, SLOTS, mode, new ReadTally());
                threads.add(Thread.ofPlatform().start(() -> readAll(reader, pixels, done, torn, read)));
            }
            RingWriter writer = new RingWriter(segment, SLOTS, readers);
            writeAll(writer, pixels);
            done.set(true);
            for (Thread thread : threads) {
                thread.join();
            }
            assertEquals(0, torn.get(), "torn frames");
            assertTrue(read.get() > 1000, "only " + read.get() + " frames were read");
            assertEquals(FRAMES, writer.published() + writer.dropped());
            assertTrue(writer.published() > FRAMES / 10, "the writer was starved: " + writer.published());
        }
    }

    private static void writeAll(RingWriter writer, MemorySegment pixels) {
        for (long i = 0; i < FRAMES; i++) {
            int slot = writer.take();
            if (slot == RingWriter.ALL_LEASED) {
                writer.countDropped();
                continue;
            }
            long seq = writer.published() + 1;
            for (int word = 0; word < WORDS; word++) { // plain stores, as a program that fills a frame does
                pixels.set(ValueLayout.JAVA_LONG, ((long) slot * WORDS + word) * Long.BYTES, seq);
            }
            writer.announce(writer.name(slot, seq, seq, 0, 0, 0));
        }
    }

    private static void readAll(
            RingReader reader, MemorySegment pixels, AtomicBoolean done, AtomicLong torn, AtomicLong read) {
        while (!done.get()) {
            long word = reader.take();
            if (word == RingReader.NOTHING) {
                Thread.onSpinWait();
                continue;
            }
            int slot = HeadWord.slot(word);
            long seq = HeadWord.seq(word);
            boolean whole = reader.ptsNanos(slot) == seq;
            for (int i = 0; i < WORDS; i++) {
                whole &= pixels.get(ValueLayout.JAVA_LONG, ((long) slot * WORDS + i) * Long.BYTES) == seq;
            }
            reader.release(slot);
            read.incrementAndGet();
            if (!whole) {
                torn.incrementAndGet();
            }
        }
    }
}
