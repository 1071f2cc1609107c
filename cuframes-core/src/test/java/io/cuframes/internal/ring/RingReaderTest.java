// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.SubscriberMode;
import io.cuframes.internal.os.MonotonicClock;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.HeadWord;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.Shared;
import io.cuframes.internal.protocol.SlotDescriptor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class RingReaderTest {
    private static final int CALLS = 100_000;

    @ParameterizedTest
    @CsvSource({"0, 0", "1, 1", "256, 256", "257, 256", "2147483647, 256", "-1, 256", "-2147483648, 256"})
    void aLengthOfUserDataIsBelievedOnlyAsFarAsThereIsRoom(int said, int believed) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocate(SegmentDescriptor.length(2), 4096);
            MemorySegment control = arena.allocate(ControlDescriptor.LENGTH, 4096);
            RingReader reader = new RingReader(segment, control, 2, SubscriberMode.NEWEST_ONLY, new ReadTally());
            Shared.setIntOpaque(
                    segment, SegmentDescriptor.slotOffset(1) + SlotDescriptor.USER_DATA_LENGTH_OFFSET, said);
            assertEquals(believed, reader.userDataLength(1));
        }
    }

    /** The publisher's clock may be anything, as may be what it says of it. */
    @ParameterizedTest
    @ValueSource(longs = {0, -1_000_000_000_000_000L, 1_000_000_000_000_000L, Long.MIN_VALUE, Long.MAX_VALUE})
    void publishTimesAreOfTheReadersClockAndSilenceIsMeasuredOnIt(long offset) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocate(SegmentDescriptor.length(2), 4096);
            MemorySegment control = arena.allocate(ControlDescriptor.LENGTH, 4096);
            Shared.setLongOpaque(segment, SegmentDescriptor.MONOTONIC_OFFSET_OFFSET, offset);
            long begin = System.nanoTime();
            RingReader reader = new RingReader(segment, control, 2, SubscriberMode.NEWEST_ONLY, new ReadTally());
            long published = System.nanoTime();
            long at = SegmentDescriptor.slotOffset(1);
            Shared.setLongOpaque(
                    segment,
                    at + SlotDescriptor.PUBLISH_TIME_OFFSET,
                    published + offset - MonotonicClock.offsetNanos());
            assertEquals(published, reader.publishTimeNanos(1));
            long silent = reader.silentNanos(System.nanoTime());
            assertTrue(silent >= 0 && silent <= System.nanoTime() - begin, silent + " ns");

            Shared.setLongRelease(segment, at + SlotDescriptor.SEQ_OFFSET, 1);
            Shared.setLongRelease(segment, SegmentDescriptor.HEAD_OFFSET, HeadWord.of(1, 1));
            assertEquals(0, reader.silentNanos(Long.MAX_VALUE), "a frame is there to take");
            long before = System.nanoTime();
            assertEquals(HeadWord.of(1, 1), reader.take());
            long after = System.nanoTime();
            silent = reader.silentNanos(after + 1_000_000_000);
            assertTrue(silent >= 1_000_000_000 && silent <= 1_000_000_000 + after - before, silent + " ns");
        }
    }

    /** Such a publisher must not be able to hold a caller beyond its timeout, which is looked at between two calls. */
    @ParameterizedTest
    @EnumSource(SubscriberMode.class)
    void takingEndsWhileAPublisherAnnouncesFramesWithoutEnd(SubscriberMode mode) throws InterruptedException {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment segment = arena.allocate(SegmentDescriptor.length(2), 4096);
            MemorySegment control = arena.allocate(ControlDescriptor.LENGTH, 4096);
            RingReader reader = new RingReader(segment, control, 2, mode, new ReadTally());
            AtomicBoolean done = new AtomicBoolean();
            AtomicLong announced = new AtomicLong();
            Thread publisher = Thread.ofPlatform().start(() -> {
                for (long seq = 1; !done.get() && seq < Integer.MAX_VALUE; seq++) {
                    Shared.setLongRelease(segment, SegmentDescriptor.HEAD_OFFSET, HeadWord.of(seq, 1));
                    announced.setOpaque(seq);
                }
            });
            for (int call = 0; call < CALLS; call++) {
                assertEquals(RingReader.NOTHING, reader.take());
            }
            done.set(true);
            publisher.join();
            assertTrue(announced.getOpaque() < Integer.MAX_VALUE - 1, "the calls ended with the announcements alone");
        }
    }
}
