// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

/**
 * Where one plane lies in a frame. Immutable.
 *
 * @param offset bytes from the start of the frame to the plane's first row
 * @param pitch bytes from one row to the next, padding included
 * @param width samples in a row; a sample of an interleaved plane is all its components at one place: (U, V), or (R, G, B)
 * @param height rows
 * @param sampleBytes bytes of one sample, all its components together; divided by {@link PixelFormat#componentBytes()}, their number
 */
public record PlaneLayout(long offset, int pitch, int width, int height, int sampleBytes) {
    /**
     * The bytes of a row that carry samples.
     *
     * @return {@code width * sampleBytes}, at most the pitch
     */
    public int rowBytes() {
        return width * sampleBytes;
    }

    /**
     * The bytes the plane takes.
     *
     * @return {@code pitch * height}
     */
    public long bytes() {
        return (long) pitch * height;
    }
}
