// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_unref;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import java.util.Objects;
import org.bytedeco.ffmpeg.avcodec.AVPacket;

/**
 * Encodes the {@link TestPattern} into a file, or pushes it to an RTSP server or to a {@link VideoSource} that listens.
 *
 * <p>It has the settings of a low delay: no B-frames, and each frame is written out before {@link #write()} returns, as far as the encoder allows. It
 * does not pace itself. Not thread-safe.
 */
public final class TestPatternWriter implements AutoCloseable {
    private final EncoderOptions options;
    private final TestPattern pattern;
    private final HostFrame picture;
    private final PatternEncoder encoder;
    private final Muxer muxer;
    private final AVPacket packet;
    private long number;
    private boolean closed;

    private TestPatternWriter(EncoderOptions options) {
        Ffmpeg.load();
        this.options = options;
        this.pattern = new TestPattern(options.width(), options.height(), options.fps());
        this.packet = Ffmpeg.allocated(av_packet_alloc(), "a packet");
        HostFrame newPicture = null;
        PatternEncoder newEncoder = null;
        try {
            newPicture = new HostFrame(options.width(), options.height());
            newEncoder = new PatternEncoder(options);
            this.muxer = new Muxer(options.url(), newEncoder.context());
        } catch (RuntimeException | Error e) {
            if (newEncoder != null) {
                Steps.runAllAfter(e, newEncoder::close);
            }
            if (newPicture != null) {
                Steps.runAllAfter(e, newPicture::close);
            }
            av_packet_free(packet);
            throw e;
        }
        this.picture = newPicture;
        this.encoder = newEncoder;
    }

    /**
     * Begins a writer.
     *
     * @param url the path of a file, whose ending names its format (mp4, mkv, ts, h264, h265 and so on), or an RTSP URL to push to
     * @return a builder
     */
    public static Builder builder(String url) {
        return new Builder(url);
    }

    /**
     * Encodes the next frame and writes what the encoder gives.
     *
     * @throws CuframesException code DISCONNECTED if the receiver is gone, SYSTEM if the file cannot be written or encoding fails
     * @throws IllegalStateException if the writer is closed
     */
    public void write() {
        if (closed) {
            throw new IllegalStateException("this writer is closed");
        }
        pattern.draw(number, picture.luma(), picture.lumaPitch(), picture.chroma(), picture.chromaPitch());
        encoder.send(picture.frame(), number);
        number++;
        drain();
    }

    /** Leaves a frame out, as a camera does that does not keep up: its number is in no picture, and its time passes. */
    void skip() {
        number++;
    }

    private void drain() {
        int status = encoder.receive(packet);
        while (status >= 0) {
            try {
                muxer.write(packet);
            } finally {
                av_packet_unref(packet);
            }
            status = encoder.receive(packet);
        }
        if (status != Ffmpeg.AGAIN && status != AVERROR_EOF) {
            throw new CuframesException(
                    ErrorCode.SYSTEM, "encoding for " + options.url() + " failed: " + Ffmpeg.text(status));
        }
    }

    /**
     * The number of the next frame, from 0.
     *
     * @return how many frames were written so far
     */
    public long number() {
        return number;
    }

    /**
     * Writes what the encoder still holds and the file's end, and frees all. Closing twice closes once.
     *
     * @throws CuframesException code SYSTEM or DISCONNECTED if the end cannot be written; all is freed nevertheless
     */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        Steps.runAll(
                this::finishUnlessBroken, () -> av_packet_free(packet), muxer::close, encoder::close, picture::close);
    }

    private void finishUnlessBroken() {
        if (!muxer.broken()) {
            encoder.finish();
            drain();
            muxer.finish();
        }
    }

    /** Says what a writer is to be; {@link #open()} checks it all at once. Not thread-safe. */
    public static final class Builder {
        private final SourceUrl url;
        private int width = 1280;
        private int height = 720;
        private int fps = 25;
        private String codec;
        private int gop;
        private long bitRate;

        private Builder(String url) {
            this.url = new SourceUrl(Objects.requireNonNull(url, "url"));
        }

        /**
         * The picture's size; 1280x720 unless said.
         *
         * @param newWidth pixels, even, {@value FrameStamp#MIN_WIDTH} at least
         * @param newHeight pixels, even, {@value FrameStamp#MIN_HEIGHT} at least
         * @return this
         */
        public Builder size(int newWidth, int newHeight) {
            width = newWidth;
            height = newHeight;
            return this;
        }

        /**
         * Frames per second, in the timestamps; 25 unless said.
         *
         * @param newFps 1 to 240
         * @return this
         */
        public Builder fps(int newFps) {
            fps = newFps;
            return this;
        }

        /**
         * FFmpeg's name of the encoder, such as libopenh264, libx264, libx265, mpeg4. Unless said, the first of libopenh264, libx264 and mpeg4 that this
         * build of FFmpeg has.
         *
         * @param name the encoder
         * @return this
         */
        public Builder codec(String name) {
            codec = Objects.requireNonNull(name);
            return this;
        }

        /**
         * Frames from one key frame to the next; those of one second unless said.
         *
         * @param frames 1 at least
         * @return this
         */
        public Builder gop(int frames) {
            gop = frames;
            return this;
        }

        /**
         * Bits per second; unless said, a tenth of a bit per pixel and 300,000 at least, at which stamps stay readable.
         *
         * @param bitsPerSecond more than 0
         * @return this
         */
        public Builder bitRate(long bitsPerSecond) {
            bitRate = bitsPerSecond;
            return this;
        }

        /**
         * Opens the encoder and the file, or connects to the receiver.
         *
         * @return the writer, to be closed
         * @throws CuframesException code INVALID_ARGUMENT for what is out of range, UNSUPPORTED if this build of FFmpeg has no such encoder or
         *     format, TIMEOUT, NOT_FOUND, ACCESS_DENIED or SYSTEM if the file or URL cannot be opened
         */
        public TestPatternWriter open() {
            boolean sizeFits =
                    width >= FrameStamp.MIN_WIDTH && height >= FrameStamp.MIN_HEIGHT && (width | height) % 2 == 0;
            if (!sizeFits || fps < 1 || fps > 240 || gop < 0 || bitRate < 0) {
                throw new CuframesException(
                        ErrorCode.INVALID_ARGUMENT,
                        "size " + width + "x" + height + ", " + fps + " fps, gop " + gop + ", " + bitRate
                                + " bit/s: the size must be even and at least " + FrameStamp.MIN_WIDTH + "x"
                                + FrameStamp.MIN_HEIGHT + ", fps 1 to 240, gop and bit rate more than 0");
            }
            return new TestPatternWriter(new EncoderOptions(
                    url,
                    width,
                    height,
                    fps,
                    codec,
                    gop == 0 ? fps : gop,
                    bitRate == 0 ? Math.max(300_000, (long) width * height * fps / 10) : bitRate));
        }
    }
}
