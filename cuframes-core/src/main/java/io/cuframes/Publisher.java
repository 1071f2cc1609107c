// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.internal.connect.Access;
import io.cuframes.internal.connect.SegmentFile;
import io.cuframes.internal.connect.StreamKey;
import io.cuframes.internal.cuda.Cuda;
import io.cuframes.internal.cuda.CudaDevice;
import io.cuframes.internal.cuda.CudaVmmRing;
import io.cuframes.internal.cuda.DeviceMemory;
import io.cuframes.internal.cuda.DeviceStreams;
import io.cuframes.internal.events.DropEvent;
import io.cuframes.internal.events.EpochEvent;
import io.cuframes.internal.events.PublishEvent;
import io.cuframes.internal.events.Recordings;
import io.cuframes.internal.events.Side;
import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import io.cuframes.internal.memory.RingMemory;
import io.cuframes.internal.os.NativeCalls;
import io.cuframes.internal.protocol.MessageDescriptor;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.SegmentHeader;
import io.cuframes.internal.protocol.Shared;
import io.cuframes.internal.protocol.SlotDescriptor;
import io.cuframes.internal.ring.ReaderWaker;
import io.cuframes.internal.ring.RingWriter;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;

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
 * <p>One thread at a time acquires, writes and publishes. {@link #close()} may be called from another thread once that thread has stopped, or as
 * it waits in {@link #acquire()}; the plain accessors are safe from any thread, and those that do not look into the ring answer after the close,
 * too.
 */
public final class Publisher implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Publisher.class.getName());

    /** How long a device ring's subscribers have to close after the end before it is freed under them. */
    private static final Duration DRAIN = Duration.ofSeconds(2);

    /** A handle is given out again after this many laps of the ring at the earliest. */
    private static final int HANDLES_PER_SLOT = 4;

    /** How long the end of a stream waits for the publisher's own GPU. */
    private static final Duration GPU_PATIENCE = Duration.ofSeconds(2);

    private final Builder settings;
    private final StreamKey key;
    private final FrameFormat format;
    private final Transport transport;
    private final CudaDevice device;
    private final SegmentHeader header;
    private final PublisherParts parts;
    private final SlotTaker taker;
    private final PublisherHealth health;

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
        this.taker = new SlotTaker(key.name(), parts, builder.waitNanos(), closed);
        this.health = new PublisherHealth(parts);
        RingMemory memory = parts.memory();
        this.slots = new Plane[header.ring().slots()][];
        Arrays.setAll(slots, slot -> Plane.of(format, memory.address(slot), memory.host(slot)));
        this.frames = new WritableFrame[HANDLES_PER_SLOT * slots.length];
        Arrays.setAll(frames, handle -> new WritableFrame(this));
        if (Recordings.possible()) {
            EpochEvent.record(key.name(), header.epoch(), Side.PUBLISHER, builder.previousEpoch, format);
        }
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
     * Takes a slot to write the next frame into: a free one, else that of the oldest frame that nobody reads, and that no strict subscriber has yet
     * to take where the policy keeps it for them. Waits for readers under {@link PublishPolicy#STRICT_WAIT} alone, for {@link
     * Builder#waitTimeout} at most; on a device ring whose GPU is a whole ring behind, waits for the GPU.
     *
     * @return the frame, to be closed; or null if the frame has no place, which is to be expected where readers are slow: {@link #dropped()} counts it
     *     if every slot is being read, {@link #refused()} if a strict subscriber has yet to take what is in the slots, also where the thread
     *     was interrupted as it waited, which it then still is
     * @throws CuframesException code TIMEOUT if the GPU has not announced a frame for 2 s
     * @throws IllegalStateException if the publisher is closed, or is closed by another thread as this one waits
     */
    public WritableFrame acquire() {
        requireOpen();
        int slot = taker.take(SlotTaker.ANY_SLOT);
        if (slot < 0) {
            requireOpen();
            recordDrop(slot);
            return null;
        }
        Faults.reach(FaultPoint.SLOT_ACQUIRED);
        return nextHandle().begin(slot, slots[slot]);
    }

    /**
     * Takes a particular slot to write the next frame into: where a decoder with a pool of its own has chosen the buffer. The frame that was in
     * it may be the newest one, and is gone. Waits for readers of that frame as {@link #acquire()} does, under {@link PublishPolicy#STRICT_WAIT}
     * alone; waits for the GPU where it has not announced that frame yet.
     *
     * @param slot its number, that of a registered buffer; nothing may be written there before
     * @return the frame, to be closed; or null if the slot is being read, or a strict subscriber has yet to take its frame and the policy keeps it;
     *     neither counts as a frame dropped or refused, since there may be another slot
     * @throws IndexOutOfBoundsException if there is no such slot
     * @throws CuframesException code TIMEOUT if the GPU has not announced the slot's frame for 2 s
     * @throws IllegalStateException if the slot is acquired already, or the publisher is closed
     */
    public WritableFrame acquire(int slot) {
        requireOpen();
        Objects.checkIndex(slot, slots.length);
        int taken = taker.take(slot);
        requireOpen();
        return taken == slot ? nextHandle().begin(slot, slots[slot]) : null;
    }

    private void recordDrop(int outcome) {
        if (Recordings.possible()) {
            DropEvent.record(
                    key.name(),
                    header.epoch(),
                    outcome == RingWriter.UNREAD ? DropEvent.Cause.REFUSED : DropEvent.Cause.LEASED,
                    parts.writer().published());
        }
    }

    private WritableFrame nextHandle() {
        WritableFrame frame;
        do {
            frame = frames[nextFrame];
            nextFrame = nextFrame + 1 == frames.length ? 0 : nextFrame + 1; // a division takes as long as a fence
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

    long publish(int slot, long stream, long ptsNanos, long captureTimeNanos, int flags, int userDataLength) {
        requireOpen();
        PublishEvent event = Recordings.possible() ? PublishEvent.begun() : null;
        long word = parts.writer().name(slot, ptsNanos, System.nanoTime(), captureTimeNanos, flags, userDataLength);
        parts.announcer().announce(stream, word);
        long seq = parts.writer().published();
        if (event != null) {
            event.end(key.name(), header.epoch(), seq, slot);
        }
        return seq;
    }

    /** Gives a slot back unpublished, once the copies that are queued on the stream, if any, are done. */
    void giveBack(int slot, boolean copies, long stream) {
        if (closed.get()) {
            return;
        }
        boolean quiet = true;
        try {
            quiet = !copies || parts.announcer().awaitQuiet(stream);
        } finally {
            if (quiet) {
                parts.writer().giveBack(slot);
            }
        }
        if (!quiet) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    () -> "slot " + slot + " of \"" + key
                            + "\" is not used again: the GPU has not done the copies into it that were queued before"
                            + " its frame was given back, and what they write would be in another frame");
        }
    }

    /** Has what is queued on a stream from here on wait for what is queued on another so far. */
    void order(long before, long after) {
        parts.announcer().order(before, after);
    }

    /** Refuses a stream that nothing can be queued on for this ring. */
    void requireStream(long stream) {
        parts.announcer().require(stream);
    }

    void copyFromHost(Plane plane, MemorySegment source, long sourcePitch) {
        if (!source.isNative()) {
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT, "a plane can be copied to the GPU from native memory only: " + source);
        }
        long previous = Cuda.useDevice(device.ordinal());
        try {
            copyRows(plane, source.address(), sourcePitch, stream());
            Cuda.synchronize(stream()); // so that the caller may reuse its memory
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }

    void copyFromDevice(Plane plane, long source, long sourcePitch, long stream) {
        plane.pointer(); // in host memory there is none, and this says so
        long previous = Cuda.useDevice(device.ordinal());
        try {
            DeviceMemory.require(source, "the source of a plane");
            copyRows(plane, source, sourcePitch, stream);
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }

    private static void copyRows(Plane plane, long source, long sourcePitch, long stream) {
        PlaneLayout layout = plane.layout();
        Cuda.copyRows(
                plane.pointer().address(),
                layout.pitch(),
                source,
                sourcePitch,
                layout.rowBytes(),
                layout.height(),
                stream);
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
     * Who made the ring's buffers.
     *
     * @return EXTERNAL if they were registered
     */
    public Ownership ownership() {
        return header.ring().ownership();
    }

    /**
     * The publisher's stream: that of {@link Builder#stream}, else one of its own, not synchronized with the legacy default stream.
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
     * @throws IllegalStateException if the publisher is closed
     */
    public long announced() {
        return parts.writer().announced();
    }

    /**
     * Frames that found every slot being read.
     *
     * @return how often {@link #acquire()} gave null for that
     */
    public long dropped() {
        return parts.writer().dropped();
    }

    /**
     * Frames that found no slot because a strict subscriber had not taken the oldest frame yet, with {@link PublishPolicy#DROP_NEWEST} and
     * {@link PublishPolicy#STRICT_WAIT}.
     *
     * @return how often {@link #acquire()} gave null for that
     */
    public long refused() {
        return parts.writer().refused();
    }

    /**
     * Strict subscribers that kept this publisher from a slot and took no frame for the grace period, and so are waited for no longer.
     *
     * @return how many there have been
     */
    public long stalled() {
        return parts.writer().stalled();
    }

    /**
     * What this publisher does when the next frame needs a slot that a strict subscriber has not read yet.
     *
     * @return the policy
     */
    public PublishPolicy policy() {
        return header.policy();
    }

    /**
     * Subscribers that are reading: every frame published after one is counted is meant for it. Those that have stalled are not counted.
     *
     * @return their number
     */
    public int subscribers() {
        return parts.server().subscribers();
    }

    /**
     * Says whether this publisher publishes nothing on purpose: it decodes on demand, and nobody reads, or the source is only being opened for
     * who does. A reader that begins then is not given the last frame, which may be hours old, and calls nothing a stall: {@link
     * Subscriber#isPublisherIdle()}. Whoever sets this unsets it before the next frame is published, or once the source fails to open. For the
     * thread that publishes, between frames; a publisher that is set idle waits until its GPU has announced what was published.
     *
     * @param idle whether it is
     * @throws IllegalStateException if the publisher is closed
     */
    public void setIdle(boolean idle) {
        requireOpen();
        MemorySegment segment = parts.segment().memory();
        if (idle) {
            awaitAnnounced();
            Shared.setLongRelease(segment, SegmentDescriptor.IDLE_AFTER_OFFSET, published());
        }
        Shared.setIntRelease(segment, SegmentDescriptor.IDLE_OFFSET, idle ? 1 : 0);
    }

    /**
     * The memory of the ring, on the GPU or in host memory as {@link #transport()} says.
     *
     * @return bytes, with what rounding to pages adds
     */
    public long ringBytes() {
        return header.ring().length();
    }

    /**
     * What this publisher has counted so far, and who reads it. From any thread, at any time; the thread that publishes is not slowed down. Once
     * the publisher is closed: as it was then.
     *
     * @return a snapshot; {@link PublisherStats#toJson()} makes a health report of it
     */
    public PublisherStats stats() {
        return health.stats();
    }

    /**
     * The stream in words.
     *
     * @return transport, device, format, size, slots and memory
     */
    public String describe() {
        return transport + (device == null ? "" : " on " + device)
                + (ownership() == Ownership.EXTERNAL ? ", registered buffers, " : ", ") + format.pixelFormat() + " "
                + format.width()
                + "x" + format.height()
                + ", " + header.ring().slots() + " slots, " + header.ring().length() / (1 << 20) + " MiB, socket "
                + parts.server().socketPath();
    }

    /**
     * Ends the stream: frames already published are announced and can still be read, then subscribers learn of the end, and both of the
     * stream's names are removed. A device ring waits up to 2 s for its subscribers to let go before it is freed. A ring in host memory that a native
     * call still uses, such as a read of a channel into a slot, is unmapped when that call ends. Closing twice closes once.
     */
    @Override
    public void close() {
        end(MessageDescriptor.BYE_ENDED);
    }

    /**
     * Ends this stream and begins one of the same key, with the same settings and another format: a new epoch with a ring of its own, so that
     * no frame is ever of mixed geometry. Readers are told that the format has changed; those that reconnect follow by themselves. Frames of the
     * old format that a reader holds stay whole until it closes them; in device memory for 2 s at most, which this then waits.
     *
     * @param newFormat pixel format, size and colours of the frames that follow; their layout is the library's
     * @return the publisher to go on with; this one is closed, also where this throws something else than UNSUPPORTED
     * @throws CuframesException as {@link Builder#open()}; code UNSUPPORTED if the slots are registered buffers, which are of one format
     * @throws IllegalStateException if this publisher is closed
     */
    public Publisher reopen(FrameFormat newFormat) {
        Objects.requireNonNull(newFormat, "newFormat");
        requireOpen();
        if (ownership() == Ownership.EXTERNAL) {
            throw new CuframesException(
                    ErrorCode.UNSUPPORTED,
                    "the slots of \"" + key
                            + "\" are registered buffers, and those are of one format: close this publisher, and open"
                            + " another one with buffers of the new format");
        }
        end(MessageDescriptor.BYE_FORMAT_CHANGED);
        Faults.reach(FaultPoint.REOPENING);
        settings.previousEpoch = epoch();
        return settings.size(newFormat.width(), newFormat.height())
                .format(newFormat.pixelFormat())
                .color(newFormat.color())
                .open();
    }

    private void end(int reason) {
        if (closed.getAndSet(true)) {
            return;
        }
        taker.endWait();
        Faults.reach(FaultPoint.ENDING);
        try {
            awaitAnnounced();
            MemorySegment segment = parts.segment().memory();
            Shared.setIntOpaque(segment, SegmentDescriptor.END_REASON_OFFSET, reason);
            Shared.setIntRelease(segment, SegmentDescriptor.STATE_OFFSET, SegmentDescriptor.STATE_ENDED);
            ReaderWaker.wakeAll(segment);
            Faults.reach(FaultPoint.STATE_ENDED);
            parts.segment().unlink(); // both names go first: a successor need not wait for the drain
            Faults.reach(FaultPoint.SEGMENT_UNLINKED);
            parts.server().end(reason, transport == Transport.CUDA_IPC ? DRAIN : Duration.ZERO);
            Faults.reach(FaultPoint.SERVER_ENDED);
        } finally {
            health.end();
            parts.close();
        }
        Faults.reach(FaultPoint.PUBLISHER_CLOSED);
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
        private static final Duration LONGEST_PERIOD = Duration.ofDays(365);
        private static final int DEFAULT_SLOTS = 6;
        private static final int UNSAID = Integer.MIN_VALUE;

        private final StreamKey key;
        private int width;
        private int height;

        /** Null: not said. */
        private PixelFormat pixelFormat;

        private ColorInfo color;
        private Transport transport = Transport.AUTO;
        private int deviceOrdinal;
        private Duration waitTimeout = Duration.ofSeconds(1);
        private Duration gracePeriod = Duration.ofSeconds(2);
        ExternalBuffers external;
        long stream = DeviceStreams.OWN_STREAM;
        PublishPolicy policy = PublishPolicy.DROP_OLDEST;
        TimeBase timeBase = TimeBase.UNKNOWN;
        int slots = UNSAID;
        int maxSubscribers = 32;
        int maxLeases;
        Path socketDirectory;

        /** Null: not said. */
        private Set<Integer> users;

        private Set<Integer> groups;

        /** That of the publisher which this one goes on for; 0 where there is none. */
        private long previousEpoch;

        private Builder(String key) {
            this.key = new StreamKey(key);
        }

        /**
         * The frame size. Required, unless buffers are registered, whose layout has it.
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
         * What to do when the next frame needs a slot that a strict subscriber has not read yet; {@link PublishPolicy#DROP_OLDEST} unless said.
         *
         * @param newPolicy the policy
         * @return this
         */
        public Builder policy(PublishPolicy newPolicy) {
            policy = Objects.requireNonNull(newPolicy);
            return this;
        }

        /**
         * How long one {@link Publisher#acquire()} waits for strict subscribers with {@link PublishPolicy#STRICT_WAIT}; 1 s unless said. The other
         * policies do not wait.
         *
         * @param timeout 0 to 365 days
         * @return this
         */
        public Builder waitTimeout(Duration timeout) {
            waitTimeout = Objects.requireNonNull(timeout);
            return this;
        }

        /**
         * How long a strict subscriber may keep the publisher from a slot without taking a frame, with {@link PublishPolicy#DROP_NEWEST} and
         * {@link PublishPolicy#STRICT_WAIT}; 2 s unless said. One that does so for longer is waited for no more: it is told so, may miss frames from
         * then on, and keeps those that it holds. A wait that is longer than this goes on without it.
         *
         * @param period more than 0, at most 365 days
         * @return this
         */
        public Builder gracePeriod(Duration period) {
            gracePeriod = Objects.requireNonNull(period);
            return this;
        }

        /** How long one acquire may wait for readers; 0 where the policy is not to wait. */
        long waitNanos() {
            return policy == PublishPolicy.STRICT_WAIT ? waitTimeout.toNanos() : 0;
        }

        /** How long a strict reader may be in the way. */
        long graceNanos() {
            return gracePeriod.toNanos();
        }

        /**
         * The slots of the ring; 6 unless said, or as many as buffers are registered. With {@link PublishPolicy#DROP_OLDEST}, a strict reader may
         * fall behind by all but one before it misses a frame.
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
         * Registers device buffers of the application's own as the slots, in place of a ring that the library makes: what is written to them need not
         * be copied. Each is memory of {@code cudaMalloc} (not managed, not of a pool), on the publisher's device, aligned to the components of the
         * format, with {@link FrameFormat#frameBytes()} bytes that no other slot has; several may lie in one allocation.
         *
         * <p>They remain the application's: keep them until the publisher is closed, and free them then. From {@link #open()} on, write to a buffer
         * only between acquiring its slot and publishing it. CUDA shares whole allocations, and of allocations that are not of whole 2 MiB the
         * blocks that they lie in: subscribers can read, and write, what else of this process is there. A warning names such allocations.
         *
         * @param layout of the frame in each buffer, with the pitches and plane offsets of whoever writes there
         * @param buffers where each slot starts, 2 to 64
         * @return this
         */
        public Builder externalDevice(FrameFormat layout, List<DevicePtr> buffers) {
            external = new ExternalBuffers(Objects.requireNonNull(layout), List.copyOf(buffers), null);
            return this;
        }

        /**
         * Registers host buffers of the application's own as the slots, in place of a ring that the library makes: what is written to them need not be
         * copied. All of them lie in one memfd that this process has mapped shared and writable and has a descriptor of, such as a {@link
         * SharedBuffer}; each is aligned to the components of the format, with {@link FrameFormat#frameBytes()} bytes that no other slot has.
         *
         * <p>They remain the application's: keep them mapped until the publisher is closed. From {@link #open()} on, write to a buffer only between
         * acquiring its slot and publishing it. {@code open} seals the memfd for good against shrinking, growing and new writable mappings;
         * mappings that were writable before stay so. Subscribers can read all of the memfd.
         *
         * @param layout of the frame in each buffer, with the pitches and plane offsets of whoever writes there
         * @param buffers the slots, 2 to 64; of longer segments the beginning is used
         * @return this
         */
        public Builder externalHost(FrameFormat layout, List<MemorySegment> buffers) {
            external = new ExternalBuffers(Objects.requireNonNull(layout), null, List.copyOf(buffers));
            return this;
        }

        /**
         * The CUDA stream that {@link WritableFrame#publish(long)} announces on and {@link WritableFrame#copyPlane(int, MemorySegment, long)} copies
         * on. Unless said, the publisher makes one of its own. Ignored in host memory.
         *
         * @param handle a {@code cudaStream_t} of the ring's device, which must outlive the publisher and is not destroyed by it; 0 or 1 for the
         *     legacy default stream, 2 for the per-thread default stream, with which one and the same thread must publish. What is no stream at
         *     all cannot be told from one
         * @return this
         */
        public Builder stream(long handle) {
            stream = handle;
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
         * Who else may read the stream, besides the publisher's own user, its groups ({@link #allowGroups}) and root; nobody unless said. The kernel
         * says who a subscriber is, not the subscriber. They must get through the socket's directory, too: the library lets them through one
         * that it makes, and leaves the modes of others alone.
         *
         * @param userIds ids as the publisher's user namespace has them, 0 or more; replaces those of an earlier call. In a user namespace all users
         *     that it does not know look like 65534
         * @return this
         */
        public Builder allowUsers(int... userIds) {
            users = Arrays.stream(userIds).boxed().collect(Collectors.toUnmodifiableSet());
            return this;
        }

        /**
         * The groups whose members may read the stream, whether it is their primary or a supplementary group; the publisher's primary group
         * unless said. With one group the stream's files are given to it, so the publisher has to be a member; with several, only the
         * credentials of whoever connects decide.
         *
         * @param groupIds ids as the publisher's user namespace has them, 0 or more; none to admit no group
         * @return this
         */
        public Builder allowGroups(int... groupIds) {
            groups = Arrays.stream(groupIds).boxed().collect(Collectors.toUnmodifiableSet());
            return this;
        }

        Access access() {
            return Access.of(users, groups);
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
         * How many frames one subscriber may hold at a time; unless said, all but two of the slots, and at least one. One that takes more is cut off
         * as soon as the publisher finds no slot.
         *
         * @param most 1 to the number of slots
         * @return this
         */
        public Builder maxLeases(int most) {
            maxLeases = most;
            return this;
        }

        /**
         * Looks whether a live process publishes the key, for who is about to do something costly for this stream, such as opening a camera. It
         * is a look and no reservation: {@link #open()} decides, and finds publishers of other containers too.
         *
         * @return this
         * @throws CuframesException code ALREADY_EXISTS if one does
         */
        public Builder requireFreeKey() {
            NativeCalls.require();
            SegmentFile.requireUnpublished(key);
            return this;
        }

        /**
         * Makes the ring and lets subscribers in.
         *
         * @return the publisher
         * @throws CuframesException code INVALID_ARGUMENT for what is out of range, ALREADY_EXISTS if a live process publishes the key, CUDA
         *     if the device or its libraries are not there, ACCESS_DENIED or SYSTEM if the operating system refuses, UNSUPPORTED if the JVM's
         *     flags deny native access
         */
        public Publisher open() {
            NativeCalls.require();
            Builder settled = copy();
            FrameFormat format = external == null ? format() : externalFormat();
            if (external != null) {
                settled.slots = external.count();
            } else if (slots == UNSAID) {
                settled.slots = DEFAULT_SLOTS;
            }
            settled.maxLeases = maxLeases == 0 ? Math.max(1, settled.slots - 2) : maxLeases;
            settled.requireRanges();
            Transport chosen = external == null ? transport : external.transport();
            if (chosen == Transport.AUTO) {
                chosen = choose();
            }
            CudaDevice device = null;
            if (chosen.isDevice()) {
                Cuda.load();
                device = Cuda.device(deviceOrdinal);
            }
            return new Publisher(settled, key, format, chosen, device);
        }

        private FrameFormat format() {
            return FrameFormat.of(
                    pixelFormat == null ? PixelFormat.NV12 : pixelFormat,
                    width,
                    height,
                    color == null ? ColorInfo.UNKNOWN : color);
        }

        /** The layout of the registered buffers; nothing else that was said may contradict it. */
        private FrameFormat externalFormat() {
            FrameFormat layout = external.layout();
            requireAgreement(
                    "size", width == 0 && height == 0, width + "x" + height, layout.width() + "x" + layout.height());
            requireAgreement("format", pixelFormat == null, pixelFormat, layout.pixelFormat());
            requireAgreement("color", color == null, color, layout.color());
            requireAgreement("slots", slots == UNSAID, slots, external.count());
            requireAgreement("transport", transport == Transport.AUTO, transport, external.transport());
            return layout;
        }

        private static void requireAgreement(String what, boolean unsaid, Object said, Object registered) {
            if (!unsaid && !said.equals(registered)) {
                throw new CuframesException(
                        ErrorCode.INVALID_ARGUMENT,
                        what + " is " + said + ", and that of the registered buffers " + registered
                                + ": leave it out, or say the same");
            }
        }

        private void requireRanges() {
            requireRange("slots", slots, SegmentDescriptor.MIN_SLOTS, SegmentDescriptor.MAX_SLOTS);
            requireRange("maxSubscribers", maxSubscribers, 1, 256);
            requireRange("maxLeases", maxLeases, 1, slots);
            requireRange("waitTimeout", waitTimeout, Duration.ZERO);
            requireRange("gracePeriod", gracePeriod, Duration.ofNanos(1));
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
            copy.external = external;
            copy.stream = stream;
            copy.policy = policy;
            copy.waitTimeout = waitTimeout;
            copy.gracePeriod = gracePeriod;
            copy.timeBase = timeBase;
            copy.slots = slots;
            copy.maxSubscribers = maxSubscribers;
            copy.maxLeases = maxLeases;
            copy.socketDirectory = socketDirectory;
            copy.users = users;
            copy.groups = groups;
            copy.previousEpoch = previousEpoch;
            return copy;
        }

        private Transport choose() {
            String noDevice = Cuda.whyUnavailable();
            if (noDevice != null) {
                LOG.log(System.Logger.Level.INFO, () -> "\"" + key + "\" goes through host memory: " + noDevice);
                return Transport.HOST;
            }
            String noVmm = CudaVmmRing.whyUnavailable(Cuda.device(deviceOrdinal));
            if (noVmm == null) {
                return Transport.CUDA_VMM;
            }
            String noRuntime = Cuda.whyNoRuntime();
            Transport instead = noRuntime == null ? Transport.CUDA_IPC : Transport.HOST;
            LOG.log(
                    System.Logger.Level.INFO,
                    () -> "\"" + key + "\" goes through " + instead + ": " + noVmm
                            + (noRuntime == null ? "" : "; " + noRuntime));
            return instead;
        }

        private static void requireRange(String what, Duration value, Duration least) {
            if (value.compareTo(least) < 0 || value.compareTo(LONGEST_PERIOD) > 0) {
                throw new CuframesException(
                        ErrorCode.INVALID_ARGUMENT,
                        what + " is " + value + ": it must be " + least + " to " + LONGEST_PERIOD);
            }
        }

        private static void requireRange(String what, int value, int least, int most) {
            if (value < least || value > most) {
                throw new CuframesException(
                        ErrorCode.INVALID_ARGUMENT, what + " is " + value + ": it must be " + least + " to " + most);
            }
        }
    }
}
