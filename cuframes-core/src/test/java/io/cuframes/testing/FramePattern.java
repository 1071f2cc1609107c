// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.Frame;
import io.cuframes.FrameFormat;
import io.cuframes.PlaneLayout;
import io.cuframes.WritableFrame;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Frames whose every byte depends on its place, on the frame it belongs to and on the geometry, so that bytes of another frame are noticed, and
 * of the same frame of another format. Host staging is made once.
 */
public final class FramePattern {
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED;

    private final FrameFormat format;
    private final long salt;
    private final MemorySegment staging;

    /**
     * For one stream.
     *
     * @param format its geometry
     */
    public FramePattern(FrameFormat format) {
        this.format = format;
        this.salt =
                (long) format.pixelFormat().code() << 56 ^ (long) format.width() << 40 ^ (long) format.height() << 24;
        this.staging = Arena.ofAuto().allocate(format.frameBytes(), 4096);
    }

    /** Words of a frame: every one differs from those of other frames, other places and other formats. */
    private long word(long number, long offset) {
        long z = (salt + number) * 0x9E3779B97F4A7C15L + offset;
        z = (z ^ z >>> 29) * 0xBF58476D1CE4E5B9L;
        return z ^ z >>> 32;
    }

    /** Fills a frame to be published; the number need not be its seq. */
    public void write(WritableFrame frame, long number) {
        MemorySegment pixels = pixels(number);
        for (int i = 0; i < format.planes().size(); i++) {
            PlaneLayout plane = format.planes().get(i);
            frame.copyPlane(i, pixels.asSlice(plane.offset(), plane.bytes()), plane.pitch());
        }
    }

    /** The whole frame of a number, in the format's layout. The next call of this object writes over it. */
    public MemorySegment pixels(long number) {
        for (PlaneLayout plane : format.planes()) {
            MemorySegment bytes = staging.asSlice(plane.offset(), plane.bytes());
            for (int row = 0; row < plane.height(); row++) {
                writeRow(bytes, (long) row * plane.pitch(), plane, number);
            }
        }
        return staging;
    }

    private void writeRow(MemorySegment bytes, long start, PlaneLayout plane, long number) {
        long end = start + plane.rowBytes();
        long at = start;
        for (; at + Long.BYTES <= end; at += Long.BYTES) {
            bytes.set(WORD, at, word(number, plane.offset() + at));
        }
        for (; at < end; at++) { // no whole word
            bytes.set(ValueLayout.JAVA_BYTE, at, (byte) word(number, plane.offset() + at));
        }
    }

    /**
     * Looks for a word of a frame that is not that of the number.
     *
     * @return where it is, or -1 if all are right
     */
    public long firstFault(Frame frame, long number) {
        boolean host = !frame.transport().isDevice();
        if (!host) {
            frame.copyTo(staging);
        }
        for (int i = 0; i < format.planes().size(); i++) {
            PlaneLayout plane = format.planes().get(i);
            MemorySegment bytes = host ? frame.plane(i).segment() : staging.asSlice(plane.offset(), plane.bytes());
            long fault = firstFault(plane, bytes, number);
            if (fault >= 0) {
                return fault;
            }
        }
        return -1;
    }

    /** The same of a frame's bytes, in the format's layout. */
    public long firstFault(MemorySegment pixels, long number) {
        for (PlaneLayout plane : format.planes()) {
            long fault = firstFault(plane, pixels.asSlice(plane.offset(), plane.bytes()), number);
            if (fault >= 0) {
                return fault;
            }
        }
        return -1;
    }

    private long firstFault(PlaneLayout plane, MemorySegment bytes, long number) {
        for (int row = 0; row < plane.height(); row++) {
            long at = (long) row * plane.pitch();
            long fault = faultInRow(bytes, at, plane, number);
            if (fault >= 0) {
                return plane.offset() + fault;
            }
        }
        return -1;
    }

    private long faultInRow(MemorySegment bytes, long start, PlaneLayout plane, long number) {
        long end = start + plane.rowBytes();
        long at = start;
        for (; at + Long.BYTES <= end; at += Long.BYTES) {
            if (bytes.get(WORD, at) != word(number, plane.offset() + at)) {
                return at;
            }
        }
        for (; at < end; at++) {
            if (bytes.get(ValueLayout.JAVA_BYTE, at) != (byte) word(number, plane.offset() + at)) {
                return at;
            }
        }
        return -1;
    }
}
