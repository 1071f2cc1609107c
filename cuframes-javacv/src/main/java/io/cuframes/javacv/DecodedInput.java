// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_unref;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_unref;

import io.cuframes.ColorInfo;
import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.FrameFormat;
import io.cuframes.PixelFormat;
import io.cuframes.TimeBase;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avutil.AVFrame;

/**
 * An input as an endless, or at least long, row of decoded frames: demuxes, decodes, begins again at the end of a looped file, comes back
 * after a loss, and falls back to the CPU where that is allowed. For one thread.
 */
final class DecodedInput implements AutoCloseable {
    /** {@code AV_FRAME_FLAG_CORRUPT} of libavutil/frame.h. */
    private static final int FLAG_CORRUPT = 1;

    /** {@code AV_FRAME_FLAG_KEY}, there too. */
    private static final int FLAG_KEY = 1 << 1;

    private final SourceOptions options;
    private final InterruptGate gate;
    private final Backoff backoff;
    private final AVPacket packet;
    private final PtsClock clock;
    private Demuxer demuxer;
    private FrameDecoder decoder;
    private CaptureClock captureClock;
    private ColorInfo announcedColor;
    private long ptsNanos;
    private long captureNanos = CaptureClock.UNKNOWN;
    private boolean keyFrame;
    private long lastFrameAt = System.nanoTime();
    private long framesSinceStart;
    private boolean drained;
    private boolean over;
    private volatile FrameFormat format;
    private volatile TimeBase timeBase;
    private volatile VideoSource.Decoder kind;
    private volatile String description;
    private volatile List<Long> threads = List.of();
    private volatile long deviceBytes;
    private final AtomicLong errors = new AtomicLong();

    /** Opens, probes and prepares the decoder; if that fails, nothing is left open. */
    DecodedInput(SourceOptions options, InterruptGate gate) {
        this.options = options;
        this.gate = gate;
        this.backoff =
                new Backoff(options.listen() ? Backoff.FIRST : Backoff.LONGEST); // who listens keeps no one waiting
        this.packet = Ffmpeg.allocated(av_packet_alloc(), "a packet");
        try {
            open();
            this.clock = new PtsClock(demuxer);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private void open() {
        demuxer = Demuxer.open(options, gate);
        decoder = chooseDecoder();
        captureClock = new CaptureClock(demuxer);
        timeBase = demuxer.timeBase();
        framesSinceStart = 0;
        drained = false;
        announcedColor = StreamColor.of(demuxer.parameters());
        fitTo(demuxer.parameters().width(), demuxer.parameters().height(), announcedColor);
    }

    private FrameDecoder chooseDecoder() {
        if (options.decoder() != VideoSource.Decoder.CPU) {
            try {
                return new NvdecDecoder(demuxer, options.device());
            } catch (CuframesException e) {
                if (options.decoder() == VideoSource.Decoder.NVDEC) {
                    throw new CuframesException(e.code(), options.url() + ": " + e.getMessage(), e);
                }
                options.listener().fellBack(e.getMessage());
            }
        }
        return new CpuDecoder(demuxer, options.url().isNetwork());
    }

    /** Takes note of what frames are like: it is in the format and the description. */
    private void fitTo(int width, int height, ColorInfo color) {
        int evenWidth = width & ~1;
        int evenHeight = height & ~1;
        if (!isFormat(evenWidth, evenHeight, color)) {
            format = FrameFormat.of(PixelFormat.NV12, evenWidth, evenHeight, color);
        }
        kind = decoder.kind();
        threads = decoder.threads();
        description = demuxer.codecName() + " " + evenWidth + "x" + evenHeight + demuxer.rateText()
                + (kind == VideoSource.Decoder.CPU ? ", CPU" : ", NVDEC on device " + options.device())
                + decoder.conversion()
                + demuxer.presentation();
    }

    private boolean isFormat(int evenWidth, int evenHeight, ColorInfo color) {
        FrameFormat known = format;
        return known != null
                && known.width() == evenWidth
                && known.height() == evenHeight
                && known.color().equals(color);
    }

    /**
     * Decodes the next frame.
     *
     * @return false if the input is over or interrupted
     */
    boolean next(AVFrame frame) {
        if (demuxer == null && !resume()) {
            return false;
        }
        while (!gate.stopped()) {
            int status = decoder.receive(frame);
            if (decoder.refusal() != null) {
                av_frame_unref(frame);
                fallBack();
            } else if (status >= 0) {
                accept(frame);
                return true;
            } else if (status == AVERROR_EOF) {
                if (!beginAgain()) {
                    return false;
                }
            } else {
                if (status != Ffmpeg.AGAIN) {
                    countError();
                }
                feed();
            }
        }
        return false;
    }

    private void accept(AVFrame frame) {
        if ((frame.flags() & FLAG_CORRUPT) != 0 || frame.decode_error_flags() != 0) {
            countError();
        }
        lastFrameAt = System.nanoTime();
        deviceBytes = decoder.deviceBytes();
        framesSinceStart++;
        backoff.reset();
        ptsNanos = clock.next(frame.best_effort_timestamp());
        captureNanos = captureClock.nanosAt(frame.pts());
        keyFrame = (frame.flags() & FLAG_KEY) != 0;
        ColorInfo color = StreamColor.of(frame, announcedColor);
        if (!isFormat(frame.width() & ~1, frame.height() & ~1, color)) {
            fitTo(frame.width(), frame.height(), color);
        }
    }

    private void countError() {
        errors.incrementAndGet();
    }

    /** Gives the decoder the next packet, or the news that none comes any more. */
    private void feed() {
        if (drained) {
            return;
        }
        switch (demuxer.read(packet)) {
            case PACKET -> {
                captureClock.packet(packet.pts(), demuxer.wallMicros(packet));
                decode();
                av_packet_unref(packet);
            }
            case DAMAGED -> countError();
            case END, LOST -> {
                decoder.send(null);
                drained = true;
            }
        }
    }

    private void decode() {
        int status = decoder.send(packet);
        if (decoder.refusal() != null) {
            fallBack();
            status = decoder.send(packet);
        }
        if (status < 0) {
            countError();
        }
    }

    private void fallBack() {
        String reason = decoder.refusal();
        if (options.decoder() == VideoSource.Decoder.NVDEC) {
            throw new CuframesException(ErrorCode.UNSUPPORTED, options.url() + ": " + reason);
        }
        decoder.close();
        decoder = null;
        decoder = new CpuDecoder(demuxer, options.url().isNetwork());
        drained = false;
        fitTo(format.width(), format.height(), format.color());
        options.listener().fellBack(reason);
    }

    /** All that came is decoded. What follows: the file again, the camera once it is back, or nothing. */
    private boolean beginAgain() {
        if (gate.stopped()) {
            return false;
        }
        if (isLoss()) {
            return reconnect();
        }
        if (framesSinceStart == 0) {
            throw new CuframesException(
                    ErrorCode.UNSUPPORTED,
                    "not one frame of " + options.url() + " could be decoded (" + errors
                            + " errors): it is damaged, or no " + demuxer.codecName()
                            + " stream that this build of FFmpeg can decode");
        }
        over = !options.loop();
        return !over && restart();
    }

    /** Whether the end came where none belongs: always for a camera, at an error for a file over HTTP. */
    private boolean isLoss() {
        boolean endsByItself = !options.url().isNetwork() || (options.url().isHttp() && demuxer.hasDuration());
        if (endsByItself && demuxer.ended()) {
            return false;
        }
        if (options.url().isNetwork() && options.reconnect()) {
            return true;
        }
        if (!demuxer.ended()) {
            throw new CuframesException(
                    options.url().isNetwork() ? ErrorCode.DISCONNECTED : ErrorCode.SYSTEM,
                    "reading " + options.url() + " failed: " + demuxer.lossReason());
        }
        return false;
    }

    private boolean restart() {
        decoder.flush();
        clock.restart(0);
        captureClock.restart();
        framesSinceStart = 0;
        drained = false;
        if (!demuxer.rewind()) {
            release();
            open();
        }
        return true;
    }

    private boolean reconnect() {
        String reason = demuxer.lossReason();
        release();
        return openAgain(reason);
    }

    /** Opens the input after waits, as often as it takes. */
    private boolean openAgain(String firstReason) {
        String reason = firstReason;
        while (true) {
            Duration wait = backoff.next();
            options.listener().lost(reason, wait);
            if (!gate.sleep(wait)) {
                return false;
            }
            try {
                open();
                break;
            } catch (CuframesException e) {
                release();
                if (gate.stopped()) {
                    return false;
                }
                reason = e.getMessage();
            }
        }
        clock.restart(demuxer, System.nanoTime() - lastFrameAt);
        options.listener().restored(description);
        return true;
    }

    /** Lets go of the decoder and the input until the next call of {@link #next}. */
    void rest() {
        release();
        backoff.reset();
    }

    /** Opens what was let go of. */
    private boolean resume() {
        if (gate.stopped()) {
            return false;
        }
        try {
            open();
        } catch (CuframesException e) {
            release();
            if (gate.stopped()) {
                return false;
            }
            if (options.url().isNetwork() && options.reconnect()) {
                return openAgain(e.getMessage());
            }
            throw e;
        }
        clock.restart(demuxer, System.nanoTime() - lastFrameAt);
        return true;
    }

    /** Whether the input came to its end, and is not to begin again. */
    boolean isOver() {
        return over;
    }

    /** The time of the frame that {@link #next} gave. */
    long ptsNanos() {
        return ptsNanos;
    }

    /** When that frame was taken, ns since 1970 UTC by the sender's clock, or {@link CaptureClock#UNKNOWN}. */
    long captureNanos() {
        return captureNanos;
    }

    /** Whether that frame is known to have been coded without reference to another. */
    boolean isKeyFrame() {
        return keyFrame;
    }

    FrameFormat format() {
        return format;
    }

    TimeBase timeBase() {
        return timeBase;
    }

    FrameDecoder decoder() {
        return decoder;
    }

    VideoSource.Decoder kind() {
        return kind;
    }

    String description() {
        return description;
    }

    long errors() {
        return errors.get();
    }

    List<Long> threads() {
        return threads;
    }

    long deviceBytes() {
        return deviceBytes;
    }

    private void release() {
        threads = List.of();
        deviceBytes = 0;
        if (decoder != null) {
            decoder.close();
            decoder = null;
        }
        if (demuxer != null) {
            demuxer.close();
            demuxer = null;
        }
    }

    @Override
    public void close() {
        release();
        av_packet_free(packet);
    }
}
