// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.cuframes.Cuframes;
import io.cuframes.internal.protocol.MessageDescriptor;
import io.cuframes.internal.protocol.ObservationDescriptor;
import io.cuframes.internal.protocol.RejectCode;
import io.cuframes.internal.protocol.SegmentDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Pattern;

/**
 * Encodes and decodes the messages of the handshake (docs/protocol.md, section 6). A decoder returns null, or the rejection to
 * answer with, for bytes that are not what they claim to be; it never reads past the length it was given.
 */
final class Messages {
    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** What steers a terminal or turns a line around: control and format characters, line and paragraph separators, and what is no character. */
    private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}\\p{Cn}\\p{Zl}\\p{Zp}]");

    private Messages() {}

    /** What a subscriber's first message turns out to be. */
    sealed interface Greeting permits Hello, Reject {}

    /** What a subscriber says of itself. */
    record Hello(int major, int minor, int transports, int mode, int pid, String name) implements Greeting {
        /** Whether it only wants to be told what there is, and is no subscriber. */
        boolean isObserver() {
            return mode == ObservationDescriptor.MODE_OBSERVE;
        }
    }

    /** What a publisher answers. */
    record Welcome(
            int major,
            int minor,
            int subscriber,
            long epoch,
            long segmentLength,
            long ringLength,
            int transport,
            int descriptors,
            int maxLeases) {
        /** With the epoch as every text has it. */
        @Override
        public String toString() {
            return "Welcome[" + major + "." + minor + ", subscriber=" + subscriber + ", epoch="
                    + Cuframes.epochText(epoch) + ", segmentLength=" + segmentLength + ", ringLength=" + ringLength
                    + ", transport=" + transport + ", descriptors=" + descriptors + ", maxLeases=" + maxLeases + "]";
        }
    }

    /** Why a publisher turns a subscriber away. */
    record Reject(RejectCode code, int major, int minor, String text) implements Greeting {}

    /** The length a message claims; the caller checks it with {@link #isLegalLength}. */
    static int length(MemorySegment message) {
        return message.get(U32, MessageDescriptor.LENGTH_OFFSET);
    }

    static boolean isLegalLength(int length) {
        return length >= MessageDescriptor.HEADER_LENGTH && length <= MessageDescriptor.MAX_LENGTH;
    }

    static int type(MemorySegment message) {
        return Short.toUnsignedInt(message.get(U16, MessageDescriptor.TYPE_OFFSET));
    }

    /** Clears the space of a message and writes its header. */
    private static int begin(MemorySegment message, int type, int length) {
        message.asSlice(0, length).fill((byte) 0);
        message.set(U32, MessageDescriptor.LENGTH_OFFSET, length);
        message.set(U16, MessageDescriptor.TYPE_OFFSET, (short) type);
        return length;
    }

    /** Writes a HELLO; returns its length. */
    static int encode(Hello hello, MemorySegment message) {
        int length = begin(message, MessageDescriptor.HELLO, MessageDescriptor.HELLO_LENGTH);
        message.set(U32, MessageDescriptor.HELLO_MAGIC_OFFSET, MessageDescriptor.HELLO_MAGIC);
        message.set(U16, MessageDescriptor.HELLO_MAJOR_OFFSET, (short) hello.major());
        message.set(U16, MessageDescriptor.HELLO_MINOR_OFFSET, (short) hello.minor());
        message.set(U32, MessageDescriptor.HELLO_TRANSPORTS_OFFSET, hello.transports());
        message.set(U32, MessageDescriptor.HELLO_MODE_OFFSET, hello.mode());
        message.set(U32, MessageDescriptor.HELLO_PID_OFFSET, hello.pid());
        byte[] name = hello.name().getBytes(StandardCharsets.US_ASCII);
        MemorySegment.copy(name, 0, message, JAVA_BYTE, MessageDescriptor.HELLO_NAME_OFFSET, name.length);
        return length;
    }

    /**
     * Decodes the first message of a subscriber as far as it can be trusted. The version comes first, since a HELLO of another major version
     * may look different behind it.
     *
     * @return a {@link Hello}, or a {@link Reject} to answer with
     */
    static Greeting decodeHello(MemorySegment message, int length) {
        if (type(message) != MessageDescriptor.HELLO || length < MessageDescriptor.HELLO_TRANSPORTS_OFFSET) {
            return malformed(
                    "the first message is of type " + type(message) + " with " + length + " bytes, not a HELLO");
        }
        if (message.get(U32, MessageDescriptor.HELLO_MAGIC_OFFSET) != MessageDescriptor.HELLO_MAGIC) {
            return malformed("the HELLO does not carry CUFH");
        }
        int major = Short.toUnsignedInt(message.get(U16, MessageDescriptor.HELLO_MAJOR_OFFSET));
        int minor = Short.toUnsignedInt(message.get(U16, MessageDescriptor.HELLO_MINOR_OFFSET));
        if (major != SegmentDescriptor.MAJOR) {
            return reject(
                    RejectCode.VERSION,
                    "the publisher speaks protocol version " + SegmentDescriptor.MAJOR + "." + SegmentDescriptor.MINOR
                            + ", the subscriber " + major + "." + minor + ": use the same release on both sides");
        }
        if (length != MessageDescriptor.HELLO_LENGTH) {
            return malformed("a HELLO has " + MessageDescriptor.HELLO_LENGTH + " bytes, this one " + length);
        }
        int mode = message.get(U32, MessageDescriptor.HELLO_MODE_OFFSET);
        if (mode < 1 || mode > ObservationDescriptor.MODE_OBSERVE) {
            return malformed("the HELLO asks for mode " + mode);
        }
        String name = text(message.asSlice(MessageDescriptor.HELLO_NAME_OFFSET, MessageDescriptor.HELLO_NAME_LENGTH));
        if (name == null) {
            return malformed("the HELLO's name is not printable ASCII that ends with a zero");
        }
        return new Hello(
                major,
                minor,
                message.get(U32, MessageDescriptor.HELLO_TRANSPORTS_OFFSET),
                mode,
                message.get(U32, MessageDescriptor.HELLO_PID_OFFSET),
                name);
    }

    /** A field of printable ASCII that ends with a zero; null if it is not. */
    static String text(MemorySegment field) {
        byte[] bytes = field.toArray(JAVA_BYTE);
        int end = 0;
        while (end < bytes.length && bytes[end] != 0) {
            if (bytes[end] < 0x20 || bytes[end] >= 0x7f) {
                return null;
            }
            end++;
        }
        return end == bytes.length ? null : new String(bytes, 0, end, StandardCharsets.US_ASCII);
    }

    private static Reject malformed(String text) {
        return reject(RejectCode.MALFORMED, text);
    }

    /** A rejection by this version. */
    static Reject reject(RejectCode code, String text) {
        return new Reject(code, SegmentDescriptor.MAJOR, SegmentDescriptor.MINOR, text);
    }

    /** Writes a WELCOME; returns its length. */
    static int encode(Welcome welcome, MemorySegment message) {
        int length = begin(message, MessageDescriptor.WELCOME, MessageDescriptor.WELCOME_LENGTH);
        message.set(U16, MessageDescriptor.WELCOME_MAJOR_OFFSET, (short) welcome.major());
        message.set(U16, MessageDescriptor.WELCOME_MINOR_OFFSET, (short) welcome.minor());
        message.set(U32, MessageDescriptor.WELCOME_SUBSCRIBER_OFFSET, welcome.subscriber());
        message.set(U64, MessageDescriptor.WELCOME_EPOCH_OFFSET, welcome.epoch());
        message.set(U64, MessageDescriptor.WELCOME_SEGMENT_LENGTH_OFFSET, welcome.segmentLength());
        message.set(U64, MessageDescriptor.WELCOME_RING_LENGTH_OFFSET, welcome.ringLength());
        message.set(U32, MessageDescriptor.WELCOME_TRANSPORT_OFFSET, welcome.transport());
        message.set(U32, MessageDescriptor.WELCOME_DESCRIPTORS_OFFSET, welcome.descriptors());
        message.set(U32, MessageDescriptor.WELCOME_MAX_LEASES_OFFSET, welcome.maxLeases());
        return length;
    }

    /** Decodes a WELCOME; null if it does not have a WELCOME's length. The caller checks the numbers. */
    static Welcome decodeWelcome(MemorySegment message, int length) {
        if (length != MessageDescriptor.WELCOME_LENGTH) {
            return null;
        }
        return new Welcome(
                Short.toUnsignedInt(message.get(U16, MessageDescriptor.WELCOME_MAJOR_OFFSET)),
                Short.toUnsignedInt(message.get(U16, MessageDescriptor.WELCOME_MINOR_OFFSET)),
                message.get(U32, MessageDescriptor.WELCOME_SUBSCRIBER_OFFSET),
                message.get(U64, MessageDescriptor.WELCOME_EPOCH_OFFSET),
                message.get(U64, MessageDescriptor.WELCOME_SEGMENT_LENGTH_OFFSET),
                message.get(U64, MessageDescriptor.WELCOME_RING_LENGTH_OFFSET),
                message.get(U32, MessageDescriptor.WELCOME_TRANSPORT_OFFSET),
                message.get(U32, MessageDescriptor.WELCOME_DESCRIPTORS_OFFSET),
                message.get(U32, MessageDescriptor.WELCOME_MAX_LEASES_OFFSET));
    }

    /** Writes a REJECT; returns its length. */
    static int encode(Reject reject, MemorySegment message) {
        byte[] text = reject.text().getBytes(StandardCharsets.UTF_8);
        if (text.length > MessageDescriptor.REJECT_MAX_TEXT) {
            text = Arrays.copyOf(text, MessageDescriptor.REJECT_MAX_TEXT);
        }
        int length = begin(message, MessageDescriptor.REJECT, MessageDescriptor.REJECT_FIXED_LENGTH + text.length);
        message.set(U32, MessageDescriptor.REJECT_CODE_OFFSET, reject.code().code());
        message.set(U16, MessageDescriptor.REJECT_MAJOR_OFFSET, (short) reject.major());
        message.set(U16, MessageDescriptor.REJECT_MINOR_OFFSET, (short) reject.minor());
        message.set(U32, MessageDescriptor.REJECT_TEXT_LENGTH_OFFSET, text.length);
        MemorySegment.copy(text, 0, message, JAVA_BYTE, MessageDescriptor.REJECT_TEXT_OFFSET, text.length);
        return length;
    }

    /** Decodes a REJECT; null if it does not make sense. Control characters in its text become question marks: it goes to people's terminals. */
    static Reject decodeReject(MemorySegment message, int length) {
        if (length < MessageDescriptor.REJECT_FIXED_LENGTH) {
            return null;
        }
        RejectCode code = RejectCode.ofCode(message.get(U32, MessageDescriptor.REJECT_CODE_OFFSET));
        int textLength = message.get(U32, MessageDescriptor.REJECT_TEXT_LENGTH_OFFSET);
        if (code == null
                || textLength != length - MessageDescriptor.REJECT_FIXED_LENGTH
                || textLength > MessageDescriptor.REJECT_MAX_TEXT) {
            return null;
        }
        byte[] text = message.asSlice(MessageDescriptor.REJECT_TEXT_OFFSET, textLength)
                .toArray(JAVA_BYTE);
        return new Reject(
                code,
                Short.toUnsignedInt(message.get(U16, MessageDescriptor.REJECT_MAJOR_OFFSET)),
                Short.toUnsignedInt(message.get(U16, MessageDescriptor.REJECT_MINOR_OFFSET)),
                UNPRINTABLE.matcher(new String(text, StandardCharsets.UTF_8)).replaceAll("?"));
    }

    /** Writes a READY; returns its length. */
    static int encodeReady(MemorySegment message) {
        return begin(message, MessageDescriptor.READY, MessageDescriptor.READY_LENGTH);
    }

    /** The reason of a BYE of which so many bytes have come; 0 if it is none, or not whole. */
    static int decodeBye(MemorySegment message, long received) {
        boolean whole = received == MessageDescriptor.BYE_LENGTH
                && length(message) == MessageDescriptor.BYE_LENGTH
                && type(message) == MessageDescriptor.BYE;
        return whole ? message.get(U32, MessageDescriptor.BYE_REASON_OFFSET) : 0;
    }

    /** Writes a BYE; returns its length. */
    static int encodeBye(int reason, MemorySegment message) {
        int length = begin(message, MessageDescriptor.BYE, MessageDescriptor.BYE_LENGTH);
        message.set(U32, MessageDescriptor.BYE_REASON_OFFSET, reason);
        return length;
    }
}
