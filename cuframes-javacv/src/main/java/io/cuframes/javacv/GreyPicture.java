// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GRAY10BE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GRAY10LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GRAY12BE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GRAY12LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GRAY14BE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GRAY14LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GRAY16BE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GRAY16LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GRAY8;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GRAY9BE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GRAY9LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_NONE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P10BE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P10LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P12BE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P12LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P14BE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P14LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P16BE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P16LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P9BE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P9LE;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_get_buffer;
import static org.bytedeco.ffmpeg.global.avutil.av_pix_fmt_desc_get;

import io.cuframes.ColorInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.avutil.AVPixFmtDescriptor;

/**
 * A grey frame, seen as a frame of 4:2:0 of the same depth whose chroma has no colour. libswscale takes grey for full-range and rounds it as such; the luma
 * of 4:2:0 it only reduces to fewer bits. Not thread-safe.
 */
final class GreyPicture implements AutoCloseable {
    private final HostPicture picture = new HostPicture();

    /** The chroma, and luma that is not used. */
    private AVFrame neutral;

    /** Whether frames of this format are seen so: grey of 8 to 16 bits, without opacity. */
    static boolean isSeen(int format) {
        return seenAs(format) != AV_PIX_FMT_NONE;
    }

    private static int seenAs(int format) {
        return switch (format) {
            case AV_PIX_FMT_GRAY8 -> AV_PIX_FMT_YUV420P;
            case AV_PIX_FMT_GRAY9LE -> AV_PIX_FMT_YUV420P9LE;
            case AV_PIX_FMT_GRAY9BE -> AV_PIX_FMT_YUV420P9BE;
            case AV_PIX_FMT_GRAY10LE -> AV_PIX_FMT_YUV420P10LE;
            case AV_PIX_FMT_GRAY10BE -> AV_PIX_FMT_YUV420P10BE;
            case AV_PIX_FMT_GRAY12LE -> AV_PIX_FMT_YUV420P12LE;
            case AV_PIX_FMT_GRAY12BE -> AV_PIX_FMT_YUV420P12BE;
            case AV_PIX_FMT_GRAY14LE -> AV_PIX_FMT_YUV420P14LE;
            case AV_PIX_FMT_GRAY14BE -> AV_PIX_FMT_YUV420P14BE;
            case AV_PIX_FMT_GRAY16LE -> AV_PIX_FMT_YUV420P16LE;
            case AV_PIX_FMT_GRAY16BE -> AV_PIX_FMT_YUV420P16BE;
            default -> AV_PIX_FMT_NONE;
        };
    }

    /** Shows a frame, whose luma stays where it is. */
    HostPicture of(AVFrame frame) {
        int format = seenAs(frame.format());
        if (neutral == null
                || neutral.format() != format
                || neutral.width() != frame.width()
                || neutral.height() != frame.height()) {
            makeNeutral(format, frame.width(), frame.height());
        }
        return picture.is(format, frame.width(), frame.height(), ColorInfo.UNKNOWN)
                .plane(0, frame.data(0).address(), frame.linesize(0))
                .plane(1, neutral.data(1).address(), neutral.linesize(1))
                .plane(2, neutral.data(2).address(), neutral.linesize(2));
    }

    private void makeNeutral(int format, int width, int height) {
        free();
        neutral = Ffmpeg.allocated(av_frame_alloc(), "a frame");
        neutral.format(format).width(width).height(height);
        if (av_frame_get_buffer(neutral, 0) < 0) {
            free();
            Ffmpeg.allocated(null, "a frame of " + width + "x" + height);
        }
        AVPixFmtDescriptor description = av_pix_fmt_desc_get(format);
        int depth = description.comp(0).depth();
        for (int plane = 1; plane <= 2; plane++) {
            fill(
                    plane,
                    Math.ceilDiv(height, 2),
                    depth,
                    Nv12Converter.name(format).endsWith("be"));
        }
    }

    /** Half of the range, in each sample. */
    private void fill(int plane, int rows, int depth, boolean bigEndian) {
        ByteBuffer samples = neutral.data(plane)
                .capacity((long) neutral.linesize(plane) * rows)
                .asByteBuffer()
                .order(bigEndian ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
        while (samples.remaining() >= 2) {
            samples.putShort((short) (depth == 8 ? 0x8080 : 1 << (depth - 1)));
        }
    }

    private void free() {
        av_frame_free(neutral);
        neutral = null;
    }

    @Override
    public void close() {
        Steps.runAll(this::free, picture::close);
    }
}
