// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import io.cuframes.internal.os.MonotonicClock;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.Shared;
import io.cuframes.internal.protocol.SlotDescriptor;
import java.lang.foreign.MemorySegment;

/** Publish times as this process's monotonic clock has them, also where the publisher is in another time namespace. Allocates nothing. */
final class PublishClock {
    private final MemorySegment segment;

    /** By how much the publisher's clock is ahead of this process's, by its own word. */
    private final long ahead;

    PublishClock(MemorySegment segment) {
        this.segment = segment;
        this.ahead = Shared.getLongOpaque(segment, SegmentDescriptor.MONOTONIC_OFFSET_OFFSET) // constant
                - MonotonicClock.offsetNanos();
    }

    /** When the frame of a slot was published. Opaque is enough: a lease keeps it constant, and without one it is a guess. */
    long of(int slot) {
        return Shared.getLongOpaque(segment, SegmentDescriptor.slotOffset(slot) + SlotDescriptor.PUBLISH_TIME_OFFSET)
                - ahead;
    }
}
