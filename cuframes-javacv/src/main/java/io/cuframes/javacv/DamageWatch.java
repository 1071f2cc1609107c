// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_H264;
import static org.bytedeco.ffmpeg.global.avcodec.AV_PKT_FLAG_CORRUPT;

import java.util.concurrent.atomic.AtomicLong;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;

/**
 * Finds out which frames of an input are damaged: by the flags of FFmpeg's frames and packets, by gaps in the frame numbers of H.264, and by FFmpeg's log.
 * For one thread; {@link #errors} is safe from any.
 */
final class DamageWatch implements AutoCloseable {
    /** {@code AV_FRAME_FLAG_CORRUPT} of libavutil/frame.h. */
    private static final int FLAG_CORRUPT = 1;

    /** What a damaged packet has in its {@code opaque}, and its frame then, too: anything but null. */
    private static final Pointer DAMAGED = new NativeAddress().at(1);

    private final AtomicLong errors = new AtomicLong();
    private final DamageState state = new DamageState();
    private Demuxer demuxer;
    private FrameDecoder decoder;

    /** Of H.264, which FFmpeg conceals without a message; null for other codecs. */
    private @Nullable H264Continuity continuity;

    /** Whether a clean frame has come since the decoder was opened. Those before it lack what they are predicted from. */
    private boolean clean;

    /** Whether damage was reported since the last frame. */
    private boolean reported;

    /** How many of the log's reports are known. */
    private long demuxerLogSeen;

    private long decoderLogSeen;

    /** An input is open, and a decoder of it. */
    void opened(Demuxer newDemuxer, FrameDecoder newDecoder) {
        close();
        demuxer = newDemuxer;
        continuity = newDemuxer.parameters().codec_id() == AV_CODEC_ID_H264
                ? new H264Continuity(newDemuxer.parameters())
                : null;
        decodedBy(newDecoder);
    }

    /** Another decoder goes on with the input. */
    void decodedBy(FrameDecoder newDecoder) {
        decoder = newDecoder;
        restart();
    }

    /** What follows is from another place of the input: the next frame to show is a key frame. */
    void restart() {
        clean = false;
        reported = false;
        state.restart();
        decoderLogSeen = decoder.damageReports();
        demuxerLogSeen = demuxer.reports().count();
        if (continuity != null) {
            continuity.restart();
        }
    }

    /** Looks at a packet before it is decoded, and marks it if it is damaged. */
    void packet(AVPacket packet) {
        boolean misses = continuity != null && continuity.missesReference(packet);
        boolean isInLog = demuxer.reports().count() != demuxerLogSeen;
        demuxerLogSeen = demuxer.reports().count();
        if (misses || isInLog || (packet.flags() & AV_PKT_FLAG_CORRUPT) != 0) {
            errors.incrementAndGet();
            packet.opaque(DAMAGED);
        }
    }

    /** Notes an error that FFmpeg has returned, and which costs the next frame, or damages it. */
    void error() {
        errors.incrementAndGet();
        reported = true;
    }

    /**
     * Looks at a decoded frame.
     *
     * @return false if it comes before the first clean frame of its decoder, and is not to be shown
     */
    boolean isShown(AVFrame frame) {
        boolean corrupt = (frame.flags() & FLAG_CORRUPT) != 0;
        if (corrupt && !clean) {
            return false;
        }
        if (!clean) { // reports about packets before it do not concern the first key frame
            clean = true;
            reported = false;
            decoderLogSeen = decoder.damageReports();
        }
        boolean isInLog = isInLog(); // asked of each frame
        if (corrupt || hasErrors(frame) || (isInLog && !reported && !isMarked(frame))) {
            error();
        }
        return true;
    }

    /** Whether the log reports damage since the last frame, in this one or in one that another thread is decoding. H.264's frames have flags for it. */
    private boolean isInLog() {
        long now = decoder.damageReports();
        boolean isNew = now != decoderLogSeen && continuity == null;
        decoderLogSeen = now;
        return isNew;
    }

    /** Whether a frame itself had errors, concealed or not. */
    static boolean hasErrors(AVFrame frame) {
        return frame.decode_error_flags() != 0;
    }

    private static boolean isMarked(AVFrame frame) {
        return frame.opaque() != null;
    }

    /** Whether the pixels of a frame that is shown may be wrong. Asked once of each. */
    boolean isDamaged(AVFrame frame, boolean keyFrame, long ptsNanos) {
        boolean damaged = state.next(reported || isMarked(frame), keyFrame, ptsNanos);
        reported = false;
        return damaged;
    }

    /** Packets and frames in which an error was found. */
    long errors() {
        return errors.get();
    }

    /** Releases what belongs to the input; {@link #opened} may follow. */
    @Override
    public void close() {
        H264Continuity old = continuity;
        continuity = null;
        if (old != null) {
            old.close();
        }
    }
}
