// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import java.util.List;
import java.util.Objects;

/**
 * The geometry of every frame of a stream. Immutable.
 *
 * @param pixelFormat how the samples are arranged
 * @param width pixels, 2 to {@value #MAX_DIMENSION}
 * @param height pixels, 2 to {@value #MAX_DIMENSION}
 * @param color how samples map to colours
 * @param planes where each plane lies in the frame, in the order of the format
 * @param frameBytes bytes of one frame, padding included
 */
public record FrameFormat(
        PixelFormat pixelFormat, int width, int height, ColorInfo color, List<PlaneLayout> planes, long frameBytes) {
    /** The largest width and height: what NVDEC decodes at most is half of it. */
    public static final int MAX_DIMENSION = 16384;

    /** Row pitches and plane offsets are multiples of this: 256 bytes are two cache lines of the GPU and suit its copy engines. */
    public static final int PITCH_ALIGNMENT = 256;

    /** Makes a defensive copy of the planes. */
    public FrameFormat {
        Objects.requireNonNull(pixelFormat, "pixelFormat");
        Objects.requireNonNull(color, "color");
        planes = List.copyOf(planes);
    }

    /**
     * The layout this library gives a frame: rows padded to {@link #PITCH_ALIGNMENT}, planes one after the other.
     *
     * @param pixelFormat how the samples are arranged
     * @param width pixels
     * @param height pixels
     * @param color how samples map to colours
     * @return the format with its planes
     * @throws CuframesException code INVALID_ARGUMENT if the geometry is out of range or does not suit the format
     */
    public static FrameFormat of(PixelFormat pixelFormat, int width, int height, ColorInfo color) {
        if (width < 2 || width > MAX_DIMENSION || height < 2 || height > MAX_DIMENSION) {
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT,
                    "frame size " + width + "x" + height + " is out of range: width and height must be 2 to "
                            + MAX_DIMENSION + " pixels");
        }
        return switch (pixelFormat) {
            case NV12 -> nv12(width, height, color);
        };
    }

    private static FrameFormat nv12(int width, int height, ColorInfo color) {
        if ((width & 1) != 0 || (height & 1) != 0) {
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT,
                    "frame size " + width + "x" + height
                            + " does not suit NV12, whose chroma is halved: width and height must be even");
        }
        int pitch = (width + PITCH_ALIGNMENT - 1) & -PITCH_ALIGNMENT;
        PlaneLayout luma = new PlaneLayout(0, pitch, width, height, 1);
        PlaneLayout chroma = new PlaneLayout(luma.bytes(), pitch, width / 2, height / 2, 2);
        return new FrameFormat(
                PixelFormat.NV12, width, height, color, List.of(luma, chroma), luma.bytes() + chroma.bytes());
    }
}
