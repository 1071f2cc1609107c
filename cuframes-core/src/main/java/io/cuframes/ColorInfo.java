// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import org.jspecify.annotations.Nullable;

/**
 * How the samples of a frame map to colours, in the code points of ITU-T H.273, which FFmpeg's {@code AVColorPrimaries}, {@code
 * AVColorTransferCharacteristic} and {@code AVColorSpace} use too. Immutable.
 *
 * @param primaries colour primaries, 0 to 255; 1 is BT.709, 2 is unknown
 * @param transfer transfer characteristics, 0 to 255; 1 is BT.709, 2 is unknown
 * @param matrix matrix coefficients, 0 to 255; 1 is BT.709, 2 is unknown
 * @param range the range of the sample values
 */
public record ColorInfo(int primaries, int transfer, int matrix, Range range) {
    /** The range of the sample values. Immutable. */
    public enum Range {
        /** Not said by the source. */
        UNKNOWN(0),
        /** Luma 16 to 235, chroma 16 to 240 (of 8 bits). */
        LIMITED(1),
        /** 0 to 255 (of 8 bits). */
        FULL(2);

        private final int code;

        Range(int code) {
            this.code = code;
        }

        /**
         * The range's number in the protocol.
         *
         * @return its code
         */
        public int code() {
            return code;
        }

        /**
         * Finds a range by its number.
         *
         * @param code as in the protocol
         * @return the range, or null if this version knows none by that number
         */
        public static @Nullable Range ofCode(int code) {
            return switch (code) {
                case 0 -> UNKNOWN;
                case 1 -> LIMITED;
                case 2 -> FULL;
                default -> null;
            };
        }
    }

    /** Nothing is known. */
    public static final ColorInfo UNKNOWN = new ColorInfo(2, 2, 2, Range.UNKNOWN);

    /**
     * Checks the code points.
     *
     * @throws CuframesException if a code point is not within 0 to 255
     */
    public ColorInfo {
        if (((primaries | transfer | matrix) & ~255) != 0 || range == null) {
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT,
                    "colour code points must be 0 to 255 and the range given: primaries " + primaries + ", transfer "
                            + transfer + ", matrix " + matrix + ", range " + range);
        }
    }
}
