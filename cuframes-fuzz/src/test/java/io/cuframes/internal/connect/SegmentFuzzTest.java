// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import static io.cuframes.fuzz.Limits.require;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.cuframes.ColorInfo;
import io.cuframes.ErrorCode;
import io.cuframes.FrameFormat;
import io.cuframes.Ownership;
import io.cuframes.PixelFormat;
import io.cuframes.PlaneLayout;
import io.cuframes.PublishPolicy;
import io.cuframes.SubscriberMode;
import io.cuframes.fuzz.Limits;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.HeadWord;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.SegmentHeader;
import io.cuframes.internal.protocol.SlotDescriptor;
import io.cuframes.internal.ring.ReadTally;
import io.cuframes.internal.ring.RingReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** A whole segment from a hostile publisher: what is believed of it fits itself, and reading the ring in it stays within it. */
class SegmentFuzzTest {
    private static final int LARGEST = (int) SegmentDescriptor.length(SegmentDescriptor.MAX_SLOTS);

    private final Limits limits = new Limits(ErrorCode.PROTOCOL, ErrorCode.UNSUPPORTED);

    static Stream<byte[]> segments() {
        FrameFormat loose = FrameFormat.withPlanes(
                PixelFormat.P010,
                4,
                2,
                ColorInfo.UNKNOWN,
                List.of(new PlaneLayout(2, 10, 4, 2, 2), new PlaneLayout(30, 14, 2, 1, 4)),
                44);
        return Stream.concat(
                Stream.of(PixelFormat.values())
                        .map(pixels -> segment(FrameFormat.of(pixels, 64, 32, ColorInfo.UNKNOWN), Ownership.LIBRARY)),
                Stream.of(segment(loose, Ownership.EXTERNAL)));
    }

    private static byte[] segment(FrameFormat format, Ownership ownership) {
        byte[] bytes = new byte[(int) SegmentDescriptor.length(SeedSegment.SLOTS)];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocate(bytes.length, 8);
            SeedSegment.write(segment, format, ownership, PublishPolicy.STRICT_WAIT, SeedSegment.SLOTS);
            MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, 0, bytes, 0, bytes.length);
        }
        return bytes;
    }

    @MethodSource("segments")
    @FuzzTest(maxDuration = "5m")
    void oneSegment(byte[] bytes) {
        if (bytes.length > 0 && bytes.length <= LARGEST) {
            limits.check(() -> read(bytes));
        }
    }

    private static void read(byte[] bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocate(bytes.length, 8).copyFrom(MemorySegment.ofArray(bytes));
            SegmentHeader header = SegmentHeader.read(segment.asReadOnly(), "of the fuzzer");
            requireConsistent(header, segment);
            for (SubscriberMode mode : SubscriberMode.values()) {
                readRing(segment, arena.allocate(ControlDescriptor.LENGTH, 8), header, mode);
            }
        }
    }

    /** Exact arithmetic: what overflows throws. */
    private static void requireConsistent(SegmentHeader header, MemorySegment segment) {
        FrameFormat format = header.format();
        long frameBytes = format.frameBytes();
        for (PlaneLayout plane : format.planes()) {
            long row = Math.multiplyExact((long) plane.width(), plane.sampleBytes());
            require(plane.width() > 0 && plane.height() > 0 && row <= plane.pitch(), plane.toString());
            long end = Math.addExact(plane.offset(), Math.multiplyExact((long) plane.pitch(), plane.height()));
            require(plane.offset() >= 0 && end <= frameBytes, plane + " ends at " + end + " of " + frameBytes);
        }
        int slots = header.ring().slots();
        require(segment.byteSize() == SegmentDescriptor.length(slots), slots + " slots");
        for (int slot = 0; slot < slots; slot++) {
            long at = SegmentDescriptor.slotOffset(slot);
            long offset = segment.get(ValueLayout.JAVA_LONG, at + SlotDescriptor.OFFSET_OFFSET);
            long allocation = header.ring().transport().isDevice()
                    ? segment.get(ValueLayout.JAVA_LONG, at + SlotDescriptor.ALLOCATION_LENGTH_OFFSET)
                    : header.ring().length();
            require(offset >= 0 && Math.addExact(offset, frameBytes) <= allocation, "slot " + slot + " at " + offset);
        }
    }

    static void readRing(MemorySegment segment, MemorySegment control, SegmentHeader header, SubscriberMode mode) {
        int slots = header.ring().slots();
        RingReader reader = new RingReader(segment.asReadOnly(), control, slots, mode, new ReadTally());
        for (int take = 0; take <= 2 * slots; take++) {
            long before = reader.cursor();
            long word = reader.take();
            if (word == RingReader.NOTHING) {
                return;
            }
            int slot = HeadWord.slot(word);
            require(slot < slots && reader.leases(slot), "slot " + slot);
            require(HeadWord.seq(word) > before, "frame " + HeadWord.seq(word) + " after " + before);
            require(reader.userDataLength(slot) <= reader.userData(slot).byteSize(), "user data");
            require(reader.lag() >= 0, "lag");
            reader.release(slot);
        }
    }
}
