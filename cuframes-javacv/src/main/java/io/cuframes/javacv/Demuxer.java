// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avcodec.AVDISCARD_ALL;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_H261;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_H263;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_H264;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_HEVC;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_MPEG1VIDEO;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_MPEG2VIDEO;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_MPEG4;
import static org.bytedeco.ffmpeg.global.avcodec.AV_PKT_DATA_PRFT;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_get_side_data;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_unref;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_get_name;
import static org.bytedeco.ffmpeg.global.avformat.AVFMT_NOTIMESTAMPS;
import static org.bytedeco.ffmpeg.global.avformat.AVSEEK_FLAG_BACKWARD;
import static org.bytedeco.ffmpeg.global.avformat.AVSEEK_FLAG_BYTE;
import static org.bytedeco.ffmpeg.global.avformat.av_find_best_stream;
import static org.bytedeco.ffmpeg.global.avformat.av_read_frame;
import static org.bytedeco.ffmpeg.global.avformat.av_seek_frame;
import static org.bytedeco.ffmpeg.global.avformat.avformat_find_stream_info;
import static org.bytedeco.ffmpeg.global.avformat.avio_size;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EXIT;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_INVALIDDATA;
import static org.bytedeco.ffmpeg.global.avutil.AVMEDIA_TYPE_UNKNOWN;
import static org.bytedeco.ffmpeg.global.avutil.AVMEDIA_TYPE_VIDEO;
import static org.bytedeco.ffmpeg.global.avutil.AV_NOPTS_VALUE;
import static org.bytedeco.ffmpeg.global.avutil.av_rescale;

import io.cuframes.CuframesException;
import io.cuframes.TimeBase;
import java.time.Duration;
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

    /** Between two looks at an input whose reads do not wait: a small part of a frame's time. */
    private static final long NON_BLOCKING_WAIT_NANOS = 2_000_000;

    /** Those whose packets may bring the time of RTCP sender reports. */
    private static final Set<String> RTP_FORMATS = Set.of("rtsp", "rtp", "sdp");

    private static final Set<String> SEGMENTED_FORMATS = Set.of("hls", "dash");

    /** Codecs whose frames FFmpeg cuts out of RTP's payload by looking for the beginning of the next one. */
    private static final Set<Integer> CUT_CODECS = Set.of(
            AV_CODEC_ID_H264,
            AV_CODEC_ID_HEVC,
            AV_CODEC_ID_MPEG4,
            AV_CODEC_ID_H263,
            AV_CODEC_ID_H261,
            AV_CODEC_ID_MPEG1VIDEO,
            AV_CODEC_ID_MPEG2VIDEO);

    /** Closing may send a word to the camera, whose connection may be stuck. */
    private static final Duration CLOSING = Duration.ofSeconds(1);

    private static final long MICROS = 1_000_000;

    /** More than a group of pictures takes. */
    private static final long PROBED_BYTES = 64 << 20;

    /** No less than groups of pictures in files usually take. */
    private static final int GROUP_SECONDS = 10;

    private final SourceOptions options;
    private final InterruptGate gate;
    private final OpenInput input;
    private final AVFormatContext context;
    private final AVStream stream;
    private final int index;
    private final double frameRate;
    private final boolean rtp;
    private final boolean live;
    private final boolean segmented;
    private final Patience patience;
    private final DamageReports reports;
    private final SizeTPointer sideDataSize = new SizeTPointer(1);
    private final FirstPicture firstPicture = new FirstPicture();
    private int knownStreams;
    private int damaged;
    private long arrival;
    private String lossReason;
    private boolean ended;

    /**
     * Opens and probes an input.
     *
     * @throws CuframesException as {@link OpenError} has it
     */
    static Demuxer open(SourceOptions options, InterruptGate gate) {
        gate.arm(Patience.answer(options));
        try {
            return new Demuxer(options, gate, OpenInput.open(options, gate));
        } finally {
            gate.disarm();
        }
    }

    private Demuxer(SourceOptions options, InterruptGate gate, OpenInput input) {
        this.options = options;
        this.gate = gate;
        this.input = input;
        this.context = input.context();
        try {
            String format = context.iformat().name().getString();
            this.rtp = RTP_FORMATS.contains(format);
            this.segmented = SEGMENTED_FORMATS.contains(format);
            this.live = !isFile();
            long begin = System.nanoTime();
            if (options.openTimeout() == null) {
                gate.arm(Patience.FIRST_PICTURE);
            }
            this.index = probe();
            this.stream = context.streams(index);
            this.frameRate = FrameRate.of(context, stream);
            this.reports = new DamageReports(context);
            this.patience = new Patience(options, segmented, System.nanoTime() - begin);
            leaveOthersOut();
        } catch (RuntimeException | Error e) {
            Steps.runAllAfter(e, this::close);
            throw e;
        }
    }

    /** Whether it has an end, and its pace is the reader's: a regular file, or what a server of HTTP gives the length of. */
    private boolean isFile() {
        return switch (options.url().kind()) {
            case FILE -> true;
            case HTTP ->
                !options.listen()
                        && context.pb() != null
                        && !context.pb().isNull()
                        && context.pb().seekable() != 0
                        && avio_size(context.pb()) > 0;
            case PIPE, LIVE, SEGMENTED -> false;
        };
    }

    /**
     * Finds the video stream, with its size. Other streams are not waited for; where a live stream begins with what cannot be decoded, the next key frame
     * is.
     *
     * @return the stream's index
     */
    private int probe() {
        leaveOthersOut();
        int status = 0;
        if (!isUntimed()) { // FFmpeg's probing takes packets in, and nobody could say later when they came
            limitProbing();
            status = avformat_find_stream_info(context, (AVDictionary) null);
            input.throwFailure();
        }
        int found = av_find_best_stream(context, AVMEDIA_TYPE_VIDEO, -1, -1, (AVCodec) null, 0);
        if (live && status >= 0 && !(found >= 0 && hasSize(context.streams(found)))) {
            status = awaitFirstPicture();
            found = av_find_best_stream(context, AVMEDIA_TYPE_VIDEO, -1, -1, (AVCodec) null, 0);
        }
        if (gate.stopped() || gate.expired() || found < 0 || !hasSize(context.streams(found))) {
            throw probingFailed(status, found);
        }
        return found;
    }

    private void limitProbing() {
        if (!live) {
            return;
        }
        // RTSP has told all of its streams, and video alone was asked for. Others are probed to the end of this time,
        // since a stream may turn up later.
        context.max_analyze_duration(rtp ? MICROS * Patience.FIRST_PICTURE.toSeconds() : MICROS);
        context.probesize(PROBED_BYTES);
        context.max_ts_probe(2); // the first timestamp is right then; waiting for decoding times would take many frames
        context.fps_probe_size(0); // measuring the rate takes seconds of a live stream: what it says itself has to do
    }

    /** Reads until a picture can be decoded; a status of FFmpeg. */
    private int awaitFirstPicture() {
        AVPacket packet = Ffmpeg.allocated(av_packet_alloc(), "a packet");
        try {
            while (true) {
                int status = av_read_frame(context, packet);
                input.throwFailure();
                leaveOthersOut();
                if (status == Ffmpeg.AGAIN) {
                    gate.sleep(NON_BLOCKING_WAIT_NANOS);
                    status = gate.expired() || gate.stopped() ? AVERROR_EXIT : 0;
                } else if (status >= 0
                        && isVideo(packet)
                        && firstPicture.take(context.streams(packet.stream_index()), packet, System.nanoTime())) {
                    return status;
                }
                av_packet_unref(packet);
                if (status < 0 && status != AVERROR_INVALIDDATA) {
                    return status;
                }
            }
        } finally {
            av_packet_free(packet);
        }
    }

    private boolean isVideo(AVPacket packet) {
        return packet.stream_index() == av_find_best_stream(context, AVMEDIA_TYPE_VIDEO, -1, -1, (AVCodec) null, 0);
    }

    private static boolean hasSize(AVStream candidate) {
        return candidate.codecpar().width() > 0 && candidate.codecpar().height() > 0;
    }

    private CuframesException probingFailed(int status, int found) {
        boolean failed = status < 0 && status != AVERROR_EOF;
        if (gate.stopped() || (failed && !gate.expired())) {
            return probingFailed(status < 0 ? status : AVERROR_EXIT);
        }
        if (found >= 0) {
            String codec = avcodec_get_name(context.streams(found).codecpar().codec_id())
                    .getString();
            return OpenError.noKeyFrame(options, codec, gate.expired(), probingTime());
        }
        if (gate.expired() && context.nb_streams() == 0) {
            return probingFailed(AVERROR_EXIT);
        }
        return OpenError.noVideo(options, context.nb_streams());
    }

    private CuframesException probingFailed(int status) {
        return OpenError.of(options.url(), status, gate.expired(), probingTime(), options.listen());
    }

    private Duration probingTime() {
        return options.openTimeout() == null ? Patience.FIRST_PICTURE : options.openTimeout();
    }

    /** Of what is not video, packets need not come: FFmpeg asks servers for less, and parses less. Streams may turn up later. */
    private void leaveOthersOut() {
        int streams = context.nb_streams();
        for (; knownStreams < streams; knownStreams++) {
            AVStream other = context.streams(knownStreams);
            if (other.codecpar().codec_type() != AVMEDIA_TYPE_VIDEO && !isUnknown(other)) {
                other.discard(AVDISCARD_ALL);
            }
        }
        for (int i = 0; stream != null && i < streams; i++) {
            if (i != index) {
                context.streams(i).discard(AVDISCARD_ALL);
            }
        }
    }

    /** What it is may turn out as it is probed. */
    private static boolean isUnknown(AVStream other) {
        return other.codecpar().codec_type() == AVMEDIA_TYPE_UNKNOWN;
    }

    /** Reads the video stream's next packet, to be unreferenced by the caller. */
    Read read(AVPacket packet) {
        if (!firstPicture.isEmpty()) {
            arrival = firstPicture.give(packet);
            return Read.PACKET;
        }
        long begin = System.nanoTime();
        if (isLimited()) {
            gate.arm(Duration.ofNanos(patience.readNanos()));
        }
        try {
            while (true) {
                int status = av_read_frame(context, packet);
                input.throwFailure();
                if (status == Ffmpeg.AGAIN && input.isNonBlocking()) {
                    if (!gate.expired() && gate.sleep(NON_BLOCKING_WAIT_NANOS)) {
                        continue;
                    }
                    return failed(AVERROR_EXIT);
                }
                if (status < 0) {
                    return failed(status);
                }
                damaged = 0;
                if (packet.stream_index() == index) {
                    arrival = System.nanoTime();
                    patience.waited(arrival - begin);
                    return Read.PACKET;
                }
                av_packet_unref(packet);
                if (context.nb_streams() > knownStreams) {
                    leaveOthersOut();
                }
            }
        } finally {
            gate.disarm();
        }
    }

    /** What is written to a FIFO comes when its writer likes. */
    private boolean isLimited() {
        return switch (options.url().kind()) {
            case FILE -> false;
            case PIPE -> options.readTimeout() != null;
            case LIVE, HTTP, SEGMENTED -> true;
        };
    }

    private Read failed(int status) {
        if (gate.expired()) {
            return silent(); // whatever FFmpeg makes of that
        }
        if (status == AVERROR_EOF && !gate.stopped()) {
            lossReason = "the sender ended the stream";
            ended = true;
            return Read.END;
        }
        if (status == Ffmpeg.AGAIN || (status == AVERROR_INVALIDDATA && ++damaged < DAMAGED_AT_MOST)) {
            return Read.DAMAGED;
        }
        if (status == AVERROR_EXIT && !gate.stopped()) {
            return silent(); // FFmpeg keeps an error of reading for the next call, where the gate is armed again
        }
        lossReason = Ffmpeg.text(status);
        return Read.LOST;
    }

    private Read silent() {
        lossReason = "no video came for " + patience.readNanos() / 1_000_000 + " ms";
        return Read.LOST;
    }

    /** When the packet read last came, by System.nanoTime. */
    long arrival() {
        return arrival;
    }

    /** How long packets may come without a frame before the input is taken for lost, ns; 0 for no end, as files have it. */
    long undecodableNanos() {
        return live ? patience.undecodableNanos() : 0;
    }

    /** Whether it comes at a pace of its own, and has no known end. */
    boolean isLive() {
        return live;
    }

    /** What FFmpeg's log says of damage in this input, and in what decodes it. */
    DamageReports reports() {
        return reports;
    }

    /** Whether it comes as the segments of a playlist. */
    boolean isSegmented() {
        return segmented;
    }

    /** Whether what is opened again may begin with what came before: segments of a playlist, and files. */
    boolean mayReplay() {
        return segmented || !live;
    }

    /** Whether its timestamps are made up by FFmpeg: the format has none, and nobody knows when a live input's pictures were taken but by their arrival. */
    boolean isUntimed() {
        boolean isPaced = options.realtime() && options.url().kind() == InputKind.PIPE; // as a file is
        return live && !isPaced && (context.iformat().flags() & AVFMT_NOTIMESTAMPS) != 0;
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

    /** Goes to a place from where the frame behind a timestamp can be decoded; false if this input cannot. Formats without an index do not know key frames. */
    boolean seekBefore(long timestamp) {
        long group = av_rescale(GROUP_SECONDS, timeBaseDenominator(), timeBaseNumerator());
        return av_seek_frame(context, index, timestamp - group, AVSEEK_FLAG_BACKWARD) >= 0 || rewind();
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
        Steps.runAll(sideDataSize::close, firstPicture::close, this::closeReports, () -> {
            gate.arm(CLOSING);
            input.close();
            gate.disarm();
        });
    }

    private void closeReports() {
        if (reports != null) { // not so where probing failed
            reports.close();
        }
    }
}
