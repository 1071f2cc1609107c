// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_H261;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_H263;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_H264;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_HEVC;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_MPEG1VIDEO;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_MPEG2VIDEO;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_MPEG4;
import static org.bytedeco.ffmpeg.global.avcodec.AV_PKT_DATA_PRFT;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_get_side_data;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_unref;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_get_name;
import static org.bytedeco.ffmpeg.global.avformat.AVSEEK_FLAG_BACKWARD;
import static org.bytedeco.ffmpeg.global.avformat.AVSEEK_FLAG_BYTE;
import static org.bytedeco.ffmpeg.global.avformat.av_find_best_stream;
import static org.bytedeco.ffmpeg.global.avformat.av_read_frame;
import static org.bytedeco.ffmpeg.global.avformat.av_seek_frame;
import static org.bytedeco.ffmpeg.global.avformat.avformat_alloc_context;
import static org.bytedeco.ffmpeg.global.avformat.avformat_close_input;
import static org.bytedeco.ffmpeg.global.avformat.avformat_find_stream_info;
import static org.bytedeco.ffmpeg.global.avformat.avformat_free_context;
import static org.bytedeco.ffmpeg.global.avformat.avformat_open_input;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EXIT;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_INVALIDDATA;
import static org.bytedeco.ffmpeg.global.avutil.AVMEDIA_TYPE_VIDEO;
import static org.bytedeco.ffmpeg.global.avutil.AV_NOPTS_VALUE;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_free;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_set;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.TimeBase;
import java.util.Locale;
import java.util.Set;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecParameters;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avcodec.AVProducerReferenceTime;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVStream;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVRational;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.SizeTPointer;

/** One opened input and its video stream: gives that stream's packets. Not thread-safe; the gate ends what blocks. */
final class Demuxer implements AutoCloseable {
    /** What {@link #read} came back with. */
    enum Read {
        PACKET,
        /** The input is over. */
        END,
        /** Something damaged was skipped: read on. */
        DAMAGED,
        /** Nothing more comes; {@link #lossReason()} says why. */
        LOST
    }

    /** Frames last this long where the stream does not say: 25 per second. */
    private static final long USUAL_FRAME_NANOS = 40_000_000;

    private static final int DAMAGED_AT_MOST = 1000;

    /** Those whose packets may bring the time of RTCP sender reports. */
    private static final Set<String> RTP_FORMATS = Set.of("rtsp", "rtp", "sdp");

    /** Codecs whose frames FFmpeg cuts out of RTP's payload by looking for the beginning of the next one. */
    private static final Set<Integer> CUT_CODECS = Set.of(
            AV_CODEC_ID_H264,
            AV_CODEC_ID_HEVC,
            AV_CODEC_ID_MPEG4,
            AV_CODEC_ID_H263,
            AV_CODEC_ID_H261,
            AV_CODEC_ID_MPEG1VIDEO,
            AV_CODEC_ID_MPEG2VIDEO);

    private final SourceOptions options;
    private final InterruptGate gate;
    private final AVFormatContext context;
    private final AVStream stream;
    private final int index;
    private final double frameRate;
    private final boolean rtp;
    private final SizeTPointer sideDataSize = new SizeTPointer(1);
    private int damaged;
    private String lossReason;
    private boolean ended;

    /**
     * Opens and probes an input.
     *
     * @throws CuframesException code NOT_FOUND, ACCESS_DENIED, TIMEOUT, UNSUPPORTED or SYSTEM
     */
    static Demuxer open(SourceOptions options, InterruptGate gate) {
        gate.arm(options.openTimeout());
        try {
            return new Demuxer(options, gate, openContext(options, gate));
        } finally {
            gate.disarm();
        }
    }

    private static AVFormatContext openContext(SourceOptions options, InterruptGate gate) {
        AVFormatContext context = Ffmpeg.allocated(avformat_alloc_context(), "a demuxer");
        gate.guard(context);
        AVDictionary settings = new AVDictionary(null);
        boolean handedOver = false;
        try {
            configure(options, settings);
            handedOver = true;
            int status =
                    avformat_open_input(context, options.url().raw(), null, settings); // frees the context if it fails
            if (status < 0) {
                throw OpenError.of(options.url(), status, gate.expired(), options.openTimeout(), options.listen());
            }
            return context;
        } catch (RuntimeException | Error e) {
            if (!handedOver) {
                avformat_free_context(context);
            }
            throw e;
        } finally {
            av_dict_free(settings);
        }
    }

    private static void configure(SourceOptions options, AVDictionary settings) {
        SourceUrl url = options.url();
        if (url.isNetwork() && !url.isHttp()) {
            // Measuring the frame rate takes FFmpeg five seconds of a live stream; what the stream itself says has to
            // do.
            av_dict_set(settings, "fpsprobesize", "0", 0);
        }
        if (url.isRtsp()) {
            av_dict_set(
                    settings, "rtsp_transport", options.rtspTransport().name().toLowerCase(Locale.ROOT), 0);
            if (options.listen()) {
                av_dict_set(settings, "rtsp_flags", "listen", 0);
            }
        } else if (options.listen()) {
            av_dict_set(settings, "listen", "1", 0);
        }
    }

    private Demuxer(SourceOptions options, InterruptGate gate, AVFormatContext context) {
        this.options = options;
        this.gate = gate;
        this.context = context;
        try {
            int status = avformat_find_stream_info(context, (AVDictionary) null);
            if (status < 0 || gate.expired() || gate.stopped()) {
                throw OpenError.of(
                        options.url(),
                        status < 0 ? status : AVERROR_EXIT,
                        gate.expired(),
                        options.openTimeout(),
                        options.listen());
            }
            this.index = av_find_best_stream(context, AVMEDIA_TYPE_VIDEO, -1, -1, (AVCodec) null, 0);
            if (index < 0) {
                throw new CuframesException(
                        ErrorCode.UNSUPPORTED,
                        options.url() + " has no video among its " + context.nb_streams()
                                + " streams: give a URL or file with a video stream");
            }
            this.stream = context.streams(index);
            this.frameRate = FrameRate.of(context, stream);
            this.rtp = RTP_FORMATS.contains(context.iformat().name().getString());
            if (parameters().width() <= 0 || parameters().height() <= 0) {
                throw new CuframesException(
                        ErrorCode.UNSUPPORTED,
                        "the " + codecName() + " stream of " + options.url()
                                + " did not tell its size while it was probed: no key frame came; try again, or see that the sender"
                                + " sends its parameter sets");
            }
        } catch (RuntimeException | Error e) {
            Steps.runAllAfter(e, this::close);
            throw e;
        }
    }

    /** Reads the video stream's next packet, to be unreferenced by the caller. */
    Read read(AVPacket packet) {
        boolean network = options.url().isNetwork();
        if (network) {
            gate.arm(options.readTimeout());
        }
        try {
            while (true) {
                int status = av_read_frame(context, packet);
                if (status < 0) {
                    return failed(status);
                }
                damaged = 0;
                if (packet.stream_index() == index) {
                    return Read.PACKET;
                }
                av_packet_unref(packet);
            }
        } finally {
            gate.disarm();
        }
    }

    private Read failed(int status) {
        if (status == AVERROR_EOF && !(gate.expired() || gate.stopped())) {
            lossReason = "the sender ended the stream";
            ended = true;
            return Read.END;
        }
        if (status == Ffmpeg.AGAIN || (status == AVERROR_INVALIDDATA && ++damaged < DAMAGED_AT_MOST)) {
            return Read.DAMAGED;
        }
        lossReason =
                gate.expired() ? "nothing came for " + options.readTimeout().toMillis() + " ms" : Ffmpeg.text(status);
        return Read.LOST;
    }

    /**
     * The wall-clock time that came with a packet: its producer reference time, which FFmpeg computes from the latest RTCP sender report. It is that of
     * the packet, or of the one after it: {@link #timesComeEarly()}.
     *
     * @return microseconds since 1970 UTC, or {@link CaptureClock#UNKNOWN}: a file, no report yet, or a sender that has no clock
     */
    long wallMicros(AVPacket packet) {
        BytePointer data = rtp ? av_packet_get_side_data(packet, AV_PKT_DATA_PRFT, sideDataSize) : null;
        if (data == null) {
            return CaptureClock.UNKNOWN;
        }
        long micros = new AVProducerReferenceTime(data).wallclock();
        return micros > 0
                ? micros
                : CaptureClock.UNKNOWN; // a sender without a clock reports 0, or how long it has been up
    }

    /**
     * Whether a packet comes with the wall-clock time of the one after it. Where FFmpeg's parser cuts out the frames, it ends one when it has seen
     * the next begin, and gives it what came with that.
     */
    boolean timesComeEarly() {
        return CUT_CODECS.contains(parameters().codec_id());
    }

    /** Whether the input came to its end, rather than was lost. */
    boolean ended() {
        return ended;
    }

    /** Why {@link #read} gave END or LOST. */
    String lossReason() {
        return lossReason;
    }

    /**
     * Goes back to the beginning; false if this input cannot. Looking for the time of the first frame finds a later one where frames are coded in another
     * order than shown, and leaves a picture's file at its end, so that a look at the first byte follows, where the format has such.
     */
    boolean rewind() {
        ended = false;
        long start = stream.start_time() == AV_NOPTS_VALUE ? 0 : stream.start_time();
        boolean atTime = av_seek_frame(context, index, start, AVSEEK_FLAG_BACKWARD) >= 0;
        boolean atByte = av_seek_frame(context, index, 0, AVSEEK_FLAG_BYTE) >= 0;
        return atTime || atByte;
    }

    /** Whether the input has a known length, as files have. */
    boolean hasDuration() {
        return context.duration() != AV_NOPTS_VALUE && context.duration() > 0;
    }

    AVStream stream() {
        return stream;
    }

    AVCodecParameters parameters() {
        return stream.codecpar();
    }

    String codecName() {
        return avcodec_get_name(parameters().codec_id()).getString();
    }

    long timeBaseNumerator() {
        return stream.time_base().num();
    }

    long timeBaseDenominator() {
        return stream.time_base().den();
    }

    TimeBase timeBase() {
        AVRational base = stream.time_base();
        return base.num() > 0 && base.den() > 0 ? new TimeBase(base.num(), base.den()) : TimeBase.UNKNOWN;
    }

    /** How long a frame lasts, ns. */
    long frameNanos() {
        return frameRate > 0 ? Math.round(1e9 / frameRate) : USUAL_FRAME_NANOS;
    }

    /** Such as {@code 25 fps}; empty if the stream does not say. */
    String rateText() {
        return FrameRate.text(frameRate);
    }

    @Override
    public void close() {
        Steps.runAll(sideDataSize::close, () -> avformat_close_input(context));
    }
}
