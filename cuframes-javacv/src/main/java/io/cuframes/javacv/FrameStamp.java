// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * A frame's own number in its luma plane, as black and white blocks that survive lossy coding. It stands in three bands, at the top, in the
 * middle and at the bottom, so that a frame mixed from two shows different numbers.
 *
 * <pre>
 *   band: 20 x 2 blocks, from the left edge          bits, most significant first
 *   +--+--+--+ ... +--+
 *   |31|30|29|     |12|                              31..0  the number
 *   +--+--+--+ ... +--+                              7..0   CRC-8 of the number (polynomial 0x07, start 0xFF)
 *   |11|..| 0| 7 ..| 0|
 *   +--+--+--+ ... +--+
 * </pre>
 *
 * <p>A block is 8 to 32 pixels wide and high, a multiple of 8, as large as the picture allows. White is luma 235, black is 16. Stateless; safe
 * from any thread; {@link #read} does not allocate.
 */
public final class FrameStamp {
    /** {@link #read}: bands are readable and show different numbers. */
    public static final long TORN = -1;

    /** {@link #read}: a band cannot be read, and no two that can differ. */
    public static final long UNREADABLE = -2;

    /** The least width of a stamped picture, pixels. */
    public static final int MIN_WIDTH = 160;

    /** The least height of a stamped picture, pixels. */
    public static final int MIN_HEIGHT = 96;

    private static final int COLUMNS = 20;
    private static final int ROWS = 2;
    private static final int BITS = COLUMNS * ROWS;
    private static final int BANDS = 3;
    private static final int LARGEST_BLOCK = 32;
    private static final int DARKEST_WHITE = 150;
    private static final int LIGHTEST_BLACK = 100;
    private static final long WHITE = 0xEBEB_EBEB_EBEB_EBEBL;
    private static final long BLACK = 0x1010_1010_1010_1010L;

    private FrameStamp() {}

    /**
     * Writes a number into a luma plane.
     *
     * @param luma 8-bit samples, {@code pitch * (height - 1) + width} bytes at least
     * @param pitch bytes from one row to the next
     * @param width pixels, {@value #MIN_WIDTH} at least
     * @param height pixels, {@value #MIN_HEIGHT} at least
     * @param number the frame's number; its low 32 bits are written
     * @throws IllegalArgumentException if the picture is too small for a stamp
     * @throws IndexOutOfBoundsException if the plane is too short
     */
    public static void write(MemorySegment luma, int pitch, int width, int height, long number) {
        check(luma, pitch, width, height);
        long bits = ((number & 0xFFFF_FFFFL) << 8) | crc8(number);
        for (int band = 0; band < BANDS; band++) {
            for (int row = 0; row < ROWS; row++) {
                long y = top(band, height) + (long) row * blockHeight(height);
                writeBlocks(luma, y * pitch, pitch, width, height, bits >>> ((ROWS - 1 - row) * COLUMNS));
            }
        }
    }

    /** Writes the low {@value #COLUMNS} bits as one row of blocks: its first line, then copies of it. */
    private static void writeBlocks(MemorySegment luma, long at, int pitch, int width, int height, long bits) {
        int blockWidth = blockWidth(width);
        for (int column = 0; column < COLUMNS; column++) {
            long samples = ((bits >>> (COLUMNS - 1 - column)) & 1) == 1 ? WHITE : BLACK;
            for (int x = 0; x < blockWidth; x += Long.BYTES) {
                luma.set(ValueLayout.JAVA_LONG_UNALIGNED, at + (long) column * blockWidth + x, samples);
            }
        }
        for (int line = 1; line < blockHeight(height); line++) {
            MemorySegment.copy(luma, at, luma, at + (long) line * pitch, (long) COLUMNS * blockWidth);
        }
    }

    /**
     * Reads the number of a picture.
     *
     * @param luma 8-bit samples, {@code pitch * (height - 1) + width} bytes at least
     * @param pitch bytes from one row to the next
     * @param width pixels, {@value #MIN_WIDTH} at least
     * @param height pixels, {@value #MIN_HEIGHT} at least
     * @return the number, 0 to 2^32 - 1, if all bands show it; else {@link #TORN} or {@link #UNREADABLE}
     * @throws IllegalArgumentException if the picture is too small for a stamp
     * @throws IndexOutOfBoundsException if the plane is too short
     */
    public static long read(MemorySegment luma, int pitch, int width, int height) {
        check(luma, pitch, width, height);
        long number = UNREADABLE;
        int readable = 0;
        for (int band = 0; band < BANDS; band++) {
            long shown = readBand(luma, pitch, width, height, band);
            if (shown == UNREADABLE) {
                continue;
            }
            if (readable > 0 && shown != number) {
                return TORN;
            }
            number = shown;
            readable++;
        }
        return readable == BANDS ? number : UNREADABLE;
    }

    private static long readBand(MemorySegment luma, int pitch, int width, int height, int band) {
        int blockWidth = blockWidth(width);
        int blockHeight = blockHeight(height);
        long bits = 0;
        for (int bit = 0; bit < BITS; bit++) {
            long y = top(band, height) + (long) (bit / COLUMNS) * blockHeight;
            int mean = middleOf(luma, y * pitch + (long) (bit % COLUMNS) * blockWidth, pitch, blockWidth, blockHeight);
            if (mean > LIGHTEST_BLACK && mean < DARKEST_WHITE) {
                return UNREADABLE;
            }
            bits = (bits << 1) | (mean >= DARKEST_WHITE ? 1 : 0);
        }
        long number = bits >>> 8;
        return crc8(number) == (bits & 0xFF) ? number : UNREADABLE;
    }

    /** The mean of a block's inner quarter, which its neighbours' ringing hardly reaches. */
    private static int middleOf(MemorySegment luma, long at, int pitch, int blockWidth, int blockHeight) {
        int sum = 0;
        for (int y = blockHeight / 4; y < blockHeight * 3 / 4; y++) {
            for (int x = blockWidth / 4; x < blockWidth * 3 / 4; x++) {
                sum += luma.get(ValueLayout.JAVA_BYTE, at + (long) y * pitch + x) & 0xFF;
            }
        }
        return sum / (blockWidth / 2 * (blockHeight / 2));
    }

    private static int blockWidth(int width) {
        return Math.min(LARGEST_BLOCK, (width / COLUMNS) & -8);
    }

    private static int blockHeight(int height) {
        return Math.min(LARGEST_BLOCK, (height / (2 * BANDS * ROWS)) & -8);
    }

    /** The first line of a band: a multiple of 8, so that blocks meet those of the codecs. */
    private static int top(int band, int height) {
        int free = height - ROWS * blockHeight(height);
        return (free * band / (BANDS - 1)) & -8;
    }

    private static long crc8(long number) {
        int crc = 0xFF;
        for (int shift = 24; shift >= 0; shift -= 8) {
            crc ^= (int) (number >>> shift) & 0xFF;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc & 0x80) != 0 ? ((crc << 1) ^ 0x07) & 0xFF : crc << 1;
            }
        }
        return crc;
    }

    private static void check(MemorySegment luma, int pitch, int width, int height) {
        if (width < MIN_WIDTH || height < MIN_HEIGHT || pitch < width) {
            throw new IllegalArgumentException("a picture of " + width + "x" + height + " with pitch " + pitch
                    + " has no room for a stamp: at least " + MIN_WIDTH + "x" + MIN_HEIGHT
                    + " and a pitch of its width are needed");
        }
        Objects.checkFromIndexSize(0, (long) pitch * (height - 1) + width, luma.byteSize());
    }
}
