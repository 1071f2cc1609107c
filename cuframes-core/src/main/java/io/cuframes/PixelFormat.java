// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

/** How the samples of a frame are arranged. */
public enum PixelFormat {
    /** 8-bit luma plane, then one plane of interleaved U and V at half the width and height. What NVDEC gives. Width and height are even. */
    NV12(1);

    private final int code;

    PixelFormat(int code) {
        this.code = code;
    }

    /**
     * The format's number in the protocol.
     *
     * @return its code
     */
    public int code() {
        return code;
    }

    /**
     * Finds a format by its number.
     *
     * @param code as in the protocol
     * @return the format, or null if this version knows none by that number
     */
    public static PixelFormat ofCode(int code) {
        return code == 1 ? NV12 : null;
    }
}
