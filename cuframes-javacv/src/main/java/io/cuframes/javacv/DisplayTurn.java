// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;

/**
 * How a picture is to be turned for showing it: a display matrix of FFmpeg (libavutil/display.h), taken apart.
 *
 * @param isMirrored whether left and right change places; before the rotation
 * @param degrees the rotation, counter-clockwise, 0 to 359
 */
record DisplayTurn(boolean isMirrored, int degrees) {
    static final DisplayTurn NONE = new DisplayTurn(false, 0);

    /** Nine numbers of 32 bits. */
    private static final int MATRIX_BYTES = 36;

    private static final int UPSIDE_DOWN = 180;
    private static final int FULL_TURN = 360;

    /** Of a matrix in FFmpeg's side data, which may be null. */
    static DisplayTurn of(BytePointer data, long bytes) {
        if (data == null || data.isNull() || bytes < MATRIX_BYTES) {
            return NONE;
        }
        IntPointer matrix = new IntPointer(data);
        return of(matrix.get(0), matrix.get(1), matrix.get(3), matrix.get(4));
    }

    /** Of a matrix: a point (x, y) of the picture is shown at (a * x + c * y, b * x + d * y), and y goes down. */
    static DisplayTurn of(double a, double b, double c, double d) {
        boolean isMirrored = a * d - b * c < 0;
        double right = isMirrored ? -a : a; // where the rotation alone takes the point (1, 0)
        double down = isMirrored ? -b : b;
        double across = Math.hypot(right, c);
        double along = Math.hypot(down, d);
        if (across == 0 || along == 0) {
            return NONE;
        }
        long degrees = -Math.round(Math.toDegrees(Math.atan2(down / along, right / across)));
        return new DisplayTurn(isMirrored, Math.floorMod(degrees, FULL_TURN));
    }

    /** What is to be done, in words; empty if nothing. */
    String words() {
        if (isMirrored && degrees == UPSIDE_DOWN) {
            return "mirrored vertically";
        }
        String rotation = degrees == 0 ? "" : "rotated by " + degrees + " degrees counter-clockwise";
        return (isMirrored ? "mirrored horizontally" : "") + (isMirrored && degrees != 0 ? ", then " : "") + rotation;
    }
}
