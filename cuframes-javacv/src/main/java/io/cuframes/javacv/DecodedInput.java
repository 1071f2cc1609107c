// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_unref;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;
import static org.bytedeco.ffmpeg.global.avutil.AV_NOPTS_VALUE;
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
    /** {@code AV_FRAME_FLAG_KEY} of libavutil/frame.h. */
    private static final int FLAG_KEY = 1 << 1;

    private final SourceOptions options;
    private final InterruptGate gate;
    private final Backoff backoff;
    private final AVPacket packet;
    private final PtsClock clock;
    private final ReplayGuard replay = new ReplayGuard();
    private final DamageWatch damage = new DamageWatch();
    private final DecodeProgress progress = new DecodeProgress();
    private Demuxer demuxer;
    private FrameDecoder decoder;
    private CaptureClock captureClock;
    private StreamColor streamColor;
    private Presentation presentation;
    private long ptsNanos;
    private long captureNanos = CaptureClock.UNKNOWN;
    private boolean keyFrame;
    private boolean damaged;
    private long lastFrameAt = System.nanoTime();
    private long framesSinceStart;
    private boolean drained;
    private boolean over;

    /** Whether a second decoder tries, after the first gave hardly a frame. */
    private boolean decoderIsSecond;

    /** Whether a file is read on where it broke off. */
    private boolean isResumed;

    /** Whether the listener was told of a loss, and not yet of the end of it. */
    private boolean lost;

    /** Whether the time goes on after a pause: with the next frame, as long after the last one as it comes. */
    private boolean paused;

    /** That of the last frame, in units of the time base. */
    private long lastTimestamp;

    /** Whether a GPU has decoded a frame of this input: one that refuses it later is short of something. */
    private boolean hardwareHasDecoded;

    private volatile FrameFormat format;
    private volatile TimeBase timeBase;
    private volatile VideoSource.Decoder kind;
    private volatile String description;
    private volatile List<Long> threads = List.of();
    private volatile long deviceBytes;
    private final AtomicLong damagedFrames = new AtomicLong();
    private final AtomicLong heldBack = new AtomicLong();

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
        replay.opened(demuxer);
        damage.opened(demuxer, decoder);
        progress.restart();
        timeBase = demuxer.timeBase();
        framesSinceStart = 0;
        drained = false;
        decoderIsSecond = false;
        isResumed = false;
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
                if (accept(frame)) {
                    return true;
                }
                av_frame_unref(frame);
            } else if (status == AVERROR_EOF) {
                if (!beginAgain()) {
                    return false;
                }
            } else {
                if (status != Ffmpeg.AGAIN) {
                    damage.error();
                }
                if (progress.isOver(demuxer.undecodableNanos()) ? !goOnUndecodable() : !feed()) {
                    return false;
                }
            }
        }
        return false;
    }

    /** Takes note of a frame; false if it is not to be published. */
    private boolean accept(AVFrame frame) {
        if (!damage.isShown(frame)) {
            return false;
        }
        framesSinceStart++;
        boolean isProgress = !DamageWatch.hasErrors(frame) && progress.frame(); // what is concealed may be noise
        if (isProgress) {
            decoderIsSecond = false;
            backoff.reset();
        }
        if (replay.isReplayed(frame.best_effort_timestamp())) {
            return false;
        }
        keyFrame = (frame.flags() & FLAG_KEY) != 0;
        keepTime(frame);
        damaged = damage.isDamaged(frame, keyFrame, ptsNanos);
        deviceBytes = decoder.deviceBytes();
        hardwareHasDecoded |= decoder.kind() == VideoSource.Decoder.NVDEC;
        ColorInfo color = streamColor.of(frame);
        boolean isOther = presentation.note(frame);
        if (isOther || !isFormat(presentation.evenWidth(), presentation.evenHeight(), color)) {
            fitTo(color);
        }
        if (lost && isProgress) {
            lost = false;
            options.listener().restored(description);
        }
        return !damaged || !isHeldBack();
    }

    private void keepTime(AVFrame frame) {
        long now = System.nanoTime();
        long timestamp = frame.best_effort_timestamp();
        replay.published(timestamp);
        if (timestamp != AV_NOPTS_VALUE) {
            lastTimestamp = timestamp;
        }
        if (replay.hasResumed()) {
            clock.use(demuxer);
        } else if (paused) {
            clock.use(demuxer);
            clock.restart(now - lastFrameAt);
        }
        paused = false;
        lastFrameAt = now;
        ptsNanos = clock.next(demuxer.isUntimed() ? AV_NOPTS_VALUE : timestamp, demuxer.arrival());
        captureNanos = captureClock.nanosAt(frame.pts());
    }

    private boolean isHeldBack() {
        damagedFrames.incrementAndGet();
        if (options.dropDamaged()) {
            heldBack.incrementAndGet();
        }
        return options.dropDamaged();
    }

    /**
     * Goes on where nothing can be decoded: with a new decoder, since the old one may be what is broken; and if that gives no frame either, with a new
     * connection, for the camera may send something else than it announced.
     *
     * @return false if that was interrupted
     */
    private boolean goOnUndecodable() {
        decoder.requireAlive(); // a lost context looks like this, too
        String reason = progress.words();
        damage.error(); // not every decoder reports each packet
        if (decoderIsSecond) {
            return loseInput(reason);
        }
        tellOfLoss(reason + ": another decoder tries", Duration.ZERO);
        FrameDecoder old = decoder;
        decoder = null;
        try {
            close(old);
            decoder = chooseDecoder();
        } catch (CuframesException e) {
            release(); // nothing is half open where it ends, or is tried again
            if (!isTriedAgain(e)) {
                throw e;
            }
            return openAgain(e.getMessage());
        }
        fitTo(format.color());
        damage.decodedBy(decoder);
        progress.restart();
        decoderIsSecond = true;
        drained = false;
        return true;
    }

    private void tellOfLoss(String reason, Duration retryIn) {
        lost = true;
        options.listener().lost(reason, retryIn);
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
                notePacket();
                try {
                    return decode();
                } finally {
                    av_packet_unref(packet);
                }
            }
            case DAMAGED -> damage.error();
            case END, LOST -> {
                decoder.send(null);
                drained = true;
            }
        }
        return true;
    }

    private void notePacket() {
        progress.packet();
        captureClock.packet(packet.pts(), demuxer.wallMicros(packet));
        if (demuxer.mayReplay() && options.reconnect()) {
            replay.packet(packet);
        }
        damage.packet(packet);
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
            damage.error();
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
        damage.decodedBy(decoder);
        drained = false;
        fitTo(format.color());
        options.listener().fellBack(reason);
    }

    /** All that came is decoded. What follows: the file again, the camera once it is back, or nothing. */
    private boolean beginAgain() {
        if (gate.stopped()) {
            return false;
        }
        if (demuxer.isSegmented() && demuxer.ended() && !demuxer.hasDuration()) {
            return lookAtPlaylist();
        }
        if (isLoss()) {
            return loseInput(demuxer.lossReason());
        }
        if (framesSinceStart == 0 && !isResumed) { // what is read on may have nothing left
            throw OpenError.undecodable(options, demuxer.codecName(), errors());
        }
        over = !options.loop();
        return !over && restart();
    }

    /** A live playlist was read to its end: that it is complete by now, or that the server has failed, shows when it is opened again. */
    private boolean lookAtPlaylist() {
        String reason = demuxer.lossReason();
        if (!options.reconnect()) {
            over = true;
            return false;
        }
        release();
        try {
            open();
        } catch (CuframesException e) {
            release();
            if (!gate.stopped() && !isTriedAgain(e)) {
                throw e;
            }
            return !gate.stopped() && openAgain(e.getMessage());
        }
        paused = true;
        if (!demuxer.hasDuration()) {
            tellOfLoss(reason, Duration.ZERO);
        }
        return true;
    }

    /** Whether the end came where none belongs: always for a camera, at an error for a file over HTTP. */
    private boolean isLoss() {
        boolean isVideoOnDemand = demuxer.hasDuration() && (options.url().isHttp() || demuxer.isSegmented());
        boolean endsByItself = !options.url().isNetwork() || !demuxer.isLive() || isVideoOnDemand;
        if (endsByItself && demuxer.ended()) {
            return false;
        }
        if (options.url().isNetwork() && options.reconnect()) {
            return true;
        }
        if (!demuxer.ended()) {
            throw OpenError.lost(options, demuxer.lossReason());
        }
        return false;
    }

    private boolean restart() {
        decoder.flush();
        clock.restart(0);
        captureClock.restart();
        replay.forget();
        framesSinceStart = 0;
        drained = false;
        damage.restart();
        progress.restart();
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

    /** Closes the input, and opens it again if that is wanted. */
    private boolean loseInput(String reason) {
        if (!options.url().isNetwork() || !options.reconnect()) {
            throw OpenError.lost(options, reason);
        }
        release();
        if (!openAgain(reason)) {
            return false;
        }
        if (!demuxer.isLive() && demuxer.seekBefore(lastTimestamp)) {
            replay.resumeFile();
            isResumed = true;
        }
        return true;
    }

    /** Opens the input after waits, as often as it takes; an error that does not pass by itself ends that. */
    private boolean openAgain(String firstReason) {
        String reason = firstReason;
        while (true) {
            Duration wait = backoff.next();
            tellOfLoss(reason, wait);
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
                if (!isTriedAgain(e)) {
                    throw e;
                }
                reason = e.getMessage();
            }
        }
        paused = true;
        return true;
    }

    /** Lets go of the decoder and the input until the next call of {@link #next}. */
    void rest() {
        if (demuxer != null && !demuxer.isLive()) {
            replay.forget(); // a file begins at its beginning again
        }
        release();
        lost = false;
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
        paused = true;
        return true;
    }

    /** Whether an input that was open before is tried again: where it is a camera's, and where only the GPU is short of something. */
    private boolean isTriedAgain(CuframesException e) {
        boolean isCamera = options.url().isNetwork() && options.reconnect();
        return e.isPassing() && (isCamera || e instanceof CudaException);
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

    /** Whether that frame's pixels may be wrong. */
    boolean isDamaged() {
        return damaged;
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
        return damage.errors();
    }

    long damagedFrames() {
        return damagedFrames.get();
    }

    long heldBack() {
        return heldBack.get();
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
        Steps.runAll(() -> close(oldDecoder), damage::close, () -> {
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
