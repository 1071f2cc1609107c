// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_FLAG_RGB;
import static org.bytedeco.ffmpeg.global.avutil.av_pix_fmt_desc_get;
import static org.bytedeco.ffmpeg.global.swscale.SWS_CS_BT2020;
import static org.bytedeco.ffmpeg.global.swscale.SWS_CS_FCC;
import static org.bytedeco.ffmpeg.global.swscale.SWS_CS_ITU601;
import static org.bytedeco.ffmpeg.global.swscale.SWS_CS_ITU709;
import static org.bytedeco.ffmpeg.global.swscale.SWS_CS_SMPTE240M;
import static org.bytedeco.ffmpeg.global.swscale.sws_freeContext;
import static org.bytedeco.ffmpeg.global.swscale.sws_getCoefficients;
import static org.bytedeco.ffmpeg.global.swscale.sws_getContext;
import static org.bytedeco.ffmpeg.global.swscale.sws_scale;
import static org.bytedeco.ffmpeg.global.swscale.sws_setColorspaceDetails;

import io.cuframes.ColorInfo;
import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import org.bytedeco.ffmpeg.avutil.AVPixFmtDescriptor;
import org.bytedeco.ffmpeg.swscale.SwsContext;
import org.bytedeco.javacpp.DoublePointer;

/**
 * Turns a picture into one of another pixel format and size, with libswscale, which is told the matrix and the range of both. Of what a stream does not
 * say, the usual is taken: BT.709 from 720 rows up and BT.601 below, limited range for YUV, full range for grey. Not thread-safe.
 */
final class PictureConverter implements AutoCloseable {
    /** The least height of which BT.709 is usual. */
    private static final int HIGH_DEFINITION = 720;

    private static final int UNKNOWN_MATRIX = 2;
    private static final int BT709 = 1;
    private static final int BT601 = 5;

    /** What libswscale wants for contrast and saturation as they are, in 16.16. */
    private static final int UNCHANGED = 1 << 16;

    /** What a context was made for. */
    private record Task(
            int fromFormat,
            int fromWidth,
            int fromHeight,
            int fromMatrix,
            int fromRange,
            int toFormat,
            int toWidth,
            int toHeight,
            int toMatrix,
            int toRange,
            int flags) {}

    private Task task;
    private SwsContext context;

    /**
     * Converts.
     *
     * @param flags of libswscale: how to scale
     * @throws CuframesException code UNSUPPORTED if libswscale does not know how
     */
    void convert(HostPicture from, HostPicture to, int flags) {
        Task wanted = new Task(
                from.format(),
                from.width(),
                from.height(),
                matrix(from.height(), from.color()),
                range(from.format(), from.color()),
                to.format(),
                to.width(),
                to.height(),
                matrix(to.height(), to.color()),
                range(to.format(), to.color()),
                flags);
        if (!wanted.equals(task)) {
            prepare(wanted);
        }
        int rows = sws_scale(context, from.data(), from.pitches(), 0, from.height(), to.data(), to.pitches());
        if (rows < 0) {
            throw new CuframesException(
                    rows == Ffmpeg.NO_MEMORY ? ErrorCode.SYSTEM : ErrorCode.UNSUPPORTED,
                    describe(wanted) + " failed: " + Ffmpeg.text(rows));
        }
    }

    private void prepare(Task wanted) {
        close();
        context = sws_getContext(
                wanted.fromWidth,
                wanted.fromHeight,
                wanted.fromFormat,
                wanted.toWidth,
                wanted.toHeight,
                wanted.toFormat,
                wanted.flags,
                null,
                null,
                (DoublePointer) null);
        if (context == null) {
            throw new CuframesException(ErrorCode.UNSUPPORTED, describe(wanted) + " is nothing that libswscale can do");
        }
        // It refuses where neither side has such details, as from RGB to RGB: then there is nothing to tell.
        sws_setColorspaceDetails(
                context,
                sws_getCoefficients(wanted.fromMatrix),
                wanted.fromRange,
                sws_getCoefficients(wanted.toMatrix),
                wanted.toRange,
                0,
                UNCHANGED,
                UNCHANGED);
        task = wanted;
    }

    private static String describe(Task task) {
        return "converting " + Nv12Converter.name(task.fromFormat) + " " + task.fromWidth + "x" + task.fromHeight
                + " to " + Nv12Converter.name(task.toFormat) + " " + task.toWidth + "x" + task.toHeight;
    }

    /** libswscale's number for a matrix of H.273; it has them for those that are in use. */
    static int matrix(int height, ColorInfo color) {
        return switch (color.matrix()) {
            case 1 -> SWS_CS_ITU709;
            case 4 -> SWS_CS_FCC;
            case 5, 6 -> SWS_CS_ITU601;
            case 7 -> SWS_CS_SMPTE240M;
            case 9, 10 -> SWS_CS_BT2020;
            default -> height >= HIGH_DEFINITION ? SWS_CS_ITU709 : SWS_CS_ITU601;
        };
    }

    /** The matrix of a picture in the code points of H.273, and where it is unknown, what is taken for it. */
    static int matrixCode(HostPicture picture) {
        int said = picture.color().matrix();
        return said == UNKNOWN_MATRIX ? picture.height() >= HIGH_DEFINITION ? BT709 : BT601 : said;
    }

    /** 1 for full range, 0 for limited. */
    static int range(int format, ColorInfo color) {
        if (color.range() == ColorInfo.Range.UNKNOWN) {
            AVPixFmtDescriptor description = av_pix_fmt_desc_get(format);
            boolean isYuv = description != null
                    && (description.flags() & AV_PIX_FMT_FLAG_RGB) == 0
                    && description.nb_components() >= 3;
            return isYuv ? 0 : 1;
        }
        return color.range() == ColorInfo.Range.FULL ? 1 : 0;
    }

    @Override
    public void close() {
        sws_freeContext(context);
        context = null;
        task = null;
    }
}
