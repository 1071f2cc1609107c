// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import org.jspecify.annotations.Nullable;

/**
 * How the samples of a frame are arranged: in which planes, and what a sample of each consists of. Components of two bytes are little-endian.
 * Each format is the one that FFmpeg calls by the name given with it. Immutable.
 */
public enum PixelFormat {
    /**
     * 8 bits a component: a plane of Y, then one of interleaved (U, V) at half the width and height. What NVDEC gives for 8-bit video. Width and
     * height are even. FFmpeg: {@code nv12}.
     */
    NV12(1, 1, full(1), half(2)),

    /**
     * As NV12, but 10 bits a component, in the high bits of 16: the value is {@code component >>> 6}, and the low 6 bits are 0. What NVDEC gives
     * for 10-bit video. Width and height are even. FFmpeg: {@code p010le}.
     */
    P010(2, 2, full(1), half(2)),

    /** 8 bits a component: planes of Y, U and V, the latter two at half the width and height. Width and height are even. FFmpeg: {@code yuv420p}. */
    YUV420P(3, 1, full(1), half(1), half(1)),

    /** 8 bits a component: planes of Y, U and V, all of the frame's size. FFmpeg: {@code yuv444p}. */
    YUV444P(4, 1, full(1), full(1), full(1)),

    /** 8 bits a component: one plane of (R, G, B), three bytes a pixel. FFmpeg: {@code rgb24}. */
    RGB24(5, 1, full(3)),

    /** 8 bits a component: one plane of (R, G, B, A), four bytes a pixel; A is the opacity, and R, G, B are not multiplied by it. FFmpeg: {@code rgba}. */
    RGBA(6, 1, full(4)),

    /** 8 bits: one plane of Y. FFmpeg: {@code gray}. */
    GRAY8(7, 1, full(1)),

    /** 16 bits, all of which count: one plane of Y. FFmpeg: {@code gray16le}. */
    GRAY16(8, 2, full(1));

    /**
     * What a plane is to the frame.
     *
     * @param subsampling what the frame's width and height are divided by
     * @param components of a sample
     */
    private record PlaneShape(int subsampling, int components) {}

    private final int code;
    private final int componentBytes;

    @SuppressWarnings("ImmutableEnumChecker") // an array that is never handed out nor written to
    private final PlaneShape[] planes;

    PixelFormat(int code, int componentBytes, PlaneShape... planes) {
        this.code = code;
        this.componentBytes = componentBytes;
        this.planes = planes;
    }

    private static PlaneShape full(int components) {
        return new PlaneShape(1, components);
    }

    private static PlaneShape half(int components) {
        return new PlaneShape(2, components);
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
     * The size of a component: of a luma value, of one of the two values of an interleaved chroma sample, of a colour.
     *
     * @return bytes, the same in every plane: 1 or 2
     */
    public int componentBytes() {
        return componentBytes;
    }

    /**
     * The planes of a frame.
     *
     * @return how many there are: 1 to 3
     */
    public int planeCount() {
        return planes.length;
    }

    /**
     * The components that are interleaved in a plane.
     *
     * @param plane its number
     * @return how many make up a sample: 1 to 4
     * @throws IndexOutOfBoundsException if the format has no such plane
     */
    public int components(int plane) {
        return planes[plane].components;
    }

    /**
     * The size of a sample.
     *
     * @param plane its number
     * @return bytes: {@code components(plane) * componentBytes()}
     * @throws IndexOutOfBoundsException if the format has no such plane
     */
    public int sampleBytes(int plane) {
        return components(plane) * componentBytes;
    }

    /**
     * How much coarser a plane is than the frame, in width as in height.
     *
     * @param plane its number
     * @return what the frame's width and height are divided by: 1, or 2 for halved chroma
     * @throws IndexOutOfBoundsException if the format has no such plane
     */
    public int subsampling(int plane) {
        return planes[plane].subsampling;
    }

    /**
     * Whether the width and height of a frame must be even, because a plane has half of each.
     *
     * @return true where chroma is halved
     */
    public boolean needsEvenSize() {
        for (PlaneShape plane : planes) {
            if (plane.subsampling != 1) {
                return true;
            }
        }
        return false;
    }

    /**
     * Finds a format by its number.
     *
     * @param code as in the protocol
     * @return the format, or null if this version knows none by that number
     */
    public static @Nullable PixelFormat ofCode(int code) {
        for (PixelFormat format : values()) {
            if (format.code == code) {
                return format;
            }
        }
        return null;
    }
}
