// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_FLAG_GLOBAL_HEADER;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_alloc_context3;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_find_encoder_by_name;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_free_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_open2;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_receive_packet;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_send_frame;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_NV12;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_get_buffer;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_make_writable;
import static org.bytedeco.ffmpeg.global.avutil.av_make_q;
import static org.bytedeco.ffmpeg.global.avutil.av_opt_set;
import static org.bytedeco.ffmpeg.global.swscale.SWS_BILINEAR;
import static org.bytedeco.ffmpeg.global.swscale.sws_freeContext;
import static org.bytedeco.ffmpeg.global.swscale.sws_getContext;
import static org.bytedeco.ffmpeg.global.swscale.sws_scale;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import java.util.List;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.swscale.SwsContext;
import org.bytedeco.javacpp.DoublePointer;

/** A low-delay software encoder fed with NV12, which it gets as planar YUV 4:2:0: that is what they all take. Not thread-safe. */
final class PatternEncoder implements AutoCloseable {
    private static final List<String> USUAL = List.of("libopenh264", "libx264", "mpeg4");

    private final AVCodecContext context;
    private final AVFrame planar;
    private final SwsContext converter;

    /**
     * Opens an encoder.
     *
     * @throws CuframesException code UNSUPPORTED if there is none of that name or it does not take the settings
     */
    PatternEncoder(EncoderOptions options) {
        AVCodec codec = find(options.codec());
        context = Ffmpeg.allocated(avcodec_alloc_context3(codec), "an encoder");
        try {
            configure(options, codec.name().getString());
            int status = avcodec_open2(context, codec, (AVDictionary) null);
            if (status < 0) {
                throw new CuframesException(
                        ErrorCode.UNSUPPORTED,
                        "the encoder " + codec.name().getString() + " does not take " + options.width() + "x"
                                + options.height() + " at " + options.fps() + " fps and " + options.bitRate()
                                + " bit/s: "
                                + Ffmpeg.text(status));
            }
            planar = planar(options);
        } catch (RuntimeException | Error e) {
            avcodec_free_context(context);
            throw e;
        }
        try {
            converter = Ffmpeg.allocated(converter(options), "a converter");
        } catch (RuntimeException | Error e) {
            Steps.runAllAfter(e, () -> av_frame_free(planar), () -> avcodec_free_context(context));
            throw e;
        }
    }

    private static AVFrame planar(EncoderOptions options) {
        AVFrame frame = Ffmpeg.allocated(av_frame_alloc(), "a frame");
        frame.format(AV_PIX_FMT_YUV420P).width(options.width()).height(options.height());
        if (av_frame_get_buffer(frame, 0) < 0) {
            av_frame_free(frame);
            Ffmpeg.allocated(null, "a frame of " + options.width() + "x" + options.height());
        }
        return frame;
    }

    private static SwsContext converter(EncoderOptions options) {
        return sws_getContext(
                options.width(),
                options.height(),
                AV_PIX_FMT_NV12,
                options.width(),
                options.height(),
                AV_PIX_FMT_YUV420P,
                SWS_BILINEAR,
                null,
                null,
                (DoublePointer) null);
    }

    private static AVCodec find(String name) {
        List<String> names = name == null ? USUAL : List.of(name);
        for (String candidate : names) {
            AVCodec codec = avcodec_find_encoder_by_name(candidate);
            if (codec != null) {
                return codec;
            }
        }
        throw new CuframesException(
                ErrorCode.UNSUPPORTED,
                "this build of FFmpeg has no encoder " + String.join(", ", names)
                        + ": libx264 and libx265 come with the natives whose classifier ends in -gpl, libopenh264 and mpeg4 with all");
    }

    private void configure(EncoderOptions options, String name) {
        context.width(options.width()).height(options.height()).pix_fmt(AV_PIX_FMT_YUV420P);
        context.time_base(av_make_q(1, options.fps())).framerate(av_make_q(options.fps(), 1));
        context.gop_size(options.gop()).max_b_frames(0).bit_rate(options.bitRate());
        context.thread_count(1); // more would hold frames back
        // Parameter sets go to the file's header or the RTSP session's description; raw streams repeat them by
        // themselves.
        if (!isRawStream(options.url())) {
            context.flags(context.flags() | AV_CODEC_FLAG_GLOBAL_HEADER);
        }
        if (name.equals("libx264") || name.equals("libx265")) {
            av_opt_set(context.priv_data(), "preset", "ultrafast", 0);
            av_opt_set(context.priv_data(), "tune", "zerolatency", 0);
        }
        if (name.equals("libx265")) {
            av_opt_set(context.priv_data(), "x265-params", "log-level=none:pools=none:frame-threads=1", 0);
        }
    }

    private static boolean isRawStream(SourceUrl url) {
        return url.hasEnding("h264", "264", "h265", "265", "hevc", "m4v", "ts");
    }

    AVCodecContext context() {
        return context;
    }

    /** Feeds an NV12 picture. */
    void send(AVFrame picture, long number) {
        int status = av_frame_make_writable(planar); // the encoder may hold the last one
        if (status >= 0) {
            sws_scale(
                    converter,
                    picture.data(),
                    picture.linesize(),
                    0,
                    picture.height(),
                    planar.data(),
                    planar.linesize());
            planar.pts(number);
            status = avcodec_send_frame(context, planar);
        }
        if (status < 0) {
            throw new CuframesException(
                    ErrorCode.SYSTEM, "encoding frame " + number + " failed: " + Ffmpeg.text(status));
        }
    }

    /** No more pictures come. */
    void finish() {
        avcodec_send_frame(context, null);
    }

    /** Fetches a packet: 0, AVERROR(EAGAIN) if it needs pictures, AVERROR_EOF, or another AVERROR. */
    int receive(AVPacket packet) {
        return avcodec_receive_packet(context, packet);
    }

    @Override
    public void close() {
        Steps.runAll(
                () -> sws_freeContext(converter), () -> av_frame_free(planar), () -> avcodec_free_context(context));
    }
}
