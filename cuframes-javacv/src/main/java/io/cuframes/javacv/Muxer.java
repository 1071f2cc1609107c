// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avcodec.av_packet_rescale_ts;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_from_context;
import static org.bytedeco.ffmpeg.global.avformat.AVFMT_NOFILE;
import static org.bytedeco.ffmpeg.global.avformat.AVIO_FLAG_WRITE;
import static org.bytedeco.ffmpeg.global.avformat.av_write_frame;
import static org.bytedeco.ffmpeg.global.avformat.av_write_trailer;
import static org.bytedeco.ffmpeg.global.avformat.avformat_alloc_output_context2;
import static org.bytedeco.ffmpeg.global.avformat.avformat_free_context;
import static org.bytedeco.ffmpeg.global.avformat.avformat_new_stream;
import static org.bytedeco.ffmpeg.global.avformat.avformat_write_header;
import static org.bytedeco.ffmpeg.global.avformat.avio_closep;
import static org.bytedeco.ffmpeg.global.avformat.avio_open2;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_free;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_set;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import java.time.Duration;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVIOContext;
import org.bytedeco.ffmpeg.avformat.AVStream;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.javacpp.PointerPointer;

/** A file or an RTSP session that one video stream is written to. Not thread-safe. */
final class Muxer implements AutoCloseable {
    private static final Duration OPEN_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration WRITE_TIMEOUT = Duration.ofSeconds(5);

    private final SourceUrl url;
    private final AVCodecContext encoder;
    private final InterruptGate gate = new InterruptGate(() -> true);
    private final AVFormatContext context;
    private final AVStream stream;
    private boolean begun;
    private boolean broken;
    private boolean closed;

    /**
     * Opens the file or connects to the receiver, and writes the header.
     *
     * @throws CuframesException code UNSUPPORTED if the format is not known, else as {@link OpenError} says
     */
    Muxer(SourceUrl url, AVCodecContext encoder) {
        this.url = url;
        this.encoder = encoder;
        this.context = new AVFormatContext(null);
        int status;
        try {
            status = avformat_alloc_output_context2(context, null, url.isRtsp() ? "rtsp" : null, url.raw());
        } catch (RuntimeException | Error e) {
            gate.close();
            throw e;
        }
        if (status < 0) {
            gate.close();
            throw new CuframesException(
                    ErrorCode.UNSUPPORTED,
                    "cannot tell the format of " + url + ": " + Ffmpeg.text(status)
                            + "; give the file an ending such as mp4, mkv, ts, h264 or h265");
        }
        gate.guard(context);
        gate.arm(OPEN_TIMEOUT);
        try {
            this.stream = Ffmpeg.allocated(avformat_new_stream(context, null), "a stream");
            avcodec_parameters_from_context(stream.codecpar(), encoder);
            stream.time_base(encoder.time_base());
            stream.avg_frame_rate(encoder.framerate());
            openFile();
            writeHeader();
        } catch (RuntimeException | Error e) {
            Steps.runAllAfter(e, this::close);
            throw e;
        } finally {
            gate.disarm();
        }
    }

    private boolean isFile() {
        return (context.oformat().flags() & AVFMT_NOFILE) == 0;
    }

    private void openFile() {
        if (isFile()) {
            AVIOContext file = new AVIOContext(null);
            check(avio_open2(file, url.raw(), AVIO_FLAG_WRITE, context.interrupt_callback(), (AVDictionary) null));
            context.pb(file);
        }
    }

    private void writeHeader() {
        AVDictionary settings = new AVDictionary(null);
        try {
            if (url.isRtsp()) {
                av_dict_set(settings, "rtsp_transport", "tcp", 0);
            }
            check(avformat_write_header(context, settings));
            begun = true;
        } finally {
            av_dict_free(settings);
        }
    }

    private void check(int status) {
        if (status < 0) {
            throw OpenError.of(url, status, gate.expired(), OPEN_TIMEOUT, false);
        }
    }

    /** Writes a packet whose times count in the encoder's time base. */
    void write(AVPacket packet) {
        av_packet_rescale_ts(packet, encoder.time_base(), stream.time_base());
        packet.stream_index(0);
        gate.arm(WRITE_TIMEOUT);
        int status = av_write_frame(context, packet);
        gate.disarm();
        requireWritten(status);
    }

    /** Writes the end. */
    void finish() {
        requireWritten(end());
    }

    private int end() {
        begun = false;
        gate.arm(WRITE_TIMEOUT);
        int status = av_write_trailer(context);
        gate.disarm();
        return status;
    }

    private void requireWritten(int status) {
        if (status < 0) {
            broken = true;
            throw new CuframesException(
                    url.isNetwork() ? ErrorCode.DISCONNECTED : ErrorCode.SYSTEM,
                    "cannot write to " + url + ": " + Ffmpeg.text(status)
                            + (url.isNetwork() ? "; the receiver is gone" : "; is the disk full?"));
        }
    }

    /** Whether a write has failed, after which nothing more can be written. */
    boolean broken() {
        return broken;
    }

    /** Closing twice closes once. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        Steps.runAll(this::endIfBegun, this::closeFile, () -> avformat_free_context(context), gate::close);
    }

    private void endIfBegun() {
        if (begun) {
            end(); // it also frees what the format holds, such as the RTSP connection
        }
    }

    private void closeFile() {
        if (isFile() && context.pb() != null) {
            try (PointerPointer<AVIOContext> file = new PointerPointer<>(1)) {
                file.put(0, context.pb());
                avio_closep(file);
                context.pb(null);
            }
        }
    }
}
