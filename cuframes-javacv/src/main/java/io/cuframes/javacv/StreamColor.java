// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AVCOL_RANGE_JPEG;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_RANGE_MPEG;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_FLAG_RGB;
import static org.bytedeco.ffmpeg.global.avutil.av_pix_fmt_desc_get;

import io.cuframes.ColorInfo;
import org.bytedeco.ffmpeg.avcodec.AVCodecParameters;
import org.bytedeco.ffmpeg.avutil.AVPixFmtDescriptor;

/** What FFmpeg knows of a stream's colours, as a {@link ColorInfo}: both count in the code points of ITU-T H.273. */
final class StreamColor {
    private static final int UNKNOWN = 2;

    /** BT.601 of 625 lines: what libswscale makes of RGB unless told otherwise. */
    private static final int BT601 = 5;

    private StreamColor() {}

    static ColorInfo of(AVCodecParameters parameters) {
        int primaries = codePoint(parameters.color_primaries());
        int transfer = codePoint(parameters.color_trc());
        AVPixFmtDescriptor format = av_pix_fmt_desc_get(parameters.format());
        if (format != null && (format.flags() & AV_PIX_FMT_FLAG_RGB) != 0) {
            return new ColorInfo(primaries, transfer, BT601, ColorInfo.Range.LIMITED);
        }
        return new ColorInfo(primaries, transfer, codePoint(parameters.color_space()), range(parameters.color_range()));
    }

    private static int codePoint(int value) {
        return value < 0 || value > 255 ? UNKNOWN : value;
    }

    private static ColorInfo.Range range(int value) {
        if (value == AVCOL_RANGE_MPEG) {
            return ColorInfo.Range.LIMITED;
        }
        return value == AVCOL_RANGE_JPEG ? ColorInfo.Range.FULL : ColorInfo.Range.UNKNOWN;
    }
}
