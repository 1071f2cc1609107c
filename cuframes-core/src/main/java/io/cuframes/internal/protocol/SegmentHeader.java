// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.protocol;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.cuframes.ColorInfo;
import io.cuframes.Cuframes;
import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.FrameFormat;
import io.cuframes.Ownership;
import io.cuframes.PixelFormat;
import io.cuframes.PlaneLayout;
import io.cuframes.PublishPolicy;
import io.cuframes.TimeBase;
import io.cuframes.Transport;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The constant part of a segment's header, decoded. {@link #read} trusts nothing: every number is checked against the length that is really
 * mapped before anything is computed from it.
 */
public record SegmentHeader(
        String key,
        long epoch,
        int pid,
        long createdNanos,
        long monotonicOffsetNanos,
        PublishPolicy policy,
        TimeBase timeBase,
        FrameFormat format,
        RingLayout ring) {
    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** More than any ring: 64 slots of the largest frame are 64 GiB. Keeps products of peer-supplied numbers far from overflow. */
    private static final long MAX_RING_LENGTH = 1L << 40;

    /** With the epoch as every text has it. */
    @Override
    public String toString() {
        return "SegmentHeader[key=" + key + ", epoch=" + Cuframes.epochText(epoch) + ", pid=" + pid + ", createdNanos="
                + createdNanos + ", policy=" + policy + ", timeBase=" + timeBase + ", format=" + format + ", ring="
                + ring
                + "]";
    }

    /** Writes all but the state, which stays INITIALIZING until the caller stores READY. Plain stores: nobody reads before that. */
    public void write(MemorySegment segment) {
        segment.set(U64, SegmentDescriptor.MAGIC_OFFSET, SegmentDescriptor.MAGIC);
        segment.set(U16, SegmentDescriptor.MAJOR_OFFSET, (short) SegmentDescriptor.MAJOR);
        segment.set(U16, SegmentDescriptor.MINOR_OFFSET, (short) SegmentDescriptor.MINOR);
        segment.set(U64, SegmentDescriptor.SEGMENT_LENGTH_OFFSET, segment.byteSize());
        segment.set(U64, SegmentDescriptor.EPOCH_OFFSET, epoch);
        segment.set(U32, SegmentDescriptor.PID_OFFSET, pid);
        segment.set(U32, SegmentDescriptor.TRANSPORT_OFFSET, ring.transport().code());
        segment.set(U64, SegmentDescriptor.CREATED_OFFSET, createdNanos);
        segment.set(U32, SegmentDescriptor.SLOTS_OFFSET, ring.slots());
        segment.set(U32, SegmentDescriptor.INDEX_ENTRIES_OFFSET, SegmentDescriptor.INDEX_ENTRIES);
        writeFormat(segment);
        segment.set(U32, SegmentDescriptor.OWNERSHIP_OFFSET, ring.ownership().code());
        segment.set(U64, SegmentDescriptor.SLOT_STRIDE_OFFSET, ring.slotStride());
        segment.set(U64, SegmentDescriptor.RING_LENGTH_OFFSET, ring.length());
        segment.set(U32, SegmentDescriptor.TIMEBASE_NUMERATOR_OFFSET, timeBase.numerator());
        segment.set(U32, SegmentDescriptor.TIMEBASE_DENOMINATOR_OFFSET, timeBase.denominator());
        segment.set(U32, SegmentDescriptor.POLICY_OFFSET, policy.code());
        segment.set(U64, SegmentDescriptor.MONOTONIC_OFFSET_OFFSET, monotonicOffsetNanos);
        ring.device()
                .write(segment.asSlice(SegmentDescriptor.DEVICE_UUID_OFFSET, SegmentDescriptor.DEVICE_UUID_LENGTH));
        writeText(segment, SegmentDescriptor.KEY_OFFSET, key);
    }

    private void writeFormat(MemorySegment segment) {
        segment.set(
                U32, SegmentDescriptor.PIXEL_FORMAT_OFFSET, format.pixelFormat().code());
        segment.set(U32, SegmentDescriptor.PLANES_OFFSET, format.planes().size());
        segment.set(U32, SegmentDescriptor.WIDTH_OFFSET, format.width());
        segment.set(U32, SegmentDescriptor.HEIGHT_OFFSET, format.height());
        ColorInfo color = format.color();
        segment.set(JAVA_BYTE, SegmentDescriptor.COLOR_PRIMARIES_OFFSET, (byte) color.primaries());
        segment.set(JAVA_BYTE, SegmentDescriptor.COLOR_TRANSFER_OFFSET, (byte) color.transfer());
        segment.set(JAVA_BYTE, SegmentDescriptor.COLOR_MATRIX_OFFSET, (byte) color.matrix());
        segment.set(JAVA_BYTE, SegmentDescriptor.COLOR_RANGE_OFFSET, (byte)
                color.range().code());
        segment.set(U64, SegmentDescriptor.FRAME_BYTES_OFFSET, format.frameBytes());
        long at = SegmentDescriptor.PLANE_TABLE_OFFSET;
        for (PlaneLayout plane : format.planes()) {
            segment.set(U64, at + PlaneDescriptor.OFFSET_OFFSET, plane.offset());
            segment.set(U32, at + PlaneDescriptor.PITCH_OFFSET, plane.pitch());
            segment.set(U32, at + PlaneDescriptor.WIDTH_OFFSET, plane.width());
            segment.set(U32, at + PlaneDescriptor.HEIGHT_OFFSET, plane.height());
            segment.set(U32, at + PlaneDescriptor.SAMPLE_BYTES_OFFSET, plane.sampleBytes());
            at += PlaneDescriptor.LENGTH;
        }
    }

    /** Writes ASCII into a zero-filled field. */
    static void writeText(MemorySegment memory, long offset, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        MemorySegment.copy(bytes, 0, memory, JAVA_BYTE, offset, bytes.length);
    }

    /**
     * Decodes and checks a segment's header.
     *
     * @param segment the whole mapped segment
     * @param name what to call it in an error: a path, or "the segment of key ..."
     * @throws CuframesException code UNSUPPORTED for a pixel format that this version does not know, PROTOCOL if anything else does not fit this
     *     version or itself
     */
    public static SegmentHeader read(MemorySegment segment, String name) {
        checkIdentity(segment, name);
        int slots = segment.get(U32, SegmentDescriptor.SLOTS_OFFSET);
        check(
                slots >= SegmentDescriptor.MIN_SLOTS && slots <= SegmentDescriptor.MAX_SLOTS,
                name,
                "slots is " + slots + ", not 2 to 64");
        check(
                segment.byteSize() == SegmentDescriptor.length(slots),
                name,
                "its length is " + segment.byteSize() + " bytes, but " + slots + " slots take "
                        + SegmentDescriptor.length(slots));
        int entries = segment.get(U32, SegmentDescriptor.INDEX_ENTRIES_OFFSET);
        check(entries == SegmentDescriptor.INDEX_ENTRIES, name, "index_entries is " + entries + ", not 128");
        FrameFormat format = readFormat(segment, name);
        RingLayout ring = readRing(segment, slots, format.frameBytes(), name);
        checkAlignment(format, ring.ownership(), name);
        checkSlots(segment, ring, format.frameBytes(), name);
        int policy = segment.get(U32, SegmentDescriptor.POLICY_OFFSET);
        check(PublishPolicy.ofCode(policy) != null, name, "policy " + policy + " is unknown to this version");
        return new SegmentHeader(
                readText(segment, SegmentDescriptor.KEY_OFFSET, SegmentDescriptor.KEY_LENGTH, name),
                segment.get(U64, SegmentDescriptor.EPOCH_OFFSET),
                segment.get(U32, SegmentDescriptor.PID_OFFSET),
                segment.get(U64, SegmentDescriptor.CREATED_OFFSET),
                segment.get(U64, SegmentDescriptor.MONOTONIC_OFFSET_OFFSET),
                PublishPolicy.ofCode(policy),
                readTimeBase(segment, name),
                format,
                ring);
    }

    private static RingLayout readRing(MemorySegment segment, int slots, long frameBytes, String name) {
        int code = segment.get(U32, SegmentDescriptor.TRANSPORT_OFFSET);
        Transport transport = Transport.ofCode(code);
        check(transport != null, name, "transport " + code + " is unknown to this version");
        int owner = segment.get(U32, SegmentDescriptor.OWNERSHIP_OFFSET);
        Ownership ownership = Ownership.ofCode(owner);
        check(ownership != null, name, "ownership " + owner + " is unknown to this version");
        long length = segment.get(U64, SegmentDescriptor.RING_LENGTH_OFFSET);
        check(length > 0 && length <= MAX_RING_LENGTH, name, "ring_length is " + length);
        long stride = segment.get(U64, SegmentDescriptor.SLOT_STRIDE_OFFSET);
        boolean fits = ownership == Ownership.EXTERNAL
                ? stride == 0
                : stride >= frameBytes && stride <= length / slots && SegmentDescriptor.pageAligned(stride) == stride;
        check(
                ownership == Ownership.LIBRARY || transport != Transport.CUDA_VMM,
                name,
                "its buffers are the application's, and the transport CUDA_VMM has none of those");
        check(fits, name, "slot_stride is " + stride + " for a ring of " + length + " bytes");
        return new RingLayout(
                transport,
                ownership,
                slots,
                stride,
                length,
                DeviceUuid.read(
                        segment.asSlice(SegmentDescriptor.DEVICE_UUID_OFFSET, SegmentDescriptor.DEVICE_UUID_LENGTH)));
    }

    private static TimeBase readTimeBase(MemorySegment segment, String name) {
        int numerator = segment.get(U32, SegmentDescriptor.TIMEBASE_NUMERATOR_OFFSET);
        int denominator = segment.get(U32, SegmentDescriptor.TIMEBASE_DENOMINATOR_OFFSET);
        check(
                numerator >= 0 && denominator >= 0 && (numerator == 0) == (denominator == 0),
                name,
                "timebase is " + numerator + "/" + denominator);
        return new TimeBase(numerator, denominator);
    }

    private static void checkIdentity(MemorySegment segment, String name) {
        check(
                segment.byteSize() >= SegmentDescriptor.length(SegmentDescriptor.MIN_SLOTS),
                name,
                "it has only " + segment.byteSize() + " bytes");
        check(
                segment.get(U64, SegmentDescriptor.MAGIC_OFFSET) == SegmentDescriptor.MAGIC,
                name,
                "it does not begin with CUFRAMES");
        int major = Short.toUnsignedInt(segment.get(U16, SegmentDescriptor.MAJOR_OFFSET));
        int minor = Short.toUnsignedInt(segment.get(U16, SegmentDescriptor.MINOR_OFFSET));
        check(
                major == SegmentDescriptor.MAJOR,
                name,
                "it follows protocol version " + major + "." + minor + ", this library version "
                        + SegmentDescriptor.MAJOR + "." + SegmentDescriptor.MINOR
                        + ": use the same release on both sides");
        // Acquire: pairs with the release of READY, after which the header is constant.
        int state = Shared.getIntAcquire(segment, SegmentDescriptor.STATE_OFFSET);
        check(
                state == SegmentDescriptor.STATE_READY || state == SegmentDescriptor.STATE_ENDED,
                name,
                "its state is " + state);
        long length = segment.get(U64, SegmentDescriptor.SEGMENT_LENGTH_OFFSET);
        check(
                length == segment.byteSize(),
                name,
                "segment_length is " + length + ", but the file has " + segment.byteSize() + " bytes");
        check(segment.get(U64, SegmentDescriptor.EPOCH_OFFSET) != 0, name, "its epoch is 0");
    }

    private static FrameFormat readFormat(MemorySegment segment, String name) {
        PixelFormat pixelFormat = readPixelFormat(segment, name);
        int count = segment.get(U32, SegmentDescriptor.PLANES_OFFSET);
        check(count == pixelFormat.planeCount(), name, "planes is " + count + " for " + pixelFormat);
        long frameBytes = segment.get(U64, SegmentDescriptor.FRAME_BYTES_OFFSET);
        check(frameBytes > 0 && frameBytes <= MAX_RING_LENGTH, name, "frame_bytes is " + frameBytes);
        List<PlaneLayout> planes = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            planes.add(readPlane(segment, i));
        }
        ColorInfo color = readColor(segment, name);
        try {
            return new FrameFormat(
                    pixelFormat,
                    segment.get(U32, SegmentDescriptor.WIDTH_OFFSET),
                    segment.get(U32, SegmentDescriptor.HEIGHT_OFFSET),
                    color,
                    planes,
                    frameBytes);
        } catch (CuframesException e) {
            throw new CuframesException(ErrorCode.PROTOCOL, "bad segment " + name + ": " + e.getMessage(), e);
        }
    }

    /** A newer publisher may have formats that this version lacks (docs/protocol.md, section 11): that is no damage. */
    private static PixelFormat readPixelFormat(MemorySegment segment, String name) {
        int code = segment.get(U32, SegmentDescriptor.PIXEL_FORMAT_OFFSET);
        PixelFormat pixelFormat = PixelFormat.ofCode(code);
        if (pixelFormat == null) {
            throw new CuframesException(
                    ErrorCode.UNSUPPORTED,
                    "segment " + name + " has frames of pixel format " + Integer.toUnsignedString(code)
                            + ", which this library does not know: it is older than the publisher, update it");
        }
        return pixelFormat;
    }

    private static ColorInfo readColor(MemorySegment segment, String name) {
        int code = Byte.toUnsignedInt(segment.get(JAVA_BYTE, SegmentDescriptor.COLOR_RANGE_OFFSET));
        ColorInfo.Range range = ColorInfo.Range.ofCode(code);
        check(range != null, name, "color_range is " + code);
        return new ColorInfo(
                Byte.toUnsignedInt(segment.get(JAVA_BYTE, SegmentDescriptor.COLOR_PRIMARIES_OFFSET)),
                Byte.toUnsignedInt(segment.get(JAVA_BYTE, SegmentDescriptor.COLOR_TRANSFER_OFFSET)),
                Byte.toUnsignedInt(segment.get(JAVA_BYTE, SegmentDescriptor.COLOR_MATRIX_OFFSET)),
                range);
    }

    private static PlaneLayout readPlane(MemorySegment segment, int index) {
        long at = SegmentDescriptor.PLANE_TABLE_OFFSET + index * PlaneDescriptor.LENGTH;
        return new PlaneLayout(
                segment.get(U64, at + PlaneDescriptor.OFFSET_OFFSET),
                segment.get(U32, at + PlaneDescriptor.PITCH_OFFSET),
                segment.get(U32, at + PlaneDescriptor.WIDTH_OFFSET),
                segment.get(U32, at + PlaneDescriptor.HEIGHT_OFFSET),
                segment.get(U32, at + PlaneDescriptor.SAMPLE_BYTES_OFFSET));
    }

    /** The library aligns what it lays out; an application's own buffers are as they are. */
    private static void checkAlignment(FrameFormat format, Ownership ownership, String name) {
        if (ownership == Ownership.EXTERNAL) {
            return;
        }
        for (PlaneLayout plane : format.planes()) {
            check(
                    plane.offset() % FrameFormat.PITCH_ALIGNMENT == 0
                            && plane.pitch() % FrameFormat.PITCH_ALIGNMENT == 0,
                    name,
                    plane + " is not aligned to " + FrameFormat.PITCH_ALIGNMENT + " bytes in a LIBRARY ring");
        }
    }

    private static void checkSlots(MemorySegment segment, RingLayout ring, long frameBytes, String name) {
        boolean oneAllocation =
                ring.ownership() == Ownership.LIBRARY || !ring.transport().isDevice();
        for (int slot = 0; slot < ring.slots(); slot++) {
            long at = SegmentDescriptor.slotOffset(slot);
            long offset = segment.get(U64, at + SlotDescriptor.OFFSET_OFFSET);
            long length = segment.get(U64, at + SlotDescriptor.LENGTH_OFFSET);
            long allocation = segment.get(U64, at + SlotDescriptor.ALLOCATION_LENGTH_OFFSET);
            check(
                    oneAllocation ? allocation == ring.length() : allocation > 0 && allocation <= MAX_RING_LENGTH,
                    name,
                    "slot " + slot + " lies in an allocation of " + allocation + " bytes, and the ring has "
                            + ring.length());
            long end = ring.transport() == Transport.CUDA_VMM ? allocation - SegmentDescriptor.VMM_TAIL : allocation;
            check(
                    offset >= 0 && length >= frameBytes && length <= end && offset <= end - length,
                    name,
                    "slot " + slot + " at offset " + offset + " with " + length
                            + " bytes does not lie within an allocation of " + allocation + " bytes");
        }
    }

    static String readText(MemorySegment memory, long offset, long length, String name) {
        byte[] bytes = memory.asSlice(offset, length).toArray(JAVA_BYTE);
        int end = 0;
        while (end < bytes.length && bytes[end] != 0) {
            check(bytes[end] >= 0x20 && bytes[end] < 0x7f, name, "a text field holds the byte " + bytes[end]);
            end++;
        }
        check(end < bytes.length, name, "a text field does not end");
        return new String(bytes, 0, end, StandardCharsets.US_ASCII);
    }

    private static void check(boolean good, String name, String what) {
        if (!good) {
            throw new CuframesException(ErrorCode.PROTOCOL, "bad segment " + name + ": " + what);
        }
    }
}
