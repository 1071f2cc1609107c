// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avcodec.AV_PKT_DATA_NEW_EXTRADATA;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_get_side_data;

import io.cuframes.ffm.LibAvutil;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bytedeco.ffmpeg.avcodec.AVCodecParameters;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.SizeTPointer;
import org.jspecify.annotations.Nullable;

/**
 * Sees whether packets of an H.264 stream are missing, which FFmpeg's decoder conceals without a word: reference pictures are numbered, and each has
 * the number after that of the one before it (frame_num; ITU-T H.264, 7.4.3). Pictures that no other refers to can be missing without being
 * missed, and so can as many reference pictures as there are numbers. Streams that leave numbers out (gaps_in_frame_num_value_allowed_flag) and slices
 * that cannot be read are not judged.
 *
 * <p>Looks at each byte of a packet once, and allocates a small view of it at most. Not thread-safe.
 */
final class H264Continuity implements AutoCloseable {
    private static final int UNKNOWN = -1;
    private static final int SLICE = 1;
    private static final int PARTITION = 2;
    private static final int IDR = 5;
    private static final int SEQUENCE_SET = 7;
    private static final int PICTURE_SET = 8;

    /** Shorter than this nothing is an avcC: ISO/IEC 14496-15, 5.3.3.1. */
    private static final int SHORTEST_CONFIGURATION = 7;

    private final H264ParameterSets sets = new H264ParameterSets();
    private final H264Bits bits = new H264Bits();
    private final H264SliceHeader slice = new H264SliceHeader();
    private final SizeTPointer sideDataSize = new SizeTPointer(1);

    /** Bytes of a unit's length; 0 where units are between start codes. */
    private int lengthBytes;

    /** The number of the last reference picture. */
    private int previous = UNKNOWN;

    private boolean sliceSeen;
    private boolean missing;

    /** For a stream, whose extradata is read, if it has any. */
    H264Continuity(AVCodecParameters parameters) {
        if (parameters.extradata_size() > 0 && parameters.extradata() != null) {
            configure(LibAvutil.memory(parameters.extradata().address(), parameters.extradata_size()));
        }
    }

    /** For a stream with this extradata; null for none. */
    H264Continuity(@Nullable MemorySegment extradata) {
        if (extradata != null) {
            configure(extradata);
        }
    }

    /** Forgets what came before: the next packet does not follow it, such as after a seek. */
    void restart() {
        previous = UNKNOWN;
    }

    /** Whether a reference picture is missing before this packet, the next of the stream. Each gap is told once. */
    boolean missesReference(AVPacket packet) {
        BytePointer data = av_packet_get_side_data(packet, AV_PKT_DATA_NEW_EXTRADATA, sideDataSize);
        if (data != null) {
            configure(LibAvutil.memory(data.address(), sideDataSize.get()));
        }
        return packet.size() > 0
                && missesReference(LibAvutil.memory(packet.data().address(), packet.size()));
    }

    /** The same for a packet's bytes. */
    boolean missesReference(MemorySegment packet) {
        sliceSeen = false;
        missing = false;
        if (lengthBytes == 0) {
            readBetweenStartCodes(packet);
        } else {
            readBehindLengths(packet);
        }
        return missing;
    }

    private static int byteAt(MemorySegment bytes, long offset) {
        return bytes.get(ValueLayout.JAVA_BYTE, offset) & 0xff;
    }

    private void configure(MemorySegment extradata) {
        if (extradata.byteSize() < SHORTEST_CONFIGURATION || byteAt(extradata, 0) != 1) {
            lengthBytes = 0;
            readBetweenStartCodes(extradata);
            return;
        }
        lengthBytes = (byteAt(extradata, 4) & 3) + 1;
        long offset = readSets(extradata, 6, byteAt(extradata, 5) & 31);
        if (offset < extradata.byteSize()) {
            readSets(extradata, offset + 1, byteAt(extradata, offset));
        }
    }

    /** Reads so many parameter sets, each behind its length of two bytes; gives where the last ends. */
    private long readSets(MemorySegment extradata, long from, int count) {
        long offset = from;
        for (int i = 0; i < count && offset + 2 <= extradata.byteSize(); i++) {
            long begin = offset + 2;
            long end = begin + (byteAt(extradata, offset) << 8 | byteAt(extradata, offset + 1));
            if (end > extradata.byteSize()) {
                return extradata.byteSize();
            }
            unit(extradata, begin, end);
            offset = end;
        }
        return offset;
    }

    private void readBehindLengths(MemorySegment packet) {
        long offset = 0;
        while (offset + lengthBytes < packet.byteSize()) {
            long length = 0;
            for (int i = 0; i < lengthBytes; i++) {
                length = length << 8 | byteAt(packet, offset + i);
            }
            offset += lengthBytes;
            if (length > packet.byteSize() - offset) {
                return; // cut: FFmpeg says so
            }
            unit(packet, offset, offset + length);
            offset += length;
        }
    }

    private void readBetweenStartCodes(MemorySegment packet) {
        long begin = startCode(packet, 0);
        while (begin < packet.byteSize()) {
            long next = startCode(packet, begin);
            unit(packet, begin, next < packet.byteSize() ? next - 3 : next);
            begin = next;
        }
    }

    /** Finds the byte after the next 00 00 01; returns the end where no such code follows. */
    private static long startCode(MemorySegment bytes, long from) {
        long size = bytes.byteSize();
        long i = from + 2;
        while (i < size) {
            int value = byteAt(bytes, i);
            if (value > 1) {
                i += 3; // neither the end of one, nor within one
            } else if (value == 0) {
                i++;
            } else if (byteAt(bytes, i - 1) == 0 && byteAt(bytes, i - 2) == 0) {
                return i + 1;
            } else {
                i += 3;
            }
        }
        return size;
    }

    private void unit(MemorySegment memory, long begin, long end) {
        if (begin >= end) {
            return;
        }
        int header = byteAt(memory, begin);
        int type = header & 31;
        bits.begin(memory, begin + 1, end);
        switch (type) {
            case SLICE, PARTITION, IDR -> slice(type, (header >> 5 & 3) != 0);
            case SEQUENCE_SET -> sets.readSequence(bits);
            case PICTURE_SET -> sets.readPicture(bits);
            default -> {
                // SEI, delimiters, filler data, and what extensions add
            }
        }
    }

    /** Judges the first slice of each picture; in a packet the first that comes is one, since others before it may be missing. */
    private void slice(int type, boolean reference) {
        if (!slice.read(bits, sets, type, reference)) {
            previous = sliceSeen ? previous : UNKNOWN;
            sliceSeen = true;
            return;
        }
        if (sliceSeen && !slice.isFirst()) {
            return;
        }
        sliceSeen = true;
        int count = 1 << slice.sequence().frameNumberBits();
        int number = slice.frameNumber();
        if (type != IDR && previous != UNKNOWN && !slice.sequence().gapsAllowed()) {
            missing |= number != previous && number != (previous + 1) % count;
        }
        if (reference) {
            previous = slice.resets() ? 0 : number;
        } else if (previous != UNKNOWN && number != previous) {
            previous = (number + count - 1) % count; // of the picture that it comes after, missing or not
        }
    }

    @Override
    public void close() {
        sideDataSize.close();
    }
}
