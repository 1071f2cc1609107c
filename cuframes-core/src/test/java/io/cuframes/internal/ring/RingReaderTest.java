// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.SubscriberMode;
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
