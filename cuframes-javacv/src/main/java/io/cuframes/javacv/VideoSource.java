// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.FrameFormat;
import io.cuframes.Publisher;
import io.cuframes.TimeBase;
import io.cuframes.WritableFrame;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/**
 * A camera or a file, decoded into a {@link Publisher}: on the GPU by NVDEC, straight from the decoder's surface into the ring, or on the CPU.
 *
 * <pre>{@code
 * try (VideoSource source = VideoSource.builder("rtsp://camera/stream").open();
 *         Publisher publisher = Publisher.builder("cam1")
 *                 .size(source.format().width(), source.format().height())
 *                 .color(source.format().color())
 *                 .timeBase(source.timeBase())
 *                 .open()) {
 *     while (source.publishNext(publisher) != VideoSource.Status.END) {
 *         // FORMAT_CHANGED: go on with publisher.reopen(source.format())
 *     }
 * }
 * }</pre>
 *
 * <p>Frames carry their presentation time, in nanoseconds that always rise; whether they are key frames; and, from RTSP and RTP, when they were
 * taken, once the sender has told so in an RTCP sender report. That is by the sender's clock, the camera's, which may be wrong. Before the first
 * report, which some senders send at once and others after seconds, the time is unknown and not guessed; so it is again after a reconnect, and for
 * everything that comes from files.
 *
 * <p>One thread at a time calls {@link #publishNext}. {@link #interrupt()}, {@link #close()} and the plain accessors are safe from any thread.
 * Credentials in a URL appear in no text of this class, and in none of FFmpeg's log.
 */
public final class VideoSource implements AutoCloseable {
    /** Where frames are decoded. */
    public enum Decoder {
        /** On the GPU where there is a CUDA device and NVDEC knows the stream's codec and format; else on the CPU, and the listener is told. */
        AUTO,
        /** On the GPU, or not at all. */
        NVDEC,
        /** On the CPU. */
        CPU
    }

    /** How RTSP carries the media. */
    public enum RtspTransport {
        /** Interleaved in the RTSP connection: nothing is lost, and it passes firewalls. */
        TCP,
        /** Datagrams: lower delay on a bad network, at the price of damaged frames. */
        UDP
    }

    /** What became of a call of {@link #publishNext}. */
    public enum Status {
        /** A frame was published. */
        PUBLISHED,
        /**
         * A frame was decoded and dropped: every slot is being read, or the GPU is stuck or short of memory, which {@link Listener#stalled} hears
         * of. Call again.
         */
        DROPPED,
        /** The input is over, or {@link #interrupt()} was called. */
        END,
        /**
         * Nobody wants frames now ({@link Builder#demand}): the input and the decoder are closed. Call again once somebody does.
         */
        IDLE,
        /**
         * The next frame has another pixel format, size or colours than the publisher. It is kept: call again with {@link Publisher#reopen} of
         * {@link #format()}, or with another publisher of that format. The old one may be closed first.
         */
        FORMAT_CHANGED
    }

    /** Hears what happens to the input. Called on the thread that calls {@link #publishNext}, or {@link Builder#open()}. */
    public interface Listener {
        /**
         * The input is lost, or another attempt to get it back has failed.
         *
         * @param reason why, in words
         * @param retryIn when the next attempt comes
         */
        default void lost(String reason, Duration retryIn) {}

        /**
         * The input is back.
         *
         * @param description as {@link VideoSource#describe()}
         */
        default void restored(String description) {}

        /**
         * With {@link Decoder#AUTO}: the CPU decodes because the GPU cannot.
         *
         * @param reason why, in words
         */
        default void fellBack(String reason) {}

        /**
         * The GPU does not go on: frames are dropped until it does. Called once for each stall.
         *
         * @param reason why, in words
         */
        default void stalled(String reason) {}

        /** The GPU goes on: the first frame after a stall is published. */
        default void resumed() {}
    }

    private final ReentrantLock lock = new ReentrantLock();
    private final InterruptGate gate;
    private final DecodedInput input;
    private final FramePair frames;

    /** Made once: it is wanted for each frame. */
    private final Runnable gpuCheck;

    private final Pacer pacer;
    private final GpuStall stall;
    private final int device;
    private boolean pending;
    private boolean closed;

    private VideoSource(SourceOptions options) {
        Ffmpeg.load();
        this.gate = new InterruptGate(options.demand());
        this.device = options.device();
        DecodedInput opened = null;
        try {
            this.pacer = options.realtime() ? new Pacer(gate) : null;
            this.stall = new GpuStall(options.listener());
            opened = new DecodedInput(options, gate);
            this.frames = new FramePair();
        } catch (RuntimeException | Error e) {
            if (opened != null) {
                Steps.runAllAfter(e, opened::close);
            }
            gate.close();
            throw e;
        }
        this.input = opened;
        this.gpuCheck = opened::requireGpu;
    }

    /**
     * Begins a source.
     *
     * @param url a URL that FFmpeg knows (rtsp, rtmp, http, udp, srt and so on), or the path of a file
     * @return a builder
     */
    public static Builder builder(String url) {
        return new Builder(url);
    }

    /**
     * Hides the credentials of every URL in a text, for whoever shows or logs URLs: users and passwords before an at sign, and parameters that
     * are called like passwords and tokens. What is secret in a URL's path cannot be told from a path, and stays.
     *
     * @param text any text
     * @return the text, with three asterisks for each
     */
    public static String hideCredentials(String text) {
        return Credentials.hideInText(text);
    }

    /**
     * Decodes the next frame and publishes it. Waits for the input; with {@link Builder#realtime} until the frame is due; with {@link
     * Builder#reconnect} as long as it takes for a lost input to come back.
     *
     * <p>An NVDEC surface is copied to a device ring once per plane, on the GPU's legacy default stream; the ring must be on the decoder's
     * device. Damaged packets and frames are counted in {@link #errors()} and do not end the stream.
     *
     * <p>What may pass by itself ({@link CuframesException#isPassing()}) does not end the stream either. While the GPU is stuck or very busy this
     * waits for it, and drops frames; {@link Listener#stalled} hears of it. Where the GPU has no memory for a decoder that is opened again, another
     * attempt follows, as for a lost input.
     *
     * @param publisher where the frame goes, of {@link #format()}
     * @return what became of it
     * @throws CuframesException code INVALID_ARGUMENT if NVDEC decodes on another device than that of a device ring: the frame is kept; DISCONNECTED
     *     if a network input is lost that is not to be reconnected, SYSTEM if a file cannot be read on, UNSUPPORTED if nothing of the input can be
     *     decoded, CUDA if a copy on the GPU fails
     * @throws io.cuframes.CudaException if a call of CUDA fails, the context being lost for example: {@link
     *     io.cuframes.CudaException#isContextLost()}
     * @throws IllegalStateException if the source is closed
     */
    public Status publishNext(Publisher publisher) {
        lock.lock();
        try {
            if (!haveFrame()) {
                return endOrIdle();
            }
            if (!suits(publisher.format(), input.format())) {
                return Status.FORMAT_CHANGED;
            }
            requireDevice(publisher);
            if (pacer != null && !pacer.await(input.ptsNanos())) {
                return endOrIdle();
            }
            pending = false;
            return publishUnlessStalled(publisher);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits for the next frame and keeps it for {@link #publishNext}. After this, {@link #format()} is that of the frame, and a publisher of it suits
     * also where the stream announces less than its frames tell.
     *
     * @return false if the input is over, nobody wants frames, or {@link #interrupt()} was called
     * @throws CuframesException as {@link #publishNext}
     * @throws IllegalStateException if the source is closed
     */
    public boolean awaitFrame() {
        lock.lock();
        try {
            return haveFrame();
        } finally {
            lock.unlock();
        }
    }

    private boolean haveFrame() {
        if (closed) {
            throw new IllegalStateException("this source is closed");
        }
        boolean settled = frames.settle(gate, stall, gpuCheck);
        if (settled && !pending && !gate.stopped()) {
            pending = input.next(frames.current());
        }
        return settled && pending && !gate.stopped();
    }

    /** Copies between devices are not what a ring on the decoder's device is for: they take the bus, and need peer access. */
    private void requireDevice(Publisher publisher) {
        if (input.kind() == Decoder.NVDEC && publisher.transport().isDevice() && publisher.device() != device) {
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT,
                    "NVDEC decodes on device " + device + ", and the ring of \"" + publisher.key() + "\" is on device "
                            + publisher.device()
                            + ": give VideoSource.Builder.device and Publisher.Builder.device the same");
        }
    }

    /** Why there is no frame. Where nobody wants one, nothing is left open. */
    private Status endOrIdle() {
        if (gate.interrupted() || input.isOver()) {
            return Status.END;
        }
        pending = false;
        frames.drop();
        input.rest();
        return Status.IDLE;
    }

    /** Whether frames can go into a ring as they are, whatever its pitches. */
    private static boolean suits(FrameFormat ring, FrameFormat frames) {
        return ring.pixelFormat() == frames.pixelFormat()
                && ring.width() == frames.width()
                && ring.height() == frames.height()
                && ring.color().equals(frames.color());
    }

    private Status publishUnlessStalled(Publisher publisher) {
        try {
            Status status = publishPending(publisher);
            if (status == Status.PUBLISHED) {
                stall.isOver();
            }
            return status;
        } catch (CuframesException e) {
            if (!e.isPassing()) {
                throw e;
            }
            frames.drop();
            input.requireGpu(); // a GPU that is lost looks like one that is slow
            stall.began(e.getMessage());
            return Status.DROPPED;
        }
    }

    private Status publishPending(Publisher publisher) {
        try (WritableFrame slot = publisher.acquire()) {
            if (slot == null) {
                frames.drop();
                return Status.DROPPED;
            }
            boolean deviceRing = publisher.transport().isDevice();
            input.decoder().copy(frames.current(), slot, deviceRing);
            slot.keyFrame(input.isKeyFrame());
            if (input.captureNanos() != CaptureClock.UNKNOWN) {
                slot.captureTimeNanos(input.captureNanos());
            }
            long seq = slot.publish(0, input.ptsNanos());
            if (deviceRing && input.kind() == Decoder.NVDEC) {
                frames.keepUntilAnnounced(publisher, seq);
            } else {
                frames.drop();
            }
            return Status.PUBLISHED;
        }
    }

    /**
     * The frames' geometry and colours, as of the last frame decoded; before the first, as the stream announces them, which may be less than its
     * frames tell ({@link #awaitFrame}).
     *
     * @return NV12, of even width and height
     */
    public FrameFormat format() {
        return input.format();
    }

    /**
     * What the stream's timestamps count in.
     *
     * @return the time base of the input opened last, or {@link TimeBase#UNKNOWN}
     */
    public TimeBase timeBase() {
        return input.timeBase();
    }

    /**
     * Where frames are decoded.
     *
     * @return {@link Decoder#NVDEC} or {@link Decoder#CPU}
     */
    public Decoder decoder() {
        return input.kind();
    }

    /**
     * The source in words, such as {@code h264 1920x1080 25 fps, NVDEC on device 0}.
     *
     * @return codec, size, rate, decoder, and what is done to the frames besides
     */
    public String describe() {
        return input.description();
    }

    /**
     * Packets and frames that were damaged.
     *
     * @return their number so far
     */
    public long errors() {
        return input.errors();
    }

    /**
     * Frames that were known to be damaged, published ({@link io.cuframes.Frame#isDamaged()}) or held back ({@link Builder#dropDamaged}): the decoder
     * reported an error in them or in one that they are predicted from.
     *
     * @return their number so far
     */
    public long damaged() {
        return 0; // nothing finds them yet
    }

    /**
     * Frames that were not published because they were known to be damaged ({@link Builder#dropDamaged}).
     *
     * @return their number so far, at most {@link #damaged()}
     */
    public long heldBack() {
        return 0; // as damaged()
    }

    /**
     * The operating system's numbers of the threads that the decoder runs beside the one that calls {@link #publishNext}: FFmpeg's own, where the
     * CPU decodes. For who accounts for their time.
     *
     * @return thread ids as {@code /proc/self/task} has them; empty where there are none, and while the input is closed
     */
    public List<Long> decoderThreads() {
        return input.threads();
    }

    /**
     * The device memory of the decoder's surfaces: those that NVDEC decodes to, and as many that it hands out, computed from their size and number.
     * What the driver keeps besides for a decoder, bitstream buffers for example, it does not tell.
     *
     * @return bytes; 0 on the CPU, before the first frame, and while the input is closed
     */
    public long decoderDeviceBytes() {
        return input.deviceBytes();
    }

    /** Has {@link #publishNext}, now and in future, return {@link Status#END} promptly. A name look-up in progress is waited for. */
    public void interrupt() {
        gate.interrupt();
    }

    /** Interrupts, waits for {@link #publishNext} to return, and frees the decoder and the input. Closing twice closes once. */
    @Override
    public void close() {
        gate.interrupt();
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            Steps.runAll(frames::close, input::close, gate::close);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Says what a source is to be; {@link #open()} checks it all at once. A service that publishes a camera by itself, for as long as it runs:
     *
     * <pre>{@code
     * VideoSource.Builder camera = VideoSource.builder("rtsp://user:password@camera/stream")
     *         .decoder(VideoSource.Decoder.AUTO) // NVDEC if it can, else the CPU, which is logged
     *         .openTimeout(Duration.ofSeconds(10)) // for the first connection; failing that, open() throws
     *         .readTimeout(Duration.ofSeconds(5)) // a camera silent for so long is lost, and tried again
     *         .listener(events); // losses and returns; to the log unless said
     * try (VideoSource source = camera.open()) {
     *     source.awaitFrame(); // now the format is known for sure
     *     Publisher publisher = Publisher.builder("cam1")
     *             .size(source.format().width(), source.format().height())
     *             .color(source.format().color())
     *             .timeBase(source.timeBase())
     *             .open();
     *     try {
     *         VideoSource.Status status = source.publishNext(publisher);
     *         while (status != VideoSource.Status.END) { // after source.interrupt(), from another thread
     *             if (status == VideoSource.Status.FORMAT_CHANGED) {
     *                 publisher = publisher.reopen(source.format()); // readers that reconnect follow
     *             }
     *             status = source.publishNext(publisher);
     *         }
     *     } finally {
     *         publisher.close();
     *     }
     * }
     * }</pre>
     *
     * <p>What becomes of odd sizes, of other samples than 8-bit 4:2:0, of interlaced and rotated video and of times that jump is in
     * docs/integration.md; {@link VideoSource#describe()} says what is done to the stream at hand.
     *
     * <p>Not thread-safe.
     */
    public static final class Builder {
        private final SourceUrl url;
        private Decoder decoder = Decoder.AUTO;
        private int device;
        private RtspTransport rtspTransport = RtspTransport.TCP;
        private boolean listen;
        private boolean loop;
        private boolean realtime;
        private boolean reconnect;
        private Duration openTimeout = Duration.ofSeconds(10);
        private Duration readTimeout = Duration.ofSeconds(5);
        private BooleanSupplier demand = () -> true;
        private Listener listener;
        private SourceOptions.HardwareDecoders hardware = NvdecDecoder::new;

        private Builder(String url) {
            this.url = new SourceUrl(Objects.requireNonNull(url, "url"));
            this.reconnect = this.url.isNetwork();
        }

        /**
         * Where frames are decoded; {@link Decoder#AUTO} unless said.
         *
         * @param newDecoder the decoder
         * @return this
         */
        public Builder decoder(Decoder newDecoder) {
            decoder = Objects.requireNonNull(newDecoder);
            return this;
        }

        /**
         * The CUDA device for NVDEC; 0 unless said. A device ring must be on the same one: {@link VideoSource#publishNext} refuses another.
         *
         * @param ordinal as this process counts its devices
         * @return this
         */
        public Builder device(int ordinal) {
            device = ordinal;
            return this;
        }

        /**
         * How RTSP carries the media; {@link RtspTransport#TCP} unless said.
         *
         * @param transport TCP or UDP
         * @return this
         */
        public Builder rtspTransport(RtspTransport transport) {
            rtspTransport = Objects.requireNonNull(transport);
            return this;
        }

        /**
         * Wait at the URL's address for a sender that pushes, instead of connecting to one. {@link #open()} waits for the sender at most {@link
         * #openTimeout}.
         *
         * @param newListen whether to listen; not unless said
         * @return this
         */
        public Builder listen(boolean newListen) {
            listen = newListen;
            return this;
        }

        /**
         * A file begins again at its end; timestamps go on rising.
         *
         * @param newLoop whether to loop; not unless said
         * @return this
         */
        public Builder loop(boolean newLoop) {
            loop = newLoop;
            return this;
        }

        /**
         * Deliver at the pace of the timestamps rather than as fast as it decodes. For files; a camera has its own pace.
         *
         * @param newRealtime whether to pace; not unless said
         * @return this
         */
        public Builder realtime(boolean newRealtime) {
            realtime = newRealtime;
            return this;
        }

        /**
         * Connect again when a network input is lost: after 0.5 s, then twice as long each time up to 10 s, until closed. Files are not affected.
         *
         * @param newReconnect whether to; as said by default for network URLs
         * @return this
         */
        public Builder reconnect(boolean newReconnect) {
            reconnect = newReconnect;
            return this;
        }

        /**
         * How long opening and probing may take; 10 s unless said.
         *
         * @param timeout more than 0
         * @return this
         */
        public Builder openTimeout(Duration timeout) {
            openTimeout = Objects.requireNonNull(timeout);
            return this;
        }

        /**
         * A network input that delivers nothing for this long is lost; 5 s unless said.
         *
         * @param timeout more than 0
         * @return this
         */
        public Builder readTimeout(Duration timeout) {
            readTimeout = Objects.requireNonNull(timeout);
            return this;
        }

        /**
         * Hold back frames that are known to be damaged, instead of publishing them with a mark ({@link io.cuframes.Frame#isDamaged()}). Readers then
         * see the last good frame until the decoder is right again, at the next key frame for example.
         *
         * @param newDropDamaged whether to hold them back; default: no
         * @return this
         */
        public Builder dropDamaged(boolean newDropDamaged) {
            return this; // nothing finds damaged frames yet, so that there are none to hold back
        }

        /**
         * Whether anybody wants frames; always unless said. As soon as nobody does, also while an input is being opened or tried again, {@link
         * #publishNext} closes the decoder and the input and returns {@link Status#IDLE}; called again with somebody there, it opens both
         * anew: a camera is connected to, a file begins at its beginning. {@link #open()} needs somebody too.
         *
         * @param newDemand asked often, on any thread: it must be quick, and thread-safe
         * @return this
         */
        public Builder demand(BooleanSupplier newDemand) {
            demand = Objects.requireNonNull(newDemand);
            return this;
        }

        /**
         * Who hears of losses and fall-backs. Unless said they are logged, by the {@link System.Logger} that is named after {@link VideoSource}.
         *
         * @param newListener the listener
         * @return this
         */
        public Builder listener(Listener newListener) {
            listener = Objects.requireNonNull(newListener);
            return this;
        }

        /** For tests: what decodes in place of NVDEC. */
        Builder hardware(SourceOptions.HardwareDecoders newHardware) {
            hardware = newHardware;
            return this;
        }

        /**
         * Opens and probes the input and prepares the decoder.
         *
         * @return the source, to be closed
         * @throws CuframesException code INVALID_ARGUMENT for what is out of range; NOT_FOUND, ACCESS_DENIED, TIMEOUT or SYSTEM if the input
         *     cannot be opened; UNSUPPORTED if it has no video, its codec is not known, or FFmpeg's natives are not there; CUDA if NVDEC is wanted
         *     and its device is not there
         */
        public VideoSource open() {
            if (device < 0 || !isPositive(openTimeout) || !isPositive(readTimeout)) {
                throw new CuframesException(
                        ErrorCode.INVALID_ARGUMENT,
                        "device is " + device + ", openTimeout " + openTimeout + ", readTimeout " + readTimeout
                                + ": the device must be 0 or more and the timeouts longer than 0");
            }
            return new VideoSource(new SourceOptions(
                    url,
                    decoder,
                    device,
                    rtspTransport,
                    listen,
                    loop,
                    realtime,
                    reconnect,
                    openTimeout,
                    readTimeout,
                    demand,
                    listener == null ? new SourceLog(url) : listener,
                    hardware));
        }

        private static boolean isPositive(Duration timeout) {
            return timeout.compareTo(Duration.ZERO) > 0;
        }
    }
}
