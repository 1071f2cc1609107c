// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_NV12;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV422P;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV440P;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV444P;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUVJ420P;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUVJ422P;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUVJ440P;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUVJ444P;
import static org.bytedeco.ffmpeg.global.avutil.av_get_pix_fmt_name;
import static org.bytedeco.ffmpeg.global.avutil.av_image_copy_plane;
import static org.bytedeco.ffmpeg.global.swscale.SWS_BILINEAR;
import static org.bytedeco.ffmpeg.global.swscale.sws_freeContext;
import static org.bytedeco.ffmpeg.global.swscale.sws_getCachedContext;
import static org.bytedeco.ffmpeg.global.swscale.sws_scale;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.swscale.SwsContext;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * Writes frames in system memory, of any pixel format, as NV12 to given addresses: in one pass. Full-range samples stay full-range. An odd
 * last column or row is left out. Not thread-safe.
 */
final class Nv12Converter implements AutoCloseable {
    private final NativeAddress luma = new NativeAddress();
    private final NativeAddress chroma = new NativeAddress();
    private final PointerPointer<BytePointer> targets = new PointerPointer<>(4);
    private final IntPointer pitches = new IntPointer(4);
    private SwsContext context;

    Nv12Converter() {
        for (int plane = 0; plane < 4; plane++) {
            targets.put(plane, (BytePointer) null);
            pitches.put(plane, 0);
        }
    }

    /** Writes {@code width * height} pixels of a frame, both even and at most the frame's. */
    void convert(
            AVFrame frame,
            int width,
            int height,
            long lumaAddress,
            int lumaPitch,
            long chromaAddress,
            int chromaPitch) {
        luma.at(lumaAddress);
        chroma.at(chromaAddress);
        if (frame.format() == AV_PIX_FMT_NV12) {
            av_image_copy_plane(luma, lumaPitch, frame.data(0), frame.linesize(0), width, height);
            av_image_copy_plane(chroma, chromaPitch, frame.data(1), frame.linesize(1), width, height / 2);
            return;
        }
        int source = withoutRange(frame.format());
        context = sws_getCachedContext(
                context,
                width,
                height,
                source,
                width,
                height,
                AV_PIX_FMT_NV12,
                SWS_BILINEAR,
                null,
                null,
                (DoublePointer) null);
        if (context == null) {
            throw new CuframesException(
                    ErrorCode.UNSUPPORTED, "frames of format " + name(frame.format()) + " cannot be converted to NV12");
        }
        targets.put(0, luma).put(1, chroma);
        pitches.put(0, lumaPitch).put(1, chromaPitch);
        int rows = sws_scale(context, frame.data(), frame.linesize(), 0, height, targets, pitches);
        if (rows < 0) {
            throw new CuframesException(
                    rows == Ffmpeg.NO_MEMORY ? ErrorCode.SYSTEM : ErrorCode.UNSUPPORTED,
                    "converting " + name(frame.format()) + " to NV12 failed: " + Ffmpeg.text(rows));
        }
    }

    /** The old "J" formats mean full range; the range is told in the colour information and must not be converted. */
    private static int withoutRange(int format) {
        return switch (format) {
            case AV_PIX_FMT_YUVJ420P -> AV_PIX_FMT_YUV420P;
            case AV_PIX_FMT_YUVJ422P -> AV_PIX_FMT_YUV422P;
            case AV_PIX_FMT_YUVJ440P -> AV_PIX_FMT_YUV440P;
            case AV_PIX_FMT_YUVJ444P -> AV_PIX_FMT_YUV444P;
            default -> format;
        };
    }

    /** FFmpeg's name of a pixel format. */
    static String name(int format) {
        BytePointer name = av_get_pix_fmt_name(format);
        return name == null ? "unknown" : name.getString();
    }

    @Override
    public void close() {
        sws_freeContext(context);
        context = null;
        Steps.runAll(pitches::close, targets::close);
    }
}
