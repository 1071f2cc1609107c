// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cuframes.ColorInfo;
import io.cuframes.FrameFormat;
import io.cuframes.Ownership;
import io.cuframes.PixelFormat;
import io.cuframes.PublishPolicy;
import io.cuframes.TimeBase;
import io.cuframes.Transport;
import io.cuframes.internal.protocol.DeviceUuid;
import io.cuframes.internal.protocol.RingLayout;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.SegmentHeader;
import io.cuframes.internal.protocol.SlotDescriptor;
import io.cuframes.internal.ring.ReaderSet;
import io.cuframes.internal.ring.RingWriter;
import java.lang.foreign.MemorySegment;

/** A segment as the library makes it, with frames in it. */
public final class SeedSegment {
    public static final String KEY = "fuzz";
    public static final long EPOCH = 99;
    public static final int SLOTS = 2;
    public static final FrameFormat FORMAT = FrameFormat.of(PixelFormat.NV12, 64, 64, ColorInfo.UNKNOWN);
    public static final long STRIDE = SegmentDescriptor.pageAligned(FORMAT.frameBytes());
    public static final long RING = SLOTS * STRIDE;

    private SeedSegment() {}

    /** The one that {@link SeedMessages#welcome} welcomes to. */
    public static void write(MemorySegment segment) {
        write(segment, FORMAT, Ownership.LIBRARY, PublishPolicy.DROP_OLDEST, SLOTS);
    }

    /** Fills a zeroed segment, and publishes three frames. */
    public static void write(
            MemorySegment segment, FrameFormat format, Ownership ownership, PublishPolicy policy, int slots) {
        long stride = SegmentDescriptor.pageAligned(format.frameBytes());
        long ring = slots * stride;
        new SegmentHeader(
                        KEY,
                        EPOCH,
                        1,
                        1,
                        0,
                        policy,
                        new TimeBase(1, 90_000),
                        format,
                        new RingLayout(
                                Transport.HOST,
                                ownership,
                                slots,
                                ownership == Ownership.LIBRARY ? stride : 0,
                                ring,
                                DeviceUuid.NONE))
                .write(segment);
        for (int slot = 0; slot < slots; slot++) {
            long at = SegmentDescriptor.slotOffset(slot);
            segment.set(JAVA_LONG, at + SlotDescriptor.OFFSET_OFFSET, slot * stride);
            segment.set(JAVA_LONG, at + SlotDescriptor.LENGTH_OFFSET, stride);
            segment.set(JAVA_LONG, at + SlotDescriptor.ALLOCATION_LENGTH_OFFSET, ring);
        }
        RingWriter writer = new RingWriter(segment, slots, new ReaderSet());
        for (int frame = 0; frame < 3; frame++) {
            writer.announce(writer.name(writer.take(), frame, frame, 0, 0, frame));
        }
        segment.set(JAVA_INT, SegmentDescriptor.STATE_OFFSET, SegmentDescriptor.STATE_READY);
    }
}
