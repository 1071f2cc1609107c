// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import io.cuframes.CuframesException;
import io.cuframes.WritableFrame;
import java.util.List;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avutil.AVFrame;

/** Turns packets into frames and puts frames into slots; on the GPU or on the CPU. For one thread. */
interface FrameDecoder extends AutoCloseable {
    /** Which of the two it is. */
    VideoSource.Decoder kind();

    /** Feeds a packet, null to drain: 0 or an AVERROR. */
    int send(AVPacket packet);

    /** Fetches a frame: 0, AVERROR(EAGAIN) if it needs packets, AVERROR_EOF once drained, or another AVERROR for something damaged. */
    int receive(AVFrame frame);

    /** How often FFmpeg's log has told of damage in what this decodes: where no flag of a frame does. */
    long damageReports();

    /** Why this decoder cannot decode the stream at all, once that has turned out; else null. */
    String refusal();

    /** Whether the refusal may pass: the stream is one that the hardware can decode, if it has a decoder and memory free. */
    boolean refusalMayPass();

    /**
     * Looks whether what decodes is still there.
     *
     * @throws io.cuframes.CudaException if its CUDA context is lost
     */
    void requireAlive();

    /** Forgets what came so far, to start elsewhere. */
    void flush();

    /**
     * Puts a frame into a slot. In a device ring the copy may be queued only, on the legacy default stream: the frame must stay until the slot
     * is announced.
     *
     * @throws CuframesException if the copy fails
     */
    void copy(AVFrame frame, WritableFrame slot, boolean deviceRing);

    /**
     * What is done to the frames besides decoding, in words for a description; empty if nothing.
     *
     * @param format FFmpeg's number of the pixel format that the stream is coded in
     */
    String conversion(int format);

    /** The operating system's numbers of the threads that decode beside the caller's. */
    List<Long> threads();

    /** Device memory of its surfaces in bytes, as far as it is known. */
    long deviceBytes();

    @Override
    void close();
}
