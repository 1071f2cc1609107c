// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cuframes.SubscriberMode;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.Shared;
import io.cuframes.internal.protocol.SlotDescriptor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RingReaderTest {
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
}
