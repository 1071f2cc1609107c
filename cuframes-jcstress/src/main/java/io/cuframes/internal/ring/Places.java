// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import io.cuframes.SubscriberMode;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.SegmentDescriptor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;

/** Segments and control pages in one mapped memory file, as processes share them, given out in turn: many more than states live at a time. */
final class Places {
    static final int SLOTS = 2;
    private static final int COUNT = 4096;
    private static final long SEGMENT = SegmentDescriptor.length(SLOTS);
    private static final long LENGTH = SEGMENT + ControlDescriptor.LENGTH;
    private static final MemorySegment MEMORY = map();
    private static final AtomicInteger NEXT = new AtomicInteger();

    /** Counts, and is not looked at; of one thread at a time in each test. */
    static final ReadTally TALLY = new ReadTally();

    private Places() {}

    private static MemorySegment map() {
        try (Descriptor memfd = Posix.memfd("cuframes-jcstress")) {
            Posix.reserve(memfd, COUNT * LENGTH, "the states");
            return Posix.map(memfd, COUNT * LENGTH, true, Arena.global(), "the states");
        }
    }

    /** A segment, and behind it a control page; zeroed as far as the tests use them, for a state is made in less time than a page is zeroed. */
    static MemorySegment next() {
        long place = Math.floorMod(NEXT.getAndIncrement(), COUNT);
        MemorySegment memory = MEMORY.asSlice(place * LENGTH, LENGTH);
        memory.asSlice(SegmentDescriptor.HEAD_OFFSET, Long.BYTES).fill((byte) 0);
        memory.asSlice(SegmentDescriptor.indexOffset(1), Long.BYTES).fill((byte) 0);
        for (int slot = 0; slot < SLOTS; slot++) {
            memory.asSlice(SegmentDescriptor.slotOffset(slot), Long.BYTES).fill((byte) 0);
            memory.asSlice(SEGMENT + ControlDescriptor.leaseOffset(slot), Long.BYTES)
                    .fill((byte) 0);
        }
        return memory;
    }

    static MemorySegment segment(MemorySegment place) {
        return place.asSlice(0, SEGMENT);
    }

    static MemorySegment control(MemorySegment place) {
        return place.asSlice(SEGMENT, ControlDescriptor.LENGTH);
    }

    static ControlPage page(MemorySegment control, Arena arena) {
        return new ControlPage(
                arena,
                control.asReadOnly(),
                new ControlPage.Owner(1, "", 0, SubscriberMode.NEWEST_ONLY, SegmentDescriptor.MAX_SLOTS));
    }

    /** Publishes a frame in a slot that is free, of the pts given. */
    static void publish(RingWriter writer, int slot, long ptsNanos) {
        writer.announce(writer.name(slot, ptsNanos, 0, 0, 0, 0));
    }
}
