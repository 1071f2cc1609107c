// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import org.bytedeco.ffmpeg.avutil.AVRational;

/**
 * How wide a pixel is to be shown, against its height, in lowest terms.
 *
 * @param width 0 if it is not known
 * @param height 0 if it is not known
 */
record PixelAspect(int width, int height) {
    private static final PixelAspect UNKNOWN = new PixelAspect(0, 0);

    static PixelAspect of(AVRational ratio) {
        return of(ratio.num(), ratio.den());
    }

    static PixelAspect of(int width, int height) {
        if (width <= 0 || height <= 0) {
            return UNKNOWN;
        }
        int divisor = divisor(width, height);
        return new PixelAspect(width / divisor, height / divisor);
    }

    private static int divisor(int a, int b) {
        return b == 0 ? a : divisor(b, a % b);
    }

    boolean isKnown() {
        return width > 0;
    }

    /** Whether nothing is to be done for showing the pixels, as far as is known. */
    boolean isSquare() {
        return width == height;
    }

    /** Such as {@code pixels 4:3, to be shown as 427x240}, of a picture: its rows stay, as many columns as belong to them are shown. */
    String words(int columns, int rows) {
        return "pixels " + width + ":" + height + ", to be shown as " + Math.round((double) columns * width / height)
                + "x" + rows;
    }
}
