// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import org.bytedeco.ffmpeg.avutil.AVFrame;

/**
 * The part of a decoded picture that the stream wants to be seen. FFmpeg crops frames in system memory by itself; of those on a GPU it crops right and bottom,
 * and leaves what is to be cropped on the left and on top to be read from the frame.
 *
 * @param left columns before it
 * @param top rows above it
 * @param width its columns
 * @param height its rows
 */
record VisiblePart(int left, int top, int width, int height) {
    /** Of a frame, by its size and the cropping that it still wants. */
    static VisiblePart of(AVFrame frame) {
        return of(
                frame.width(),
                frame.height(),
                frame.crop_left(),
                frame.crop_top(),
                frame.crop_right(),
                frame.crop_bottom());
    }

    /** Cropping that would leave nothing is ignored, as FFmpeg does. */
    static VisiblePart of(int width, int height, long left, long top, long right, long bottom) {
        if (left < 0 || top < 0 || right < 0 || bottom < 0 || left + right >= width || top + bottom >= height) {
            return new VisiblePart(0, 0, width, height);
        }
        return new VisiblePart((int) left, (int) top, (int) (width - left - right), (int) (height - top - bottom));
    }

    /** Bytes from the start of an NV12 picture's luma to its visible part. */
    long lumaOffset(int pitch) {
        return (long) top * pitch + left;
    }

    /** Bytes from the start of an NV12 picture's chroma to its visible part: a pair of samples is two columns and two rows of luma. */
    long chromaOffset(int pitch) {
        return (long) (top / 2) * pitch + (left & ~1);
    }
}
