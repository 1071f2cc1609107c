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
import io.cuframes.internal.os.Closing;
import io.cuframes.internal.os.NativeCalls;
import io.cuframes.internal.os.Reaper;
import io.cuframes.internal.protocol.MessageDescriptor;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.SegmentHeader;
import io.cuframes.internal.protocol.Shared;
import io.cuframes.internal.protocol.SlotDescriptor;
import io.cuframes.internal.ring.Announcer;
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
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

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
 * <p>One thread at a time acquires, writes and publishes. {@link #close()} may be called from another thread at any time: a call that is under way is
 * completed or throws an IllegalStateException, as later ones do. The plain accessors are safe from any thread, and those that do not look into the
 * ring answer after the close, too.
 */
public final class Publisher implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Publisher.class.getName());

    /** How long a device ring's subscribers have to close after the end before it is freed under them. */
    private static final Duration DRAIN = Duration.ofSeconds(2);

    /** A handle is given out again after this many laps of the ring at the earliest. */
    private static final int HANDLES_PER_SLOT = 4;

    /** How long the end of a stream waits for the publisher's own GPU, and how long setting it idle does. */
    private static final Duration GPU_PATIENCE = Duration.ofSeconds(2);

    /** A wait for the GPU spins for so long: an announcement that is about to come takes less. */
    private static final long SPIN_NANOS = 100_000;

    private static final long NAP_NANOS = 50_000;

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

    /** Of the uses of a ring in device memory: addresses, streams and events are numbers, which a close by another thread must not invalidate. */
    private final UseGate gate = new UseGate();

    private Publisher(Builder builder, StreamKey key, FrameFormat format, Transport transport, CudaDevice device) {
        this.settings = builder;
        this.key = key;
        this.format = format;
        this.transport = transport;
        this.device = device;
        this.parts = PublisherParts.open(key, format, transport, device, builder);
        try {
            this.header = parts.header();
            this.taker = new SlotTaker(key.name(), parts, builder.waitNanos(), closed, gate);
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
        } catch (Throwable e) {
            Closing.undo(e, parts);
            throw e;
        }
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
     *     if every slot is being read, or withheld until the GPU has done what was queued for a frame that was not published; {@link #refused()} if
     *     a strict subscriber has yet to take what is in the slots, also where the thread was interrupted as it waited, which it then still is
     * @throws CuframesException code TIMEOUT if the GPU has not announced a frame for 2 s; INTERNAL if the thread that serves readers has failed, as
     *     it does where there is no memory: the stream is over then, and this publisher is to be closed
     * @throws CudaException if it waits for the GPU and the CUDA context is lost
     * @throws IllegalStateException if the publisher is closed, or is closed by another thread as this one waits
     */
    public @Nullable WritableFrame acquire() {
        requireOpen();
        int slot = take(SlotTaker.ANY_SLOT);
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
     * @return the frame, to be closed; or null if the slot is being read, or withheld as {@link #acquire()} has it, or a strict subscriber has yet
     *     to take its frame and the policy keeps it; neither counts as a frame dropped or refused, since there may be another slot
     * @throws IndexOutOfBoundsException if there is no such slot
     * @throws CuframesException code TIMEOUT if the GPU has not announced the slot's frame for 2 s
     * @throws CudaException if it waits for the GPU and the CUDA context is lost
     * @throws IllegalStateException if the slot is acquired already, or the publisher is closed
     */
    public @Nullable WritableFrame acquire(int slot) {
        requireOpen();
        Objects.checkIndex(slot, slots.length);
        int taken = take(slot);
        requireOpen();
        return taken == slot ? nextHandle().begin(slot, slots[slot]) : null;
    }

    private int take(int wanted) {
        try {
            return taker.take(wanted);
        } catch (IllegalStateException e) {
            throw closedMeanwhile(e);
        }
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
        requireOpen();
        try {
            MemorySegment.copy(
                    data,
                    0,
                    parts.segment().memory(),
                    SegmentDescriptor.slotOffset(slot) + SlotDescriptor.USER_DATA_OFFSET,
                    data.byteSize());
        } catch (IllegalStateException e) {
            throw closedMeanwhile(e);
        }
    }

    long publish(int slot, long stream, long ptsNanos, long captureTimeNanos, int flags, int userDataLength) {
        PublishEvent event = Recordings.possible() ? PublishEvent.begun() : null;
        beginUse();
        try {
            long word = parts.writer().name(slot, ptsNanos, System.nanoTime(), captureTimeNanos, flags, userDataLength);
            parts.announcer().announce(stream, word);
        } catch (IllegalStateException e) {
            throw closedMeanwhile(e);
        } finally {
            endUse();
        }
        long seq = parts.writer().published();
        if (event != null) {
            event.end(key.name(), header.epoch(), seq, slot);
        }
        return seq;
    }

    /** Gives a slot back unpublished, once the copies that are queued on the stream, if any, are done. */
    void giveBack(int slot, boolean copies, long stream) {
        if (device != null && !gate.enter()) {
            return; // with the publisher, its slots are gone
        }
        try {
            giveBackOpen(slot, copies, stream);
        } finally {
            endUse();
        }
    }

    private void giveBackOpen(int slot, boolean copies, long stream) {
        boolean quiet = true;
        try {
            quiet = !copies || parts.announcer().awaitQuiet(slot, stream);
        } finally {
            if (quiet) {
                parts.writer().giveBack(slot);
            }
        }
        if (!quiet) {
            parts.announcer().withhold(slot, stream);
            LOG.log(
                    System.Logger.Level.WARNING,
                    () -> "slot " + slot + " of \"" + key
                            + "\" is withheld until the GPU has done the copies into it that were queued before its frame"
                            + " was given back: what they write would be in another frame");
        }
    }

    /** Notes that this thread has queued a copy into a taken slot. */
    void copied(int slot, long stream) {
        beginUse();
        try {
            parts.announcer().copied(slot, stream);
        } finally {
            endUse();
        }
    }

    /** Has what is queued on a stream from here on wait for the copies into a slot, the last of which is on that other one. */
    void orderAfterCopies(int slot, long copiesOn, long stream) {
        if (parts.announcer().isInOrder(copiesOn, stream)) {
            return;
        }
        beginUse();
        try {
            parts.announcer().order(slot, copiesOn, stream);
        } finally {
            endUse();
        }
    }

    /** Keeps a ring in device memory, and what belongs to it, in place until {@link #endUse}. In host memory segments do, and this only looks. */
    private void beginUse() {
        if (device == null ? closed.get() : !gate.enter()) {
            throw closed();
        }
    }

    private void endUse() {
        if (device != null) {
            gate.leave();
        }
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
        beginUse();
        try {
            long previous = Cuda.useDevice(device.ordinal());
            try {
                copyRows(plane, source.address(), sourcePitch, stream());
                Cuda.synchronize(stream()); // so that the caller may reuse its memory
            } finally {
                Cuda.restoreDevice(previous, device.ordinal());
            }
        } finally {
            endUse();
        }
    }

    void copyFromDevice(Plane plane, long source, long sourcePitch, long stream) {
        plane.pointer(); // in host memory there is none, and this says so
        beginUse();
        try {
            long previous = Cuda.useDevice(device.ordinal());
            try {
                DeviceMemory.require(source, "the source of a plane");
                copyRows(plane, source, sourcePitch, stream);
            } finally {
                Cuda.restoreDevice(previous, device.ordinal());
            }
        } finally {
            endUse();
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
            throw closed();
        }
        Throwable failure = parts.server().failure();
        if (failure != null) {
            throw serverFailed(failure);
        }
    }

    private CuframesException serverFailed(Throwable failure) {
        return new CuframesException(
                ErrorCode.INTERNAL,
                "the server thread of \"" + key + "\" has failed, its readers are cut off and no others can connect: "
                        + failure + "; close this publisher, and open another",
                failure);
    }

    private IllegalStateException closed() {
        return new IllegalStateException("the publisher of \"" + key + "\" is closed");
    }

    /** What to throw where memory was found to be unmapped: that another thread has closed this publisher. */
    private IllegalStateException closedMeanwhile(IllegalStateException unmapped) {
        return closed.get() ? closed() : unmapped;
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
     * The GPU of a device ring.
     *
     * @return its ordinal, as this process counts its devices; -1 in host memory
     */
    public int device() {
        return device == null ? -1 : device.ordinal();
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
     * Whether this publisher is closed, or is being closed by another thread: tells an end that was asked for from a mistake, where a call throws an
     * IllegalStateException.
     *
     * @return true from the beginning of {@link #close()} or {@link #reopen} on
     */
    public boolean isClosed() {
        return closed.get();
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
        if (closed.get()) {
            throw closed();
        }
        try {
            return parts.writer().announced();
        } catch (IllegalStateException e) {
            throw closedMeanwhile(e);
        }
    }

    /**
     * Frames published that are marked as damaged ({@link WritableFrame#damaged}).
     *
     * @return a count, at most {@link #published()}
     */
    public long damaged() {
        return parts.writer().damaged();
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
     * @throws CudaException if it is set idle and the CUDA context is lost
     * @throws IllegalStateException if the publisher is closed
     */
    public void setIdle(boolean idle) {
        beginUse();
        try {
            MemorySegment segment = parts.segment().memory();
            if (idle) {
                if (!awaitAnnounced(System.nanoTime() + GPU_PATIENCE.toNanos())) {
                    LOG.log(
                            System.Logger.Level.WARNING,
                            () -> "\"" + key + "\" is idle with frames that its GPU did not announce within 2 s: "
                                    + parts.announcer().diagnose());
                }
                Shared.setLongRelease(segment, SegmentDescriptor.IDLE_AFTER_OFFSET, published());
            }
            Shared.setIntRelease(segment, SegmentDescriptor.IDLE_OFFSET, idle ? 1 : 0);
        } catch (IllegalStateException e) {
            throw closedMeanwhile(e);
        } finally {
            endUse();
        }
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
     * @return transport, device, format, size, slots, memory and socket; behind the socket, the better places for it that could not be used, and why
     */
    public String describe() {
        return transport + (device == null ? "" : " on " + device)
                + (ownership() == Ownership.EXTERNAL ? ", registered buffers, " : ", ") + format.pixelFormat() + " "
                + format.width()
                + "x" + format.height()
                + ", " + header.ring().slots() + " slots, " + header.ring().length() / (1 << 20) + " MiB, socket "
                + parts.server().socketPath() + passedOver(parts.server().passedOver());
    }

    /** Why the socket is not where readers of other users would find it. */
    private static String passedOver(List<String> places) {
        return places.isEmpty() ? "" : " (passed over: " + String.join("; ", places) + ")";
    }

    /**
     * Ends the stream: frames already published are announced and can still be read, then subscribers learn of the end, and both of the
     * stream's names are removed: a successor may take the key. Closing twice closes once.
     *
     * <p>On a device, this waits up to 2 s for the GPU, and a CUDA_IPC ring another 2 s for its subscribers to unmap it. A GPU that takes longer goes on
     * with what is queued: segment and ring stay until it is done, are released then, and a warning is logged. A stream of the application's that
     * has frames to announce must not be destroyed before. A ring in host memory that a native call still uses, such as a read of a channel into a
     * slot, is unmapped when that call ends.
     *
     * @throws CudaException if the CUDA context is lost: what was not announced will not be; the stream is ended for its readers and everything is released
     *     all the same
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
        gate.shut();
        long[] left = {GPU_PATIENCE.toNanos()}; // of the patience with the GPU: the readers have their own time
        Closing.all(
                () -> {
                    taker.endWait();
                    Faults.reach(FaultPoint.ENDING);
                },
                () -> left[0] = awaitQueued(),
                () -> markEnded(
                        reason), // where the context is lost, too: readers learn of the end, and the key becomes free
                () -> endServing(reason),
                health::end,
                parts::leave,
                () -> releaseParts(left[0]),
                () -> Faults.reach(FaultPoint.PUBLISHER_CLOSED));
    }

    /** Waits until the GPU has announced what was published; how long it may still take for the rest, nanoseconds. */
    private long awaitQueued() {
        long deadline = System.nanoTime() + GPU_PATIENCE.toNanos();
        awaitAnnounced(deadline);
        return deadline - System.nanoTime();
    }

    /** Releases the ring and what else there is, once no other thread is in a method that uses the GPU; where one hangs there, when it comes back. */
    private void releaseParts(long patienceNanos) {
        long deadline = System.nanoTime() + patienceNanos;
        if (gate.awaitEmpty(patienceNanos)) {
            Closing.all(this::endUnpublished, () -> parts.release(deadline - System.nanoTime()));
            return;
        }
        LOG.log(
                System.Logger.Level.WARNING,
                () -> "\"" + key + "\" is closed while another thread uses its GPU for longer than 2 s: its memory is"
                        + " released when that thread is done");
        Reaper.of("publisher-" + key).submit("the memory of \"" + key + "\"", () -> {
            boolean unused = gate.isEmpty();
            if (unused) {
                Closing.all(this::endUnpublished, () -> parts.release(0));
            }
            return unused;
        });
    }

    private void markEnded(int reason) {
        MemorySegment segment = parts.segment().memory();
        Shared.setIntOpaque(segment, SegmentDescriptor.END_REASON_OFFSET, reason);
        Shared.setIntRelease(segment, SegmentDescriptor.STATE_OFFSET, SegmentDescriptor.STATE_ENDED);
        ReaderWaker.wakeAll(segment);
        Faults.reach(FaultPoint.STATE_ENDED);
    }

    private void endServing(int reason) {
        parts.segment().unlink(); // both names go first: a successor need not wait for the drain
        Faults.reach(FaultPoint.SEGMENT_UNLINKED);
        parts.server().end(reason, transport == Transport.CUDA_IPC ? DRAIN : Duration.ZERO);
        Faults.reach(FaultPoint.SERVER_ENDED);
    }

    /** Has the release of the ring wait for the copies that are queued into frames which are not published. */
    private void endUnpublished() {
        for (WritableFrame frame : frames) {
            frame.endCopies();
        }
    }

    /** The copies that are queued on the stream, of a frame that will not be published, come before the release of the ring. */
    void endBehind(int slot, long stream) {
        parts.announcer().endBehind(slot, stream);
    }

    /** Waits until the GPU has announced what was published; whether it has. */
    private boolean awaitAnnounced(long deadline) {
        long start = System.nanoTime();
        long look = start; // once in any case: a context may be lost behind the last announcement
        long now = start;
        do {
            if (now - look >= 0) {
                parts.announcer().requireContext("its GPU to announce its frames");
                look = now + Announcer.LOOK_NANOS;
            }
            if (parts.writer().announced() >= parts.writer().published()) {
                return true;
            }
            if (now - start < SPIN_NANOS) {
                Thread.onSpinWait();
            } else {
                LockSupport.parkNanos(NAP_NANOS);
            }
            now = System.nanoTime();
        } while (now - deadline < 0);
        return false;
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
         *     legacy default stream, 2 for the per-thread default stream, that of the thread which copies or publishes. What is no stream at
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
        public Builder socketDirectory(@Nullable Path directory) {
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
            if (width == 0 && height == 0) {
                throw new CuframesException(
                        ErrorCode.INVALID_ARGUMENT,
                        "the publisher of \"" + key + "\" has no frame size: call size(width, height) before open()");
            }
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
