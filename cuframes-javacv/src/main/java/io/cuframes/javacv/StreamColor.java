// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AVCOL_RANGE_JPEG;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_RANGE_MPEG;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_FLAG_HWACCEL;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_FLAG_PAL;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_FLAG_RGB;
import static org.bytedeco.ffmpeg.global.avutil.av_pix_fmt_desc_get;

import io.cuframes.ColorInfo;
import org.bytedeco.ffmpeg.avcodec.AVCodecParameters;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.avutil.AVPixFmtDescriptor;

/** What FFmpeg knows of a stream's colours, as a {@link ColorInfo}: both count in the code points of ITU-T H.273. */
final class StreamColor {
    private static final int UNKNOWN = 2;

    /** BT.601 of 625 lines: what libswscale makes of RGB, in limited range, unless told otherwise. */
    private static final int BT601 = 5;

    private StreamColor() {}

    /** What the stream announces. */
    static ColorInfo of(AVCodecParameters parameters) {
        return of(
                parameters.format(),
                codePoint(parameters.color_primaries()),
                codePoint(parameters.color_trc()),
                codePoint(parameters.color_space()),
                range(parameters.color_range()));
    }

    /** What a decoded frame says, and for what it does not say, what the stream announced: a container may know more than the coded stream. */
    static ColorInfo of(AVFrame frame, ColorInfo announced) {
        ColorInfo.Range range = range(frame.color_range());
        return of(
                frame.format(),
                known(codePoint(frame.color_primaries()), announced.primaries()),
                known(codePoint(frame.color_trc()), announced.transfer()),
                known(codePoint(frame.colorspace()), announced.matrix()),
                range == ColorInfo.Range.UNKNOWN ? announced.range() : range);
    }

    private static ColorInfo of(int format, int primaries, int transfer, int matrix, ColorInfo.Range range) {
        return isConverted(format)
                ? new ColorInfo(primaries, transfer, BT601, ColorInfo.Range.LIMITED)
                : new ColorInfo(primaries, transfer, matrix, range);
    }

    /**
     * Whether libswscale computes other sample values on the way to NV12, rather than arrange the same ones anew: for RGB, palettes and grey. What
     * is on a device is NV12 already; its format there has no components.
     */
    private static boolean isConverted(int format) {
        AVPixFmtDescriptor description = av_pix_fmt_desc_get(format);
        return description != null
                && (description.flags() & AV_PIX_FMT_FLAG_HWACCEL) == 0
                && ((description.flags() & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) != 0
                        || description.nb_components() < 3);
    }

    private static int codePoint(int value) {
        return value < 0 || value > 255 ? UNKNOWN : value;
    }

    private static int known(int codePoint, int otherwise) {
        return codePoint == UNKNOWN ? otherwise : codePoint;
    }

    private static ColorInfo.Range range(int value) {
        if (value == AVCOL_RANGE_MPEG) {
            return ColorInfo.Range.LIMITED;
        }
        return value == AVCOL_RANGE_JPEG ? ColorInfo.Range.FULL : ColorInfo.Range.UNKNOWN;
    }
}
