// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_FLAG_FLOAT;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_NONE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_NV12;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_P010BE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_P010LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_P012BE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_P012LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_P016BE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_P016LE;
import static org.bytedeco.ffmpeg.global.avutil.av_get_pix_fmt_name;
import static org.bytedeco.ffmpeg.global.avutil.av_image_copy_plane;
import static org.bytedeco.ffmpeg.global.avutil.av_pix_fmt_desc_get;
import static org.bytedeco.ffmpeg.global.swscale.SWS_BILINEAR;
import static org.bytedeco.ffmpeg.global.swscale.sws_alloc_context;
import static org.bytedeco.ffmpeg.global.swscale.sws_freeContext;
import static org.bytedeco.ffmpeg.global.swscale.sws_init_context;
import static org.bytedeco.ffmpeg.global.swscale.sws_isSupportedInput;
import static org.bytedeco.ffmpeg.global.swscale.sws_scale;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.avutil.AVPixFmtDescriptor;
import org.bytedeco.ffmpeg.swscale.SwsContext;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * Writes frames in system memory, of any pixel format, as NV12 to given addresses, and to nothing outside the planes there. Samples of YUV and grey keep
 * their values, reduced to 8 bits, whatever their range; what {@link StreamColor#isConverted} names becomes BT.601 of limited range. An odd last column or
 * row is left out. Not thread-safe.
 */
final class Nv12Converter implements AutoCloseable {
    /** libswscale writes rows in steps of its own. Seen: 16 bytes; CPUs with wider registers may take more. */
    private static final int STEP = 64;

    private static final int FULL = 1;

    private final NativeAddress luma = new NativeAddress();
    private final NativeAddress chroma = new NativeAddress();
    private final PointerPointer<BytePointer> targets = new PointerPointer<>(4);
    private final IntPointer pitches = new IntPointer(4);
    private final GreyPicture grey = new GreyPicture();
    private SwsContext context;
    private int preparedFormat = AV_PIX_FMT_NONE;
    private HostFrame padded;

    Nv12Converter() {
        for (int plane = 0; plane < 4; plane++) {
            targets.put(plane, (BytePointer) null);
            pitches.put(plane, 0);
        }
    }

    /**
     * Writes {@code width * height} pixels of a frame, both even and at most the frame's, to two planes of {@code pitch * rows} bytes.
     *
     * @throws CuframesException code UNSUPPORTED if libswscale does not read the frame's format
     */
    void convert(
            AVFrame frame,
            int width,
            int height,
            long lumaAddress,
            int lumaPitch,
            long chromaAddress,
            int chromaPitch) {
        if (frame.format() == AV_PIX_FMT_NV12) {
            copy(frame, 0, 0, width, height, lumaAddress, lumaPitch, chromaAddress, chromaPitch);
        } else if (Math.min(lumaPitch, chromaPitch) >= Math.ceilDiv(width, STEP) * STEP) {
            scale(frame, width, height, lumaAddress, lumaPitch, chromaAddress, chromaPitch);
        } else {
            HostFrame buffer = padded(width, height);
            convert(frame, buffer);
            copy(buffer.frame(), 0, 0, width, height, lumaAddress, lumaPitch, chromaAddress, chromaPitch);
        }
    }

    /** Writes as many pixels as the buffer has, which has room behind its rows. */
    void convert(AVFrame frame, HostFrame buffer) {
        int width = buffer.frame().width();
        int height = buffer.frame().height();
        long lumaAddress = buffer.luma().address();
        long chromaAddress = buffer.chroma().address();
        if (frame.format() == AV_PIX_FMT_NV12) {
            copy(frame, 0, 0, width, height, lumaAddress, buffer.lumaPitch(), chromaAddress, buffer.chromaPitch());
        } else {
            scale(frame, width, height, lumaAddress, buffer.lumaPitch(), chromaAddress, buffer.chromaPitch());
        }
    }

    /** Copies a part of a frame that is NV12 already; the offsets are bytes from the start of its planes. */
    void copy(
            AVFrame frame,
            long lumaOffset,
            long chromaOffset,
            int width,
            int height,
            long lumaAddress,
            int lumaPitch,
            long chromaAddress,
            int chromaPitch) {
        luma.at(lumaAddress);
        chroma.at(chromaAddress);
        av_image_copy_plane(luma, lumaPitch, frame.data(0).getPointer(lumaOffset), frame.linesize(0), width, height);
        av_image_copy_plane(
                chroma, chromaPitch, frame.data(1).getPointer(chromaOffset), frame.linesize(1), width, height / 2);
    }

    private void scale(
            AVFrame frame,
            int width,
            int height,
            long lumaAddress,
            int lumaPitch,
            long chromaAddress,
            int chromaPitch) {
        boolean isGrey = GreyPicture.isSeen(frame.format());
        HostPicture seen = isGrey ? grey.of(frame) : null;
        prepare(isGrey ? seen.format() : readAs(frame.format()), width, height);
        targets.put(0, luma.at(lumaAddress)).put(1, chroma.at(chromaAddress));
        pitches.put(0, lumaPitch).put(1, chromaPitch);
        int rows = sws_scale(
                context,
                isGrey ? seen.data() : frame.data(),
                isGrey ? seen.pitches() : frame.linesize(),
                0,
                height,
                targets,
                pitches);
        if (rows < 0) {
            throw failed(frame.format(), rows);
        }
    }

    private void prepare(int format, int width, int height) {
        if (context != null && format == preparedFormat && context.src_w() == width && context.src_h() == height) {
            return;
        }
        if (!isRead(format)) {
            throw new CuframesException(
                    ErrorCode.UNSUPPORTED, "frames of format " + name(format) + " cannot be converted to NV12");
        }
        init(format, width, height, 0);
        // Of some formats libswscale is sure that they are full-range. It is to convert no range: that would be another
        // one than announced.
        if (!StreamColor.isConverted(format) && context.src_range() != context.dst_range()) {
            init(format, width, height, FULL);
        }
        preparedFormat = format;
    }

    private void init(int format, int width, int height, int range) {
        free();
        context = Ffmpeg.allocated(sws_alloc_context(), "a converter");
        context.src_format(format).src_w(width).src_h(height).src_range(range);
        context.dst_format(AV_PIX_FMT_NV12).dst_w(width).dst_h(height).dst_range(range);
        context.flags(SWS_BILINEAR);
        int status = sws_init_context(context, null, null);
        if (status < 0) {
            free();
            throw failed(format, status);
        }
    }

    /** libswscale says that it reads grey of floating point with opacity, and then aborts the process. */
    private static boolean isRead(int format) {
        AVPixFmtDescriptor description = av_pix_fmt_desc_get(format);
        boolean aborts = description != null
                && (description.flags() & AV_PIX_FMT_FLAG_FLOAT) != 0
                && description.nb_components() == 2;
        return sws_isSupportedInput(format) != 0 && !aborts;
    }

    /** P010 and P012 have their bits where P016 has them, and libswscale takes the wrong ones on the way to NV12. */
    private static int readAs(int format) {
        return switch (format) {
            case AV_PIX_FMT_P010LE, AV_PIX_FMT_P012LE -> AV_PIX_FMT_P016LE;
            case AV_PIX_FMT_P010BE, AV_PIX_FMT_P012BE -> AV_PIX_FMT_P016BE;
            default -> format;
        };
    }

    private static CuframesException failed(int format, int status) {
        return new CuframesException(
                status == Ffmpeg.NO_MEMORY ? ErrorCode.SYSTEM : ErrorCode.UNSUPPORTED,
                "converting " + name(format) + " to NV12 failed: " + Ffmpeg.text(status));
    }

    private HostFrame padded(int width, int height) {
        if (padded == null || !padded.fits(width, height)) {
            closePadded();
            padded = new HostFrame(width, height);
        }
        return padded;
    }

    private void closePadded() {
        if (padded != null) {
            padded.close();
            padded = null;
        }
    }

    /** FFmpeg's name of a pixel format. */
    static String name(int format) {
        BytePointer name = av_get_pix_fmt_name(format);
        return name == null ? "unknown" : name.getString();
    }

    private void free() {
        sws_freeContext(context);
        context = null;
    }

    @Override
    public void close() {
        free();
        Steps.runAll(this::closePadded, grey::close, pitches::close, targets::close);
    }
}
