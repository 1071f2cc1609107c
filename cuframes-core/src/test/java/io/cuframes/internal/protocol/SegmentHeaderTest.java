// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ColorInfo;
import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.FrameFormat;
import io.cuframes.Ownership;
import io.cuframes.PixelFormat;
import io.cuframes.PlaneLayout;
import io.cuframes.PublishPolicy;
import io.cuframes.TimeBase;
import io.cuframes.Transport;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A segment's header is believed only if every number in it fits every other. */
class SegmentHeaderTest {
    private static final int SLOTS = 4;
    private static final FrameFormat FORMAT =
            FrameFormat.of(PixelFormat.NV12, 640, 360, new ColorInfo(1, 1, 1, ColorInfo.Range.FULL));
    private static final long CHROMA = PlaneDescriptor.LENGTH;
    private static final long STRIDE = SegmentDescriptor.pageAligned(FORMAT.frameBytes());

    /** A change to a good segment. */
    interface Damage {
        void apply(MemorySegment segment);
    }

    private static SegmentHeader header() {
        return header(FORMAT, TimeBase.UNKNOWN, Ownership.LIBRARY);
    }

    private static SegmentHeader header(FrameFormat format, TimeBase timeBase, Ownership ownership) {
        long stride = ownership == Ownership.LIBRARY ? STRIDE : 0;
        return new SegmentHeader(
                "cam1",
                42,
                7,
                1,
                -5_000_000_001L,
                PublishPolicy.STRICT_WAIT,
                timeBase,
                format,
                new RingLayout(Transport.HOST, ownership, SLOTS, stride, SLOTS * STRIDE, DeviceUuid.NONE));
    }

    private static MemorySegment good(Arena arena) {
        return good(arena, header());
    }

    private static MemorySegment good(Arena arena, SegmentHeader header) {
        MemorySegment segment = arena.allocate(SegmentDescriptor.length(SLOTS), 8);
        header.write(segment);
        for (int slot = 0; slot < SLOTS; slot++) {
            segment.set(
                    ValueLayout.JAVA_LONG,
                    SegmentDescriptor.slotOffset(slot) + SlotDescriptor.OFFSET_OFFSET,
                    slot * STRIDE);
            segment.set(
                    ValueLayout.JAVA_LONG, SegmentDescriptor.slotOffset(slot) + SlotDescriptor.LENGTH_OFFSET, STRIDE);
            segment.set(
                    ValueLayout.JAVA_LONG,
                    SegmentDescriptor.slotOffset(slot) + SlotDescriptor.ALLOCATION_LENGTH_OFFSET,
                    SLOTS * STRIDE);
        }
        segment.set(ValueLayout.JAVA_INT, SegmentDescriptor.STATE_OFFSET, SegmentDescriptor.STATE_READY);
        return segment;
    }

    @Test
    void aGoodHeaderReadsAsItWasWritten() {
        try (Arena arena = Arena.ofConfined()) {
            assertEquals(header(), SegmentHeader.read(good(arena), "x"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyFormatReadsAsItWasWrittenWithItsColoursAndTimeBase(PixelFormat pixelFormat) {
        ColorInfo color = new ColorInfo(pixelFormat.code(), 13, 255, ColorInfo.Range.LIMITED);
        TimeBase timeBase = new TimeBase(1001, Integer.MAX_VALUE);
        for (Ownership ownership : Ownership.values()) {
            SegmentHeader written = header(FrameFormat.of(pixelFormat, 322, 34, color), timeBase, ownership);
            try (Arena arena = Arena.ofConfined()) {
                assertEquals(written, SegmentHeader.read(good(arena, written), "x"));
            }
        }
    }

    @Test
    void onlyExternalSlotsMayHavePlanesOfAnyPitchAndOffset() {
        FrameFormat loose = FrameFormat.withPlanes(
                PixelFormat.P010,
                4,
                2,
                ColorInfo.UNKNOWN,
                List.of(new PlaneLayout(2, 10, 4, 2, 2), new PlaneLayout(30, 14, 2, 1, 4)),
                44);
        try (Arena arena = Arena.ofConfined()) {
            SegmentHeader external = header(loose, TimeBase.UNKNOWN, Ownership.EXTERNAL);
            assertEquals(external, SegmentHeader.read(good(arena, external), "x"));
            MemorySegment library = good(arena, header(loose, TimeBase.UNKNOWN, Ownership.LIBRARY));
            refused("is not aligned to 256 bytes in a LIBRARY ring", ErrorCode.PROTOCOL, library);
            MemorySegment odd = good(arena, external);
            int64(SegmentDescriptor.PLANE_TABLE_OFFSET, 1).apply(odd);
            refused("multiples of its components' 2 bytes", ErrorCode.PROTOCOL, odd);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 9, 77, -1})
    void aPixelFormatOfANewerPublisherIsNamedAndTheRemedyToo(int code) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = good(arena);
            int32(SegmentDescriptor.PIXEL_FORMAT_OFFSET, code).apply(segment);
            String expected = "pixel format " + Integer.toUnsignedString(code)
                    + ", which this library does not know: it is older than the publisher, update it";
            refused(expected, ErrorCode.UNSUPPORTED, segment);
        }
    }

    private static void refused(String expected, ErrorCode code, MemorySegment segment) {
        CuframesException refused =
                assertThrows(CuframesException.class, () -> SegmentHeader.read(segment, "/dev/shm/cuframes-cam1"));
        assertEquals(code, refused.code());
        assertTrue(refused.getMessage().contains(expected), refused.getMessage());
        assertTrue(refused.getMessage().contains("/dev/shm/cuframes-cam1"), refused.getMessage());
    }

    private static Arguments damage(String expected, Damage damage) {
        return Arguments.of(expected, damage);
    }

    private static Damage int32(long offset, int value) {
        return segment -> segment.set(ValueLayout.JAVA_INT, offset, value);
    }

    private static Damage int64(long offset, long value) {
        return segment -> segment.set(ValueLayout.JAVA_LONG, offset, value);
    }

    private static Damage int16(long offset, int value) {
        return segment -> segment.set(ValueLayout.JAVA_SHORT, offset, (short) value);
    }

    private static Damage int8(long offset, int value) {
        return segment -> segment.set(ValueLayout.JAVA_BYTE, offset, (byte) value);
    }

    static Stream<Arguments> damages() {
        long plane = SegmentDescriptor.PLANE_TABLE_OFFSET;
        long slot = SegmentDescriptor.slotOffset(2);
        return Stream.of(
                damage("does not begin with CUFRAMES", int64(SegmentDescriptor.MAGIC_OFFSET, 0)),
                damage("protocol version 2.1", int16(SegmentDescriptor.MAJOR_OFFSET, 2)),
                damage("protocol version 0.1", int16(SegmentDescriptor.MAJOR_OFFSET, 0)),
                damage("its state is 0", int32(SegmentDescriptor.STATE_OFFSET, 0)),
                damage("its state is 3", int32(SegmentDescriptor.STATE_OFFSET, 3)),
                damage("segment_length is 1", int64(SegmentDescriptor.SEGMENT_LENGTH_OFFSET, 1)),
                damage("its epoch is 0", int64(SegmentDescriptor.EPOCH_OFFSET, 0)),
                damage("transport 9 is unknown", int32(SegmentDescriptor.TRANSPORT_OFFSET, 9)),
                damage("transport 0 is unknown", int32(SegmentDescriptor.TRANSPORT_OFFSET, 0)),
                damage("slots is 1", int32(SegmentDescriptor.SLOTS_OFFSET, 1)),
                damage("slots is 65", int32(SegmentDescriptor.SLOTS_OFFSET, 65)),
                damage("slots is -1", int32(SegmentDescriptor.SLOTS_OFFSET, -1)),
                damage("20 slots take", int32(SegmentDescriptor.SLOTS_OFFSET, 20)),
                damage("index_entries is 64", int32(SegmentDescriptor.INDEX_ENTRIES_OFFSET, 64)),
                damage("planes is 5", int32(SegmentDescriptor.PLANES_OFFSET, 5)),
                damage("frame size 0x360", int32(SegmentDescriptor.WIDTH_OFFSET, 0)),
                damage("frame size 641x360", int32(SegmentDescriptor.WIDTH_OFFSET, 641)),
                damage("frame size 640x-2", int32(SegmentDescriptor.HEIGHT_OFFSET, -2)),
                damage("plane 0 of NV12 640x16384", int32(SegmentDescriptor.HEIGHT_OFFSET, 16384)),
                damage("color_range is 3", int8(SegmentDescriptor.COLOR_RANGE_OFFSET, 3)),
                damage("frame_bytes is -1", int64(SegmentDescriptor.FRAME_BYTES_OFFSET, -1)),
                damage("does not lie within a frame", int64(SegmentDescriptor.FRAME_BYTES_OFFSET, 256)),
                damage("slot_stride", int64(SegmentDescriptor.SLOT_STRIDE_OFFSET, 4096)),
                damage("slot_stride is " + (STRIDE - 256), int64(SegmentDescriptor.SLOT_STRIDE_OFFSET, STRIDE - 256)),
                damage("slot_stride", int64(SegmentDescriptor.SLOT_STRIDE_OFFSET, Long.MAX_VALUE)),
                damage("slot_stride", int64(SegmentDescriptor.SLOT_STRIDE_OFFSET, Long.MIN_VALUE)),
                damage("ring_length is 0", int64(SegmentDescriptor.RING_LENGTH_OFFSET, 0)),
                damage("ring_length", int64(SegmentDescriptor.RING_LENGTH_OFFSET, Long.MAX_VALUE)),
                damage("slot_stride", int64(SegmentDescriptor.RING_LENGTH_OFFSET, STRIDE)),
                damage("does not lie within a frame", int64(plane + PlaneDescriptor.OFFSET_OFFSET, -256)),
                damage("does not lie within a frame", int64(plane + PlaneDescriptor.OFFSET_OFFSET, 1L << 60)),
                damage("does not lie within a frame", int64(plane + PlaneDescriptor.OFFSET_OFFSET, Long.MAX_VALUE)),
                damage("planes 0 and 1", int64(plane + PlaneDescriptor.OFFSET_OFFSET, 256)),
                damage("a pitch of 0 bytes", int32(plane + PlaneDescriptor.PITCH_OFFSET, 0)),
                damage("does not lie within a frame", int32(plane + PlaneDescriptor.PITCH_OFFSET, 0x7fffff00)),
                damage("a pitch of -256 bytes", int32(plane + PlaneDescriptor.PITCH_OFFSET, -256)),
                damage("640x360 samples of 1 bytes, not 1x360", int32(plane + PlaneDescriptor.WIDTH_OFFSET, 1)),
                damage("samples of 1 bytes", int32(plane + PlaneDescriptor.SAMPLE_BYTES_OFFSET, 0)),
                damage("is not aligned to 256 bytes", segment -> {
                    int64(SegmentDescriptor.FRAME_BYTES_OFFSET, STRIDE).apply(segment); // room for the shift
                    int64(plane + CHROMA + PlaneDescriptor.OFFSET_OFFSET, 276_490)
                            .apply(segment);
                }),
                damage("is not aligned to 256 bytes", int32(plane + CHROMA + PlaneDescriptor.PITCH_OFFSET, 644)),
                damage("slot 2", int64(slot + SlotDescriptor.OFFSET_OFFSET, -1)),
                damage("slot 2", int64(slot + SlotDescriptor.OFFSET_OFFSET, SLOTS * STRIDE)),
                damage("slot 2", int64(slot + SlotDescriptor.LENGTH_OFFSET, Long.MAX_VALUE)),
                damage("slot 2", int64(slot + SlotDescriptor.LENGTH_OFFSET, 0)),
                damage("a text field holds the byte 10", int8(SegmentDescriptor.KEY_OFFSET, '\n')),
                damage(
                        "a text field does not end",
                        segment -> segment.asSlice(SegmentDescriptor.KEY_OFFSET, SegmentDescriptor.KEY_LENGTH)
                                .fill((byte) 'a')));
    }

    @ParameterizedTest(name = "{index} {0}")
    @MethodSource("damages")
    void aDamagedHeaderIsRefusedByName(String expected, Damage damage) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = good(arena);
            damage.apply(segment);
            refused(expected, ErrorCode.PROTOCOL, segment);
        }
    }

    @Test
    void aTruncatedSegmentIsRefused() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = good(arena);
            for (long length : new long[] {0, 7, 512, 4095}) {
                CuframesException refused = assertThrows(
                        CuframesException.class, () -> SegmentHeader.read(segment.asSlice(0, length), "cut"));
                assertEquals(ErrorCode.PROTOCOL, refused.code());
            }
        }
    }
}
