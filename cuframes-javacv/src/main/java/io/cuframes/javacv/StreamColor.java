// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_ALIAS_PIX;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_APNG;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_BMP;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_BRENDER_PIX;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_DDS;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_DPX;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_EXR;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_FITS;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_GIF;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_JPEG2000;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_JPEGLS;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_JPEGXL;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_MJPEG;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_PAM;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_PBM;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_PCX;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_PFM;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_PGM;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_PGX;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_PHM;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_PICTOR;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_PNG;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_PPM;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_PSD;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_SGI;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_SUNRAST;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_TARGA;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_TIFF;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_WBMP;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_XBM;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_XFACE;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_XWD;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_RANGE_JPEG;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_RANGE_MPEG;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_FLAG_HWACCEL;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_FLAG_PAL;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_FLAG_RGB;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_FLAG_XYZ;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_MONOBLACK;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_MONOWHITE;
import static org.bytedeco.ffmpeg.global.avutil.av_pix_fmt_desc_get;

import io.cuframes.ColorInfo;
import java.util.Set;
import org.bytedeco.ffmpeg.avcodec.AVCodecParameters;
import org.bytedeco.ffmpeg.avutil.AVFrame;

/**
 * What FFmpeg knows of a stream's colours, as {@link ColorInfo}: both count in the code points of ITU-T H.273. What is said is of the samples as {@link
 * Nv12Converter} writes them. Immutable.
 */
final class StreamColor {
    private static final int UNKNOWN = 2;

    private static final long NO_LUMA = AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_XYZ;

    /** The matrix of RGB as it is: NV12 never is that. */
    private static final int NO_MATRIX = 0;

    /** BT.601 of 625 lines: what libswscale makes of RGB, in limited range, unless told otherwise. */
    private static final int BT601 = 5;

    /** Codecs of pictures whose grey is full-range by definition, which not all of FFmpeg's decoders say. */
    private static final Set<Integer> PICTURES = Set.of(
            AV_CODEC_ID_ALIAS_PIX,
            AV_CODEC_ID_APNG,
            AV_CODEC_ID_BMP,
            AV_CODEC_ID_BRENDER_PIX,
            AV_CODEC_ID_DDS,
            AV_CODEC_ID_DPX,
            AV_CODEC_ID_EXR,
            AV_CODEC_ID_FITS,
            AV_CODEC_ID_GIF,
            AV_CODEC_ID_JPEG2000,
            AV_CODEC_ID_JPEGLS,
            AV_CODEC_ID_JPEGXL,
            AV_CODEC_ID_MJPEG,
            AV_CODEC_ID_PAM,
            AV_CODEC_ID_PBM,
            AV_CODEC_ID_PCX,
            AV_CODEC_ID_PFM,
            AV_CODEC_ID_PGM,
            AV_CODEC_ID_PGX,
            AV_CODEC_ID_PHM,
            AV_CODEC_ID_PICTOR,
            AV_CODEC_ID_PNG,
            AV_CODEC_ID_PPM,
            AV_CODEC_ID_PSD,
            AV_CODEC_ID_SGI,
            AV_CODEC_ID_SUNRAST,
            AV_CODEC_ID_TARGA,
            AV_CODEC_ID_TIFF,
            AV_CODEC_ID_WBMP,
            AV_CODEC_ID_XBM,
            AV_CODEC_ID_XFACE,
            AV_CODEC_ID_XWD);

    private final boolean isPicture;
    private final int format;
    private final int primaries;
    private final int transfer;
    private final int matrix;
    private final ColorInfo.Range range;

    /** Of a stream, by what it announces. */
    StreamColor(AVCodecParameters parameters) {
        isPicture = PICTURES.contains(parameters.codec_id());
        format = parameters.format();
        primaries = codePoint(parameters.color_primaries());
        transfer = codePoint(parameters.color_trc());
        matrix = codePoint(parameters.color_space());
        range = range(parameters.color_range());
    }

    /** What the stream announces. */
    ColorInfo announced() {
        return of(format, primaries, transfer, matrix, range);
    }

    /** What a decoded frame says, and for what it does not say, what the stream announced: a container may know more than the coded stream. */
    ColorInfo of(AVFrame frame) {
        ColorInfo.Range said = range(frame.color_range());
        return of(
                frame.format(),
                known(codePoint(frame.color_primaries()), primaries),
                known(codePoint(frame.color_trc()), transfer),
                known(codePoint(frame.colorspace()), matrix),
                said == ColorInfo.Range.UNKNOWN ? range : said);
    }

    private ColorInfo of(int pixels, int ofPrimaries, int ofTransfer, int ofMatrix, ColorInfo.Range ofRange) {
        if (isConverted(pixels)) {
            return new ColorInfo(ofPrimaries, ofTransfer, BT601, ColorInfo.Range.LIMITED);
        }
        boolean isFull = isBlackAndWhite(pixels) || (isGrey(pixels) && isPicture && ofRange == ColorInfo.Range.UNKNOWN);
        return new ColorInfo(
                ofPrimaries,
                ofTransfer,
                ofMatrix == NO_MATRIX ? UNKNOWN : ofMatrix,
                isFull ? ColorInfo.Range.FULL : ofRange);
    }

    /**
     * Whether libswscale computes other sample values on the way to NV12, rather than arrange the same ones again: for RGB, XYZ and palettes. What is
     * on a device is NV12 already; its format there has no components.
     */
    static boolean isConverted(int format) {
        return isOnHost(format) && (flags(format) & NO_LUMA) != 0;
    }

    private static boolean isGrey(int format) {
        return isOnHost(format)
                && !isConverted(format)
                && av_pix_fmt_desc_get(format).nb_components() < 3;
    }

    /** Of one bit: 0 and 255 in NV12. */
    private static boolean isBlackAndWhite(int format) {
        return format == AV_PIX_FMT_MONOBLACK || format == AV_PIX_FMT_MONOWHITE;
    }

    private static boolean isOnHost(int format) {
        return av_pix_fmt_desc_get(format) != null && (flags(format) & AV_PIX_FMT_FLAG_HWACCEL) == 0;
    }

    private static long flags(int format) {
        return av_pix_fmt_desc_get(format).flags();
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
