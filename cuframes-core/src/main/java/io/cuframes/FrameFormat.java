// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * The geometry of every frame of a stream. Immutable, and always consistent: the planes are those of the pixel format at that size, and lie
 * within the frame.
 *
 * @param pixelFormat how the samples are arranged
 * @param width pixels, 2 to {@value #MAX_DIMENSION}; even where {@link PixelFormat#needsEvenSize}
 * @param height pixels, 2 to {@value #MAX_DIMENSION}; even where {@link PixelFormat#needsEvenSize}
 * @param color how samples map to colours
 * @param planes where each plane lies in the frame, in the order of the format
 * @param frameBytes bytes of one frame, padding included
 */
public record FrameFormat(
        PixelFormat pixelFormat, int width, int height, ColorInfo color, List<PlaneLayout> planes, long frameBytes) {
    /** The largest width and height: what NVDEC decodes at most is half of it. */
    public static final int MAX_DIMENSION = 16384;

    /**
     * In frames that this library lays out, row pitches and plane offsets are multiples of this: 256 bytes are two cache lines of the GPU and suit
     * its copy engines.
     */
    public static final int PITCH_ALIGNMENT = 256;

    /**
     * Checks the geometry, and makes a defensive copy of the planes.
     *
     * @throws CuframesException code INVALID_ARGUMENT if the size is out of range or does not suit the format, or a plane does not have the
     *     format's samples, or its rows overlap, or it is not aligned to its components, or does not lie within the frame, or meets another plane
     */
    public FrameFormat {
        Objects.requireNonNull(pixelFormat, "pixelFormat");
        Objects.requireNonNull(color, "color");
        planes = List.copyOf(planes);
        requireSize(pixelFormat, width, height);
        String what = pixelFormat + " " + width + "x" + height;
        if (planes.size() != pixelFormat.planeCount()) {
            throw invalid(what + " has " + pixelFormat.planeCount() + " planes, not " + planes.size());
        }
        for (int i = 0; i < planes.size(); i++) {
            requireSamples(pixelFormat, width, height, i, planes.get(i), "plane " + i + " of " + what);
            requirePlace(pixelFormat, planes.get(i), frameBytes, "plane " + i + " of " + what);
        }
        requireApart(planes, what);
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
        requireSize(pixelFormat, width, height);
        List<PlaneLayout> planes = new ArrayList<>(pixelFormat.planeCount());
        long end = 0;
        for (int i = 0; i < pixelFormat.planeCount(); i++) {
            int samples = width / pixelFormat.subsampling(i);
            int rows = height / pixelFormat.subsampling(i);
            int sampleBytes = pixelFormat.sampleBytes(i);
            PlaneLayout plane = new PlaneLayout(end, padded(samples * sampleBytes), samples, rows, sampleBytes);
            planes.add(plane);
            end += plane.bytes();
        }
        return new FrameFormat(pixelFormat, width, height, color, planes, end);
    }

    private static int padded(int rowBytes) {
        return (rowBytes + PITCH_ALIGNMENT - 1) & -PITCH_ALIGNMENT;
    }

    /**
     * A layout of the caller's own, for frames in buffers that this library did not make: pitches and offsets may be any multiples of the
     * format's {@linkplain PixelFormat#componentBytes() component size}, as long as no planes overlap.
     *
     * @param pixelFormat how the samples are arranged
     * @param width pixels
     * @param height pixels
     * @param color how samples map to colours
     * @param planes where each plane lies, in the order of the format; each with its own pitch, and the samples that the format has at this size
     * @param frameBytes bytes of one frame, from the start of its buffer to the end of its last plane at least, padding of the last row included
     * @return the format with these planes
     * @throws CuframesException code INVALID_ARGUMENT if the geometry is out of range or does not suit the format, or a plane does not fit; the
     *     message names the plane and the number
     */
    public static FrameFormat withPlanes(
            PixelFormat pixelFormat,
            int width,
            int height,
            ColorInfo color,
            List<PlaneLayout> planes,
            long frameBytes) {
        return new FrameFormat(pixelFormat, width, height, color, planes, frameBytes);
    }

    /**
     * The bytes of a frame as this library lays it out, padding included: how large a buffer of the application's own must be to hold one.
     *
     * @param pixelFormat how the samples are arranged
     * @param width pixels
     * @param height pixels
     * @return bytes, a multiple of {@link #PITCH_ALIGNMENT}
     * @throws CuframesException code INVALID_ARGUMENT if the geometry is out of range or does not suit the format
     */
    public static long frameBytes(PixelFormat pixelFormat, int width, int height) {
        return of(pixelFormat, width, height, ColorInfo.UNKNOWN).frameBytes();
    }

    private static void requireSize(PixelFormat pixelFormat, int width, int height) {
        if (width < 2 || width > MAX_DIMENSION || height < 2 || height > MAX_DIMENSION) {
            throw invalid("frame size " + width + "x" + height + " is out of range: width and height must be 2 to "
                    + MAX_DIMENSION + " pixels");
        }
        if (pixelFormat.needsEvenSize() && ((width | height) & 1) != 0) {
            throw invalid("frame size " + width + "x" + height + " does not suit " + pixelFormat
                    + ", whose chroma is halved: width and height must be even");
        }
    }

    private static void requireSamples(
            PixelFormat format, int width, int height, int index, PlaneLayout plane, String what) {
        int samples = width / format.subsampling(index);
        int rows = height / format.subsampling(index);
        int bytes = format.sampleBytes(index);
        if (plane.width() != samples || plane.height() != rows || plane.sampleBytes() != bytes) {
            throw invalid(what + " has " + samples + "x" + rows + " samples of " + bytes + " bytes, not "
                    + plane.width() + "x" + plane.height() + " of " + plane.sampleBytes());
        }
    }

    private static void requirePlace(PixelFormat format, PlaneLayout plane, long frameBytes, String what) {
        if (plane.pitch() < plane.rowBytes()) {
            throw invalid(what + " has a pitch of " + plane.pitch() + " bytes, less than the " + plane.rowBytes()
                    + " of a row");
        }
        int alignment = format.componentBytes();
        if (plane.pitch() % alignment != 0 || plane.offset() % alignment != 0) {
            throw invalid(what + " is at offset " + plane.offset() + " with a pitch of " + plane.pitch()
                    + " bytes: both must be multiples of its components' " + alignment + " bytes");
        }
        // where a peer chose the offset, the sum of it and the plane's bytes could overflow
        boolean fits = plane.bytes() <= frameBytes && plane.offset() <= frameBytes - plane.bytes();
        if (plane.offset() < 0 || !fits) {
            throw invalid(what + " is at offset " + plane.offset() + " and takes " + plane.bytes()
                    + " bytes, which does not lie within a frame of " + frameBytes + " bytes");
        }
    }

    private static void requireApart(List<PlaneLayout> planes, String what) {
        for (int i = 0; i < planes.size(); i++) {
            for (int j = 0; j < i; j++) {
                PlaneLayout a = planes.get(j);
                PlaneLayout b = planes.get(i);
                if (a.offset() < b.offset() + b.bytes() && b.offset() < a.offset() + a.bytes()) {
                    throw invalid(
                            "planes " + j + " and " + i + " of " + what + " overlap: " + range(a) + " and " + range(b));
                }
            }
        }
    }

    private static String range(PlaneLayout plane) {
        return "bytes " + plane.offset() + " to " + (plane.offset() + plane.bytes() - 1);
    }

    private static CuframesException invalid(String message) {
        return new CuframesException(ErrorCode.INVALID_ARGUMENT, message);
    }
}
