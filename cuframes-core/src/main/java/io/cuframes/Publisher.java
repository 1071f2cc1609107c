// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.internal.connect.StreamKey;
import io.cuframes.internal.cuda.Cuda;
import io.cuframes.internal.cuda.CudaDevice;
import io.cuframes.internal.os.Futex;
import io.cuframes.internal.protocol.MessageDescriptor;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.SegmentHeader;
import io.cuframes.internal.protocol.Shared;
import io.cuframes.internal.protocol.SlotDescriptor;
import io.cuframes.internal.ring.RingWriter;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The one writer of a stream: a ring of frames that any number of processes read in place.
 *
 * <pre>{@code
 * try (Publisher publisher = Publisher.builder("cam1").size(1920, 1080).open()) {
 *     try (WritableFrame frame = publisher.acquire()) {
 *         // null when every slot is being read
 *         frame.copyPlane(0, luma, lumaPitch);
 *         frame.copyPlane(1, chroma, chromaPitch);
 *         frame.publish(ptsNanos);
 *     }
 * }
 * }</pre>
 *
 * <p>One thread at a time acquires, writes and publishes. {@link #close()} may be called from another thread once that thread has stopped; the
 * plain accessors are safe from any thread.
 */
public final class Publisher implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Publisher.class.getName());

    /** How long a device ring's subscribers have to close after the end before it is freed under them. */
    private static final Duration DRAIN = Duration.ofSeconds(2);

    /** A handle is given out again after this many laps of the ring at the earliest. */
    private static final int HANDLES_PER_SLOT = 4;

    /** How long the publisher waits for its own GPU before it calls it stuck. */
    private static final Duration GPU_PATIENCE = Duration.ofSeconds(2);

    private final Builder settings;
    private final StreamKey key;
    private final FrameFormat format;
    private final Transport transport;
    private final CudaDevice device;
    private final SegmentHeader header;
    private final PublisherParts parts;

    /** The planes of each slot. */
    private final Plane[][] slots;

    /** Handed out in turn, so that one that is kept after it was published is not soon another frame. */
    private final WritableFrame[] frames;

    private int nextFrame;
    private final AtomicBoolean closed = new AtomicBoolean();

    private Publisher(Builder builder, StreamKey key, FrameFormat format, Transport transport, CudaDevice device) {
        this.settings = builder;
        this.key = key;
        this.format = format;
        this.transport = transport;
        this.device = device;
        this.parts = PublisherParts.open(key, format, transport, device, builder);
        this.header = parts.header();
        long stride = header.ring().slotStride();
        MemorySegment ring = parts.memory().host();
        this.slots = new Plane[header.ring().slots()][];
        for (int slot = 0; slot < slots.length; slot++) {
            MemorySegment host = ring == null ? null : ring.asSlice(slot * stride, stride);
            slots[slot] = Plane.of(format, parts.memory().address() + slot * stride, host);
        }
        this.frames = new WritableFrame[HANDLES_PER_SLOT * slots.length];
        Arrays.setAll(frames, handle -> new WritableFrame(this));
        LOG.log(System.Logger.Level.DEBUG, () -> "publishing \"" + key + "\": " + describe());
    }

    /**
     * Begins a publisher.
     *
     * @param key the stream's name on this host, {@code [A-Za-z0-9._-]{1,63}}
     * @return a builder
     * @throws CuframesException code INVALID_ARGUMENT if the key is illegal
     */
    public static Builder builder(String key) {
        return new Builder(key);
    }

    /**
     * Takes a slot to write the next frame into: a free one, else that of the oldest frame nobody reads. Never waits for a reader. On a device
     * ring whose GPU is a whole ring behind, waits for the GPU.
     *
     * @return the frame, to be closed; or null if every slot is being read, which counts as a dropped frame
     * @throws CuframesException code TIMEOUT if the GPU has not announced a frame for 2 s
     * @throws IllegalStateException if the publisher is closed
     */
    public WritableFrame acquire() {
        requireOpen();
        int slot = parts.writer().take();
        if (slot == RingWriter.ALL_PENDING) {
            slot = takeOnceAnnounced();
        }
        if (slot == RingWriter.ALL_LEASED) {
            parts.writer().countDropped();
            return null;
        }
        return nextHandle().begin(slot, slots[slot]);
    }

    private WritableFrame nextHandle() {
        WritableFrame frame;
        do {
            frame = frames[nextFrame];
            nextFrame = (nextFrame + 1) % frames.length;
        } while (frame.isOpen()); // at most one for each slot
        return frame;
    }

    /** Writes the application's bytes of a taken slot; no reader looks at them before the frame is named. */
    void writeUserData(int slot, MemorySegment data) {
        MemorySegment.copy(
                data,
                0,
                parts.segment().memory(),
                SegmentDescriptor.slotOffset(slot) + SlotDescriptor.USER_DATA_OFFSET,
                data.byteSize());
    }

    private int takeOnceAnnounced() {
        long deadline = System.nanoTime() + GPU_PATIENCE.toNanos();
        int slot = parts.writer().take();
        while (slot == RingWriter.ALL_PENDING) {
            if (System.nanoTime() - deadline > 0) {
                throw new CuframesException(
                        ErrorCode.TIMEOUT,
                        "the GPU has announced frame " + parts.writer().announced() + " of \"" + key
                                + "\" and not yet frame " + parts.writer().published() + " after 2 s: "
                                + parts.announcer().diagnose());
            }
            Thread.onSpinWait();
            slot = parts.writer().take();
        }
        return slot;
    }

    long publish(int slot, long stream, long ptsNanos, long captureTimeNanos, int flags, int userDataLength) {
        requireOpen();
        long word = parts.writer().name(slot, ptsNanos, System.nanoTime(), captureTimeNanos, flags, userDataLength);
        parts.announcer().announce(stream, word);
        return parts.writer().published();
    }

    void giveBack(int slot) {
        if (!closed.get()) {
            parts.writer().giveBack(slot);
        }
    }

    void copyFromHost(Plane plane, MemorySegment source, long sourcePitch) {
        if (!source.isNative()) {
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT, "a plane can be copied to the GPU from native memory only: " + source);
        }
        copyFromDevice(plane, source.address(), sourcePitch, stream());
        Cuda.synchronize(stream()); // so that the caller may reuse its memory
    }

    void copyFromDevice(Plane plane, long source, long sourcePitch, long stream) {
        int previous = Cuda.useDevice(device.ordinal());
        try {
            PlaneLayout layout = plane.layout();
            Cuda.copyRows(
                    plane.pointer().address(),
                    layout.pitch(),
                    source,
                    sourcePitch,
                    layout.rowBytes(),
                    layout.height(),
                    stream);
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }

    private void requireOpen() {
        if (closed.get()) {
            throw new IllegalStateException("the publisher of \"" + key + "\" is closed");
        }
    }

    /**
     * The stream's name.
     *
     * @return the key
     */
    public String key() {
        return key.name();
    }

    /**
     * The geometry of every frame.
     *
     * @return the format, with its planes
     */
    public FrameFormat format() {
        return format;
    }

    /**
     * Where the pixels live.
     *
     * @return never {@link Transport#AUTO}
     */
    public Transport transport() {
        return transport;
    }

    /**
     * A CUDA stream of this publisher's own, not synchronized with the legacy default stream.
     *
     * @return a {@code cudaStream_t}; 0 in host memory
     */
    public long stream() {
        return parts.announcer().stream();
    }

    /**
     * The number that names this incarnation of the stream.
     *
     * @return random, not 0
     */
    public long epoch() {
        return header.epoch();
    }

    /**
     * Frames published so far.
     *
     * @return the last frame's sequence number
     */
    public long published() {
        return parts.writer().published();
    }

    /**
     * The newest frame whose pixels are complete: readers have it, and what it was copied from may be reused.
     *
     * @return a sequence number, at most {@link #published()}
     */
    public long announced() {
        return parts.writer().announced();
    }

    /**
     * Frames that found every slot being read.
     *
     * @return how often {@link #acquire()} gave null
     */
    public long dropped() {
        return parts.writer().dropped();
    }

    /**
     * Subscribers that are reading: every frame published after one is counted is meant for it.
     *
     * @return their number
     */
    public int subscribers() {
        return parts.server().subscribers();
    }

    /**
     * The stream in words.
     *
     * @return transport, device, format, size, slots and memory
     */
    public String describe() {
        return transport + (device == null ? "" : " on " + device) + ", " + format.pixelFormat() + " " + format.width()
                + "x" + format.height()
                + ", " + header.ring().slots() + " slots, " + header.ring().length() / (1 << 20) + " MiB, socket "
                + parts.server().socketPath();
    }

    /**
     * Ends the stream: frames already published are announced and can still be read, then subscribers learn of the end, and both of the
     * stream's names are removed. A device ring waits up to 2 s for its subscribers to let go before it is freed. Closing twice closes once.
     */
    @Override
    public void close() {
        end(MessageDescriptor.BYE_ENDED);
    }

    /**
     * Ends this stream and begins one of the same key, with the same settings and another format: a new epoch with a ring of its own, so that
     * no frame is ever of mixed geometry. Readers are told that the format has changed; those that reconnect follow by themselves.
     *
     * @param newFormat pixel format, size and colours of the frames that follow; their layout is the library's
     * @return the publisher to go on with; this one is closed, also where this throws
     * @throws CuframesException as {@link Builder#open()}
     * @throws IllegalStateException if this publisher is closed
     */
    public Publisher reopen(FrameFormat newFormat) {
        Objects.requireNonNull(newFormat, "newFormat");
        requireOpen();
        end(MessageDescriptor.BYE_FORMAT_CHANGED);
        return settings.size(newFormat.width(), newFormat.height())
                .format(newFormat.pixelFormat())
                .color(newFormat.color())
                .open();
    }

    private void end(int reason) {
        if (closed.getAndSet(true)) {
            return;
        }
        try {
            awaitAnnounced();
            MemorySegment segment = parts.segment().memory();
            Shared.setIntOpaque(segment, SegmentDescriptor.END_REASON_OFFSET, reason);
            Shared.setIntRelease(segment, SegmentDescriptor.STATE_OFFSET, SegmentDescriptor.STATE_ENDED);
            Futex.wakeAll(segment.address() + SegmentDescriptor.HEAD_OFFSET);
            parts.segment().unlink(); // both names go first: a successor need not wait for the drain
            parts.server().end(reason, transport.isDevice() ? DRAIN : Duration.ZERO);
        } finally {
            parts.close();
        }
    }

    private void awaitAnnounced() {
        long deadline = System.nanoTime() + GPU_PATIENCE.toNanos();
        while (parts.writer().announced() < parts.writer().published()) {
            if (System.nanoTime() - deadline > 0) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        () -> "ending \"" + key + "\" with frames that its GPU did not announce within 2 s: "
                                + parts.announcer().diagnose());
                return;
            }
            Thread.onSpinWait();
        }
    }

    /** Says what a publisher is to be; {@link #open()} checks it all at once. Not thread-safe. */
    public static final class Builder {
        private final StreamKey key;
        private int width;
        private int height;
        private PixelFormat pixelFormat = PixelFormat.NV12;
        private ColorInfo color = ColorInfo.UNKNOWN;
        private Transport transport = Transport.AUTO;
        private int deviceOrdinal;
        PublishPolicy policy = PublishPolicy.DROP_OLDEST;
        TimeBase timeBase = TimeBase.UNKNOWN;
        int slots = 6;
        int maxSubscribers = 32;
        int maxLeases;
        Path socketDirectory;

        private Builder(String key) {
            this.key = new StreamKey(key);
        }

        /**
         * The frame size. Required.
         *
         * @param newWidth pixels
         * @param newHeight pixels
         * @return this
         */
        public Builder size(int newWidth, int newHeight) {
            width = newWidth;
            height = newHeight;
            return this;
        }

        /**
         * The pixel format; NV12 unless said.
         *
         * @param newFormat the format
         * @return this
         */
        public Builder format(PixelFormat newFormat) {
            pixelFormat = Objects.requireNonNull(newFormat);
            return this;
        }

        /**
         * How samples map to colours; unknown unless said.
         *
         * @param newColor code points and range
         * @return this
         */
        public Builder color(ColorInfo newColor) {
            color = Objects.requireNonNull(newColor);
            return this;
        }

        /**
         * What the source's timestamps were counted in, for readers who want to compute them back; unknown unless said.
         *
         * @param newTimeBase seconds per tick
         * @return this
         */
        public Builder timeBase(TimeBase newTimeBase) {
            timeBase = Objects.requireNonNull(newTimeBase);
            return this;
        }

        /**
         * The slots of the ring; 6 unless said. A strict reader may fall behind by all but one before it misses a frame.
         *
         * @param newSlots 2 to 64
         * @return this
         */
        public Builder slots(int newSlots) {
            slots = newSlots;
            return this;
        }

        /**
         * Where the pixels live; {@link Transport#AUTO} unless said.
         *
         * @param newTransport the transport
         * @return this
         */
        public Builder transport(Transport newTransport) {
            transport = Objects.requireNonNull(newTransport);
            return this;
        }

        /**
         * The GPU of a device ring; 0 unless said.
         *
         * @param ordinal as this process counts its devices
         * @return this
         */
        public Builder device(int ordinal) {
            deviceOrdinal = ordinal;
            return this;
        }

        /**
         * Where the socket is put, instead of the usual places (docs/protocol.md, section 2).
         *
         * @param directory made if it is not there; or null for the usual places
         * @return this
         */
        public Builder socketDirectory(Path directory) {
            socketDirectory = directory;
            return this;
        }

        /**
         * How many subscribers are admitted at a time; 32 unless said.
         *
         * @param most 1 to 256
         * @return this
         */
        public Builder maxSubscribers(int most) {
            maxSubscribers = most;
            return this;
        }

        /**
         * How many frames one subscriber may hold at a time; unless said, all but two of the slots, and at least one.
         *
         * @param most 1 to the number of slots
         * @return this
         */
        public Builder maxLeases(int most) {
            maxLeases = most;
            return this;
        }

        /**
         * Makes the ring and lets subscribers in.
         *
         * @return the publisher
         * @throws CuframesException code INVALID_ARGUMENT for what is out of range, ALREADY_EXISTS if a live process publishes the key, CUDA
         *     if the device or its libraries are not there, ACCESS_DENIED or SYSTEM if the operating system refuses
         */
        public Publisher open() {
            FrameFormat format = FrameFormat.of(pixelFormat, width, height, color);
            requireRange("slots", slots, SegmentDescriptor.MIN_SLOTS, SegmentDescriptor.MAX_SLOTS);
            requireRange("maxSubscribers", maxSubscribers, 1, 256);
            if (maxLeases == 0) {
                maxLeases = Math.max(1, slots - 2);
            }
            requireRange("maxLeases", maxLeases, 1, slots);
            Transport chosen = transport == Transport.AUTO ? choose() : transport;
            CudaDevice device = null;
            if (chosen.isDevice()) {
                Cuda.load();
                device = Cuda.device(deviceOrdinal);
            }
            return new Publisher(copy(), key, format, chosen, device);
        }

        /** What this builder says now, whatever it is used for later. */
        private Builder copy() {
            Builder copy = new Builder(key.name());
            copy.width = width;
            copy.height = height;
            copy.pixelFormat = pixelFormat;
            copy.color = color;
            copy.transport = transport;
            copy.deviceOrdinal = deviceOrdinal;
            copy.policy = policy;
            copy.timeBase = timeBase;
            copy.slots = slots;
            copy.maxSubscribers = maxSubscribers;
            copy.maxLeases = maxLeases;
            copy.socketDirectory = socketDirectory;
            return copy;
        }

        private Transport choose() {
            String reason = Cuda.whyUnavailable();
            if (reason == null) {
                return Transport.CUDA_IPC;
            }
            LOG.log(System.Logger.Level.INFO, () -> "\"" + key + "\" goes through host memory: " + reason);
            return Transport.HOST;
        }

        private static void requireRange(String what, int value, int least, int most) {
            if (value < least || value > most) {
                throw new CuframesException(
                        ErrorCode.INVALID_ARGUMENT, what + " is " + value + ": it must be " + least + " to " + most);
            }
        }
    }
}
