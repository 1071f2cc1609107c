// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * A test picture with motion, in NV12: colour bars, a white box that bounces across them, and the frame's number as a {@link FrameStamp}. The
 * same number always draws the same picture.
 *
 * <p>Drawing copies a background and then draws the small parts, about the cost of one copy of the frame. Immutable once made: safe from any
 * thread, onto different frames.
 */
public final class TestPattern {
    /** Seven bars of 75 %: white, yellow, cyan, green, magenta, red, blue, as Y, U, V of limited-range BT.601. */
    private static final int[][] BARS = {
        {180, 128, 128}, {162, 44, 142}, {131, 156, 44}, {112, 72, 58}, {84, 184, 198}, {65, 100, 212}, {35, 212, 114}
    };

    private static final byte BOX_LUMA = (byte) 235;
    private static final byte NEUTRAL = (byte) 128;

    /** Seconds the box takes from edge to edge. */
    private static final int CROSSING = 4;

    private final int width;
    private final int height;
    private final int fps;
    private final int box;
    private final MemorySegment luma;
    private final MemorySegment chroma;

    /**
     * Prepares a picture.
     *
     * @param width pixels, even, {@value FrameStamp#MIN_WIDTH} at least
     * @param height pixels, even, {@value FrameStamp#MIN_HEIGHT} at least
     * @param fps frames per second, from which the box has its speed; 1 at least
     * @throws IllegalArgumentException if a number is out of its range
     */
    public TestPattern(int width, int height, int fps) {
        if (width < FrameStamp.MIN_WIDTH || height < FrameStamp.MIN_HEIGHT || (width & 1) != 0 || (height & 1) != 0) {
            throw new IllegalArgumentException("a test picture of " + width + "x" + height
                    + ": the size must be even and at least " + FrameStamp.MIN_WIDTH + "x" + FrameStamp.MIN_HEIGHT);
        }
        if (fps < 1) {
            throw new IllegalArgumentException("a test picture at " + fps + " frames per second: 1 is the least");
        }
        this.width = width;
        this.height = height;
        this.fps = fps;
        this.box = (height / 6) & -2;
        this.luma = MemorySegment.ofArray(lumaBars());
        this.chroma = MemorySegment.ofArray(chromaBars());
    }

    private byte[] lumaBars() {
        byte[] samples = new byte[width * height];
        for (int x = 0; x < width; x++) {
            samples[x] = (byte) BARS[x * BARS.length / width][0];
        }
        repeatFirstRow(samples);
        return samples;
    }

    private byte[] chromaBars() {
        byte[] samples = new byte[width * height / 2];
        for (int x = 0; x < width; x += 2) {
            int[] bar = BARS[x * BARS.length / width];
            samples[x] = (byte) bar[1];
            samples[x + 1] = (byte) bar[2];
        }
        repeatFirstRow(samples);
        return samples;
    }

    private void repeatFirstRow(byte[] samples) {
        byte[] row = Arrays.copyOf(samples, width);
        for (int at = width; at < samples.length; at += width) {
            System.arraycopy(row, 0, samples, at, width);
        }
    }

    /**
     * Draws one frame.
     *
     * @param number the frame's number, 0 or more
     * @param lumaPlane the Y plane, 8-bit samples
     * @param lumaPitch bytes from one of its rows to the next
     * @param chromaPlane the UV plane, pairs of 8-bit samples at half width and height
     * @param chromaPitch bytes from one of its rows to the next
     * @throws IndexOutOfBoundsException if a plane is too short
     */
    public void draw(long number, MemorySegment lumaPlane, int lumaPitch, MemorySegment chromaPlane, int chromaPitch) {
        copyRows(luma, lumaPlane, lumaPitch, height);
        copyRows(chroma, chromaPlane, chromaPitch, height / 2);
        int x = bounce(number, width - box, (long) CROSSING * fps) & -2;
        int y = bounce(number, height - box, (long) CROSSING * fps + fps / 2) & -2;
        for (int row = 0; row < box; row++) {
            fill(lumaPlane, (long) (y + row) * lumaPitch + x, BOX_LUMA);
        }
        for (int row = 0; row < box / 2; row++) {
            fill(chromaPlane, (long) (y / 2 + row) * chromaPitch + x, NEUTRAL);
        }
        FrameStamp.write(lumaPlane, lumaPitch, width, height, number);
    }

    private void copyRows(MemorySegment from, MemorySegment to, int pitch, int rows) {
        if (pitch == width) {
            MemorySegment.copy(from, 0, to, 0, (long) width * rows);
            return;
        }
        for (int row = 0; row < rows; row++) {
            MemorySegment.copy(from, (long) row * width, to, (long) row * pitch, width);
        }
    }

    private void fill(MemorySegment plane, long at, byte sample) {
        for (int x = 0; x < box; x++) {
            plane.set(ValueLayout.JAVA_BYTE, at + x, sample);
        }
    }

    /** Where something is that goes from 0 to {@code range} and back, each way in {@code frames} frames. */
    private static int bounce(long number, int range, long frames) {
        long phase = number % (2 * frames);
        return (int) (range * (phase <= frames ? phase : 2 * frames - phase) / frames);
    }
}
