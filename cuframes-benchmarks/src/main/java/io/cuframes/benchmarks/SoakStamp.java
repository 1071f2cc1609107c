// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import io.cuframes.Frame;
import io.cuframes.FrameFormat;
import io.cuframes.PlaneLayout;
import io.cuframes.WritableFrame;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A frame's number at both ends of each row of each plane, mixed with the row's place: rows of another frame, or of another place, are noticed. */
final class SoakStamp {
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED;

    private final FrameFormat format;
    private final MemorySegment staging;

    SoakStamp(FrameFormat format) {
        this.format = format;
        this.staging = Arena.ofAuto().allocate(format.frameBytes(), 4096);
    }

    private static long word(long number, int plane, long offset) {
        long z = number * 0x9E3779B97F4A7C15L + ((long) plane << 48) + offset;
        z = (z ^ z >>> 29) * 0xBF58476D1CE4E5B9L;
        return z ^ z >>> 32;
    }

    void write(WritableFrame frame, long number) {
        for (int index = 0; index < format.planes().size(); index++) {
            PlaneLayout plane = format.planes().get(index);
            MemorySegment bytes = staging.asSlice(plane.offset(), plane.bytes());
            for (int row = 0; row < plane.height(); row++) {
                long first = (long) row * plane.pitch();
                long last = first + plane.rowBytes() - Long.BYTES;
                bytes.set(WORD, first, word(number, index, first));
                bytes.set(WORD, last, word(number, index, last));
            }
            frame.copyPlane(index, bytes, plane.pitch());
        }
    }

    boolean isWhole(Frame frame, long number) {
        boolean device = frame.transport().isDevice();
        if (device) {
            frame.copyTo(staging);
        }
        boolean whole = true;
        for (int index = 0; index < format.planes().size(); index++) {
            PlaneLayout plane = format.planes().get(index);
            MemorySegment bytes = device
                    ? staging.asSlice(plane.offset(), plane.bytes())
                    : frame.plane(index).segment();
            for (int row = 0; row < plane.height(); row++) {
                long first = (long) row * plane.pitch();
                long last = first + plane.rowBytes() - Long.BYTES;
                whole &= bytes.get(WORD, first) == word(number, index, first)
                        && bytes.get(WORD, last) == word(number, index, last);
            }
        }
        return whole;
    }
}
