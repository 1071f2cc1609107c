// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avcodec.AV_PKT_FLAG_KEY;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_move_ref;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_alloc_context3;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_find_decoder;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_free_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_open2;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_to_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_receive_frame;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_send_packet;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_unref;

import java.util.ArrayDeque;
import java.util.Deque;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVCodecParameters;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avformat.AVStream;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVFrame;

/**
 * Finds out the size of a live stream's pictures, where FFmpeg's probing has not: it decodes packets until a picture comes out, which takes until the
 * next key frame. Packets from that key frame on are kept with the times of their arrival, to be decoded again by whoever decodes the stream. Not
 * thread-safe.
 */
final class FirstPicture implements AutoCloseable {
    /** A packet, and when it came, by System.nanoTime. */
    private record Arrived(AVPacket packet, long nanos) {}

    private final Deque<Arrived> kept = new ArrayDeque<>();
    private AVCodecContext decoder;
    private AVFrame frame;

    /**
     * Takes note of the stream's next packet.
     *
     * @param packet its content is taken over
     * @return whether the size is known now: it is in the stream's parameters
     */
    boolean take(AVStream stream, AVPacket packet, long arrival) {
        if ((packet.flags() & AV_PKT_FLAG_KEY) != 0) {
            dropKept(); // a picture comes from this one on, or from a later one
        }
        AVPacket own = Ffmpeg.allocated(av_packet_alloc(), "a packet");
        av_packet_move_ref(own, packet);
        kept.add(new Arrived(own, arrival));
        return isDecoder(stream) && decodes(stream.codecpar(), own);
    }

    private boolean isDecoder(AVStream stream) {
        if (decoder == null) {
            AVCodec codec = avcodec_find_decoder(stream.codecpar().codec_id());
            if (codec == null) {
                return false; // who decodes the stream says that
            }
            decoder = Ffmpeg.allocated(avcodec_alloc_context3(codec), "a decoder");
            frame = Ffmpeg.allocated(av_frame_alloc(), "a frame");
            avcodec_parameters_to_context(decoder, stream.codecpar());
            decoder.pkt_timebase(stream.time_base());
            decoder.thread_count(1); // more would hold the picture back
            if (avcodec_open2(decoder, codec, (AVDictionary) null) < 0) {
                closeDecoder();
                return false;
            }
        }
        return true;
    }

    private boolean decodes(AVCodecParameters parameters, AVPacket packet) {
        avcodec_send_packet(decoder, packet);
        if (avcodec_receive_frame(decoder, frame) < 0) {
            return false;
        }
        parameters.width(frame.width()).height(frame.height()).format(frame.format());
        parameters.color_range(frame.color_range());
        parameters.color_primaries(frame.color_primaries());
        parameters.color_trc(frame.color_trc());
        parameters.color_space(frame.colorspace());
        av_frame_unref(frame);
        closeDecoder();
        return true;
    }

    private void closeDecoder() {
        if (decoder == null) {
            return;
        }
        avcodec_free_context(decoder);
        av_frame_free(frame);
        decoder = null;
        frame = null;
    }

    /** Whether a packet is kept. */
    boolean isEmpty() {
        return kept.isEmpty();
    }

    /**
     * Gives the next packet that was kept.
     *
     * @param packet empty; gets its content
     * @return when it came
     */
    long give(AVPacket packet) {
        Arrived next = kept.remove();
        av_packet_move_ref(packet, next.packet());
        av_packet_free(next.packet());
        return next.nanos();
    }

    private void dropKept() {
        kept.forEach(arrived -> av_packet_free(arrived.packet()));
        kept.clear();
    }

    @Override
    public void close() {
        dropKept();
        closeDecoder();
    }
}
