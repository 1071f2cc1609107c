// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.cuframes.Ownership;
import io.cuframes.PixelFormat;
import io.cuframes.PublishPolicy;
import io.cuframes.SubscriberMode;
import io.cuframes.Transport;
import io.cuframes.internal.protocol.DeviceUuid;
import io.cuframes.internal.protocol.ObservationDescriptor;
import io.cuframes.internal.protocol.SegmentDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** Decodes what a publisher answers an observer (docs/protocol.md, sections 6.8 and 6.9), and trusts nothing of it. */
final class ObservationMessages {
    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private ObservationMessages() {}

    /** An answer that is not one, and in what. */
    static final class BadAnswerException extends Exception {
        private static final long serialVersionUID = 1L;

        BadAnswerException(String what) {
            super(what);
        }
    }

    private static void check(boolean good, String what) throws BadAnswerException {
        if (!good) {
            throw new BadAnswerException(what);
        }
    }

    /** How many READERs follow an OBSERVED. */
    static int readers(MemorySegment observed) throws BadAnswerException {
        int readers = observed.get(U32, ObservationDescriptor.OBSERVED_READERS_OFFSET);
        check(
                readers >= 0 && readers <= ObservationDescriptor.MAX_READERS,
                "an OBSERVED that announces " + Integer.toUnsignedString(readers) + " READERs");
        return readers;
    }

    /**
     * Decodes a whole answer.
     *
     * @param observed the OBSERVED
     * @param readerMessages the READERs, one after the other
     */
    static Observation decode(MemorySegment observed, MemorySegment readerMessages) throws BadAnswerException {
        int major = Short.toUnsignedInt(observed.get(U16, ObservationDescriptor.OBSERVED_MAJOR_OFFSET));
        check(major == SegmentDescriptor.MAJOR, "an OBSERVED of protocol version " + major);
        String key = Messages.text(
                observed.asSlice(ObservationDescriptor.OBSERVED_KEY_OFFSET, ObservationDescriptor.OBSERVED_KEY_LENGTH));
        check(key != null && !key.isEmpty(), "an OBSERVED whose key is not printable ASCII");
        int state = observed.get(U32, ObservationDescriptor.OBSERVED_STATE_OFFSET);
        check(
                state == SegmentDescriptor.STATE_READY || state == SegmentDescriptor.STATE_ENDED,
                "an OBSERVED with state " + Integer.toUnsignedString(state));
        Observation.Counts counts = counts(observed);
        Observation.Shape shape = shape(observed);
        List<Observation.Reader> readers = new ArrayList<>();
        int number = readers(observed);
        for (int i = 0; i < number; i++) {
            readers.add(reader(
                    readerMessages.asSlice(
                            (long) i * ObservationDescriptor.READER_LENGTH, ObservationDescriptor.READER_LENGTH),
                    counts.published(),
                    shape.slots()));
        }
        return new Observation(
                key,
                Short.toUnsignedInt(observed.get(U16, ObservationDescriptor.OBSERVED_MINOR_OFFSET)),
                observed.get(U32, ObservationDescriptor.OBSERVED_PID_OFFSET),
                observed.get(U64, ObservationDescriptor.OBSERVED_EPOCH_OFFSET),
                observed.get(U64, ObservationDescriptor.OBSERVED_CREATED_OFFSET),
                state == SegmentDescriptor.STATE_ENDED,
                observed.get(U32, ObservationDescriptor.OBSERVED_IDLE_OFFSET) != 0,
                shape,
                counts,
                times(observed, counts.head()),
                count32(observed, ObservationDescriptor.OBSERVED_MAX_SUBSCRIBERS_OFFSET),
                count32(observed, ObservationDescriptor.OBSERVED_MAX_LEASES_OFFSET),
                List.copyOf(readers));
    }

    private static Observation.Shape shape(MemorySegment observed) throws BadAnswerException {
        int transportCode = observed.get(U32, ObservationDescriptor.OBSERVED_TRANSPORT_OFFSET);
        Transport transport = Transport.ofCode(transportCode);
        check(transport != null, "an OBSERVED with transport " + Integer.toUnsignedString(transportCode));
        int policyCode = observed.get(U32, ObservationDescriptor.OBSERVED_POLICY_OFFSET);
        PublishPolicy policy = PublishPolicy.ofCode(policyCode);
        check(policy != null, "an OBSERVED with policy " + Integer.toUnsignedString(policyCode));
        int ownerCode = observed.get(U32, ObservationDescriptor.OBSERVED_OWNERSHIP_OFFSET);
        Ownership ownership = Ownership.ofCode(ownerCode);
        check(ownership != null, "an OBSERVED with ownership " + Integer.toUnsignedString(ownerCode));
        int slots = observed.get(U32, ObservationDescriptor.OBSERVED_SLOTS_OFFSET);
        check(
                slots >= SegmentDescriptor.MIN_SLOTS && slots <= SegmentDescriptor.MAX_SLOTS,
                "an OBSERVED with " + Integer.toUnsignedString(slots) + " slots");
        int format = observed.get(U32, ObservationDescriptor.OBSERVED_PIXEL_FORMAT_OFFSET);
        PixelFormat pixelFormat = PixelFormat.ofCode(format);
        return new Observation.Shape(
                pixelFormat == null ? "code " + Integer.toUnsignedString(format) : pixelFormat.name(),
                count32(observed, ObservationDescriptor.OBSERVED_WIDTH_OFFSET),
                count32(observed, ObservationDescriptor.OBSERVED_HEIGHT_OFFSET),
                transport,
                DeviceUuid.read(observed.asSlice(ObservationDescriptor.OBSERVED_DEVICE_UUID_OFFSET, DeviceUuid.LENGTH)),
                ownership,
                policy,
                slots,
                count64(observed, ObservationDescriptor.OBSERVED_FRAME_BYTES_OFFSET),
                count64(observed, ObservationDescriptor.OBSERVED_RING_LENGTH_OFFSET));
    }

    private static Observation.Counts counts(MemorySegment observed) {
        long published = count64(observed, ObservationDescriptor.OBSERVED_PUBLISHED_OFFSET);
        return new Observation.Counts(
                published,
                Math.min(published, count64(observed, ObservationDescriptor.OBSERVED_HEAD_SEQ_OFFSET)),
                count64(observed, ObservationDescriptor.OBSERVED_DROPPED_OFFSET),
                count64(observed, ObservationDescriptor.OBSERVED_REFUSED_OFFSET),
                count64(observed, ObservationDescriptor.OBSERVED_STALLED_OFFSET),
                Integer.toUnsignedLong(observed.get(U32, ObservationDescriptor.OBSERVED_DAMAGED_OFFSET)),
                count32(observed, ObservationDescriptor.OBSERVED_SUBSCRIBERS_OFFSET));
    }

    private static Observation.Times times(MemorySegment observed, long head) {
        return new Observation.Times(
                count64(observed, ObservationDescriptor.OBSERVED_TIME_OFFSET),
                count64(observed, ObservationDescriptor.OBSERVED_NEWEST_TIME_OFFSET),
                Math.min(head, count64(observed, ObservationDescriptor.OBSERVED_OLDEST_SEQ_OFFSET)),
                count64(observed, ObservationDescriptor.OBSERVED_OLDEST_TIME_OFFSET));
    }

    private static Observation.Reader reader(MemorySegment message, long published, int slots)
            throws BadAnswerException {
        int modeCode = message.get(U32, ObservationDescriptor.READER_MODE_OFFSET);
        check(
                modeCode == SubscriberMode.NEWEST_ONLY.code() || modeCode == SubscriberMode.STRICT_ORDER.code(),
                "a READER with mode " + Integer.toUnsignedString(modeCode));
        String name = Messages.text(
                message.asSlice(ObservationDescriptor.READER_NAME_OFFSET, ObservationDescriptor.READER_NAME_LENGTH));
        check(name != null, "a READER whose name is not printable ASCII");
        int flags = message.get(U16, ObservationDescriptor.READER_FLAGS_OFFSET);
        long slotBits = -1L >>> (Long.SIZE - slots);
        return new Observation.Reader(
                message.get(U32, ObservationDescriptor.READER_SUBSCRIBER_OFFSET),
                message.get(U32, ObservationDescriptor.READER_PID_OFFSET),
                modeCode == SubscriberMode.STRICT_ORDER.code()
                        ? SubscriberMode.STRICT_ORDER
                        : SubscriberMode.NEWEST_ONLY,
                (flags & ObservationDescriptor.READER_READY) != 0,
                (flags & ObservationDescriptor.READER_WAITING) != 0,
                (flags & ObservationDescriptor.READER_STALLED) != 0,
                Math.min(published, count64(message, ObservationDescriptor.READER_CURSOR_OFFSET)),
                message.get(U64, ObservationDescriptor.READER_LEASED_OFFSET) & slotBits,
                Short.toUnsignedLong(message.get(U16, ObservationDescriptor.READER_HELD_OFFSET))
                        * ObservationDescriptor.READER_HELD_UNIT_NANOS,
                count64(message, ObservationDescriptor.READER_RECEIVED_OFFSET),
                count64(message, ObservationDescriptor.READER_MISSED_OFFSET),
                count64(message, ObservationDescriptor.READER_TIMEOUTS_OFFSET),
                name,
                DeviceUuid.read(message.asSlice(ObservationDescriptor.READER_DEVICE_UUID_OFFSET, DeviceUuid.LENGTH)));
    }

    /** A count; what would be negative here is as good as endless. */
    private static long count64(MemorySegment message, long offset) {
        long count = message.get(U64, offset);
        return count < 0 ? Long.MAX_VALUE : count;
    }

    private static int count32(MemorySegment message, long offset) {
        int count = message.get(U32, offset);
        return count < 0 ? Integer.MAX_VALUE : count;
    }

    /** Writes an OBSERVED's header and what is neither a count nor constant; the rest is {@link ObservationAnswer}'s. */
    static void begin(MemorySegment message, int type, int length) {
        message.asSlice(0, length).fill((byte) 0);
        message.set(U32, 0, length);
        message.set(U16, 4, (short) type);
    }

    static void put(MemorySegment message, long offset, int value) {
        message.set(U32, offset, value);
    }

    static void put(MemorySegment message, long offset, long value) {
        message.set(U64, offset, value);
    }

    static void putShort(MemorySegment message, long offset, int value) {
        message.set(U16, offset, (short) value);
    }

    /** Writes ASCII that is known to leave a zero at the end of its field. */
    static void putText(MemorySegment message, long offset, String text) {
        for (int i = 0; i < text.length(); i++) {
            message.set(JAVA_BYTE, offset + i, (byte) text.charAt(i));
        }
    }
}
