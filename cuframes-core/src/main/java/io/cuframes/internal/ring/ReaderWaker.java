// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import io.cuframes.internal.os.Futex;
import io.cuframes.internal.protocol.SegmentDescriptor;
import java.lang.foreign.MemorySegment;

/**
 * Wakes readers that sleep until a frame is published (docs/protocol.md, section 9). They are woken as soon as the frame is handed over, while a
 * GPU may still be at work on it: the time that a thread takes to wake and the time that the GPU takes then pass together.
 */
public final class ReaderWaker {
    private final RingWriter writer;
    private final long publishedAddress;

    /**
     * For one publisher.
     *
     * @param segment mapped
     * @param writer the ring
     */
    public ReaderWaker(MemorySegment segment, RingWriter writer) {
        this.writer = writer;
        this.publishedAddress = segment.address() + SegmentDescriptor.PUBLISHED_OFFSET;
    }

    /** Writer: wakes whoever sleeps, or is about to, now that a frame is published. */
    public void wakeSleepers() {
        if (writer.anyoneWaits()) {
            Futex.wakeAll(publishedAddress);
        }
        Faults.reach(FaultPoint.SLEEPERS_WOKEN);
    }

    /**
     * Wakes all readers of a stream, whatever they wait for: the stream has ended, or one of them is to look up.
     *
     * @param segment mapped, for reading alone if need be
     */
    public static void wakeAll(MemorySegment segment) {
        Futex.wakeAll(segment.address() + SegmentDescriptor.PUBLISHED_OFFSET);
        Futex.wakeAll(segment.address() + SegmentDescriptor.HEAD_OFFSET);
    }
}
