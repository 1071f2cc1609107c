// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_make_writable;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_unref;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_alloc_context3;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_find_decoder;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_free_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_open2;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_to_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_receive_frame;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_send_packet;
import static org.bytedeco.ffmpeg.global.avformat.av_find_best_stream;
import static org.bytedeco.ffmpeg.global.avformat.av_read_frame;
import static org.bytedeco.ffmpeg.global.avformat.avformat_close_input;
import static org.bytedeco.ffmpeg.global.avformat.avformat_find_stream_info;
import static org.bytedeco.ffmpeg.global.avformat.avformat_open_input;
import static org.bytedeco.ffmpeg.global.avutil.AVMEDIA_TYPE_VIDEO;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_unref;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVCodecParameters;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVFrame;

/** FFmpeg's demuxer and decoder of one file and nothing else, with the reports of damage of that file. */
final class BareDecoder implements AutoCloseable {
    private static final int FLAG_CORRUPT = 1;

    private final AVFormatContext demuxer;
    private final DamageReports reports;
    private final int stream;
    private AVCodecContext decoder;
    private int frames;
    private int flagged;

    BareDecoder(Path file, int threads) {
        this(file.toString(), null, threads);
    }

    BareDecoder(String url, AVDictionary options, int threads) {
        Ffmpeg.load();
        demuxer = new AVFormatContext(null);
        assertEquals(0, avformat_open_input(demuxer, url, null, options), url);
        reports = new DamageReports(demuxer);
        assertTrue(avformat_find_stream_info(demuxer, (AVDictionary) null) >= 0, url);
        stream = av_find_best_stream(demuxer, AVMEDIA_TYPE_VIDEO, -1, -1, (AVCodec) null, 0);
        openDecoder(threads);
    }

    private void openDecoder(int threads) {
        AVCodec codec = avcodec_find_decoder(parameters().codec_id());
        decoder = avcodec_alloc_context3(codec);
        avcodec_parameters_to_context(decoder, parameters());
        decoder.thread_count(threads);
        reports.watch(decoder);
        assertEquals(0, avcodec_open2(decoder, codec, (AVDictionary) null));
    }

    AVCodecParameters parameters() {
        return demuxer.streams(stream).codecpar();
    }

    DamageReports reports() {
        return reports;
    }

    int frames() {
        return frames;
    }

    /** How many of them FFmpeg itself says are damaged. */
    int flagged() {
        return flagged;
    }

    /** Reads to the end. */
    void read(Consumer<AVPacket> packets) {
        read(packets, () -> true);
    }

    /** Reads as long as that is wanted, or to the end. */
    void read(Consumer<AVPacket> packets, BooleanSupplier wanted) {
        AVPacket packet = av_packet_alloc();
        while (wanted.getAsBoolean() && av_read_frame(demuxer, packet) >= 0) {
            if (packet.stream_index() == stream) {
                packets.accept(packet);
            }
            av_packet_unref(packet);
        }
        av_packet_free(packet);
    }

    /** Decodes to the end. */
    BareDecoder decode() {
        return decode(packet -> {});
    }

    /** Decodes to the end what becomes of the packets; a packet without bytes is passed over. */
    BareDecoder decode(Consumer<AVPacket> damage) {
        AVFrame frame = av_frame_alloc();
        read(packet -> {
            av_packet_make_writable(packet);
            damage.accept(packet);
            if (packet.size() > 0) {
                avcodec_send_packet(decoder, packet);
                receive(frame);
            }
        });
        avcodec_send_packet(decoder, null);
        receive(frame);
        av_frame_free(frame);
        return this;
    }

    private void receive(AVFrame frame) {
        while (avcodec_receive_frame(decoder, frame) >= 0) {
            frames++;
            if ((frame.flags() & FLAG_CORRUPT) != 0 || frame.decode_error_flags() != 0) {
                flagged++;
            }
            av_frame_unref(frame);
        }
    }

    @Override
    public void close() {
        avcodec_free_context(decoder);
        reports.close();
        avformat_close_input(demuxer);
    }
}
