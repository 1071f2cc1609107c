// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_unref;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_unref;

import io.cuframes.ColorInfo;
import io.cuframes.CudaException;
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
    private StreamColor streamColor;
    private Presentation presentation;
    private long ptsNanos;
    private long captureNanos = CaptureClock.UNKNOWN;
    private boolean keyFrame;
    private long lastFrameAt = System.nanoTime();
    private long framesSinceStart;
    private boolean drained;
    private boolean over;

    /** Whether a GPU has decoded a frame of this input: one that refuses it later is short of something. */
    private boolean hardwareHasDecoded;

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
        } catch (RuntimeException | Error e) {
            Steps.runAllAfter(e, this::close);
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
        streamColor = new StreamColor(demuxer.parameters());
        presentation = new Presentation(demuxer.stream());
        fitTo(streamColor.announced());
    }

    private FrameDecoder chooseDecoder() {
        if (options.decoder() != VideoSource.Decoder.CPU) {
            try {
                return options.hardware().open(demuxer, options.device());
            } catch (CuframesException e) {
                if (options.decoder() == VideoSource.Decoder.NVDEC) {
                    throw named(e);
                }
                options.listener().fellBack(e.getMessage());
            }
        }
        return new CpuDecoder(demuxer, options.url().isNetwork());
    }

    /** The same error with the input's name before it; whether it may pass is known as before. */
    private CuframesException named(CuframesException e) {
        String message = options.url() + ": " + e.getMessage();
        if (e instanceof CudaException cuda) {
            CudaException named = new CudaException(cuda.call(), cuda.status(), message);
            named.addSuppressed(e); // it takes no cause
            return named;
        }
        return new CuframesException(e.code(), message, e);
    }

    /** Takes note of what frames are like: it is in the format and the description. */
    private void fitTo(ColorInfo color) {
        int evenWidth = presentation.evenWidth();
        int evenHeight = presentation.evenHeight();
        if (!isFormat(evenWidth, evenHeight, color)) {
            format = FrameFormat.of(PixelFormat.NV12, evenWidth, evenHeight, color);
        }
        kind = decoder.kind();
        threads = decoder.threads();
        description = demuxer.codecName() + " " + evenWidth + "x" + evenHeight
                + (demuxer.rateText().isEmpty() ? "" : " " + demuxer.rateText())
                + (kind == VideoSource.Decoder.CPU ? ", CPU" : ", NVDEC on device " + options.device())
                + decoder.conversion(presentation.pixelFormat())
                + presentation.words();
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
        while (!gate.stopped()) {
            if (demuxer == null && !resume()) {
                return false;
            }
            int status = decoder.receive(frame);
            if (decoder.refusal() != null) {
                av_frame_unref(frame);
                if (!goOnAfterRefusal()) {
                    return false;
                }
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
                if (!feed()) {
                    return false;
                }
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
        hardwareHasDecoded |= decoder.kind() == VideoSource.Decoder.NVDEC;
        backoff.reset();
        ptsNanos = clock.next(frame.best_effort_timestamp());
        captureNanos = captureClock.nanosAt(frame.pts());
        keyFrame = (frame.flags() & FLAG_KEY) != 0;
        ColorInfo color = streamColor.of(frame);
        boolean isOther = presentation.note(frame);
        if (isOther || !isFormat(presentation.evenWidth(), presentation.evenHeight(), color)) {
            fitTo(color);
        }
    }

    private void countError() {
        errors.incrementAndGet();
    }

    /**
     * Gives the decoder the next packet, or the news that none comes any more.
     *
     * @return false if the input is over or interrupted
     */
    private boolean feed() {
        if (drained) {
            return true;
        }
        switch (demuxer.read(packet)) {
            case PACKET -> {
                captureClock.packet(packet.pts(), demuxer.wallMicros(packet));
                try {
                    return decode();
                } finally {
                    av_packet_unref(packet);
                }
            }
            case DAMAGED -> countError();
            case END, LOST -> {
                decoder.send(null);
                drained = true;
            }
        }
        return true;
    }

    private boolean decode() {
        int status = decoder.send(packet);
        if (decoder.refusal() != null) {
            FrameDecoder refused = decoder;
            if (!goOnAfterRefusal()) {
                return false;
            }
            if (refused.kind() == decoder.kind()) {
                return true; // the input is open again, and this packet is not of it
            }
            status = decoder.send(packet);
        }
        if (status < 0) {
            countError();
        }
        return true;
    }

    /**
     * Goes on where the GPU refuses the stream: on the CPU, if that is allowed; else on the GPU again, from the input's beginning, if it has decoded this
     * input before, and so lacks a decoder or memory now.
     *
     * @return false if that was interrupted
     */
    private boolean goOnAfterRefusal() {
        String reason = decoder.refusal();
        if (options.decoder() != VideoSource.Decoder.NVDEC) {
            fallBack(reason);
            return true;
        }
        if (!hardwareHasDecoded || !decoder.refusalMayPass()) {
            throw new CuframesException(ErrorCode.UNSUPPORTED, options.url() + ": " + reason);
        }
        release();
        return openAgain(reason);
    }

    private void fallBack(String reason) {
        FrameDecoder refused = decoder;
        decoder = null;
        close(refused);
        decoder = new CpuDecoder(demuxer, options.url().isNetwork());
        drained = false;
        fitTo(format.color());
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
        return demuxer.rewind() || reopenAtBeginning();
    }

    private boolean reopenAtBeginning() {
        release();
        try {
            open();
            return true;
        } catch (CuframesException e) {
            release();
            if (!isTriedAgain(e)) {
                throw e;
            }
            return openAgain(e.getMessage());
        }
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
                if (isContextLost(e)) {
                    throw e;
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
            if (isTriedAgain(e)) {
                return openAgain(e.getMessage());
            }
            throw e;
        }
        clock.restart(demuxer, System.nanoTime() - lastFrameAt);
        return true;
    }

    /** Whether an input that was open before is tried again: where it is a camera's, and where only the GPU is short of something. */
    private boolean isTriedAgain(CuframesException e) {
        boolean isCamera = options.url().isNetwork() && options.reconnect();
        return !isContextLost(e) && (isCamera || (e instanceof CudaException && e.isPassing()));
    }

    private static boolean isContextLost(CuframesException e) {
        return e instanceof CudaException cuda && cuda.isContextLost();
    }

    /**
     * Looks whether the GPU that decodes is still there.
     *
     * @throws CudaException if its context is lost
     */
    void requireGpu() {
        if (decoder != null) {
            decoder.requireAlive();
        }
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
        FrameDecoder oldDecoder = decoder;
        Demuxer oldDemuxer = demuxer;
        decoder = null;
        demuxer = null;
        Steps.runAll(() -> close(oldDecoder), () -> {
            if (oldDemuxer != null) {
                oldDemuxer.close();
            }
        });
    }

    private static void close(FrameDecoder old) {
        if (old != null) {
            old.close();
        }
    }

    /** Closing twice closes once. */
    @Override
    public void close() {
        Steps.runAll(this::release, () -> av_packet_free(packet));
    }
}
