// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.PublisherGoneException.Reason;
import io.cuframes.internal.connect.Connection;
import io.cuframes.internal.cuda.CudaDevice;
import io.cuframes.internal.cuda.DeviceReads;
import io.cuframes.internal.dlpack.TensorSpec;
import io.cuframes.internal.events.GapEvent;
import io.cuframes.internal.events.ReceiveEvent;
import io.cuframes.internal.events.Recordings;
import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import io.cuframes.internal.memory.RingView;
import io.cuframes.internal.os.ArenaEnd;
import io.cuframes.internal.os.Closing;
import io.cuframes.internal.os.Reaper;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.DeviceUuid;
import io.cuframes.internal.protocol.HeadWord;
import io.cuframes.internal.protocol.MessageDescriptor;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.SegmentHeader;
import io.cuframes.internal.protocol.Shared;
import io.cuframes.internal.ring.HeadWaiter;
import io.cuframes.internal.ring.ReadTally;
import io.cuframes.internal.ring.RingReader;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;

/**
 * What a subscriber has of one epoch: the connection, and the frames it leases there. It outlives the epoch, and the subscriber too, for as
 * long as a lease of it is held: what is mapped goes with the last one.
 *
 * <p>One thread at a time calls {@link #next}; everything else is safe from any thread.
 */
final class Session {
    private static final System.Logger LOG = System.getLogger(Session.class.getName());

    /** How long a reader may hold all the frames it may, and wait for more, before it is worth a line in the log. */
    private static final long FULL_NANOS = 2_000_000_000L;

    /** How often that is logged at most. */
    private static final long FULL_PERIOD_NANOS = 10_000_000_000L;

    /** How often a waiting reader looks whether its publisher lives: docs/protocol.md, section 9. */
    private static final long LIVENESS_NANOS = 50_000_000;

    /** How often a close wakes a {@code next} that was not asleep yet. */
    private static final long CLOSE_RETRY_NANOS = 100_000;

    /** How long a reader naps whose leases are all in the hands of its GPU. */
    private static final long GPU_NAP_NANOS = 50_000;

    /** A handle is given out again after this many laps of the ring at the earliest. */
    private static final int HANDLES_PER_SLOT = 4;

    private static final int RETIRED = 1;
    private static final int UNMAPPED = 2;
    private static final int ENTERED = 4;
    private static final long NO_STREAM = -1;

    private final String key;
    private final String name;
    private final Connection connection;
    private final SubscriberMode mode;
    private final ReadTally tally;
    private final DeviceReads deviceReads;
    private final SessionRemains remains;
    private final boolean strict;
    private final RingReader reader;
    private final HeadWaiter waiter;

    /** The planes of each slot. */
    private final Plane[][] slots;

    /** Handed out in turn, so that one that is kept after it was closed is not soon another frame. */
    private final Frame[] frames;

    private int nextFrame;

    /** The slots that were leased when last looked at, as bits: at least those that are. Of the thread that takes. */
    private long leased;

    private final int maxLeases;

    /** Users of each slot's lease: its frame, and what was exported of it; 0 too where it is left to a GPU to end the lease. */
    private final AtomicIntegerArray users;

    /** Whether a user of the slot's lease left its reads to a stream while there were other users. Changed under this lock, or by the last user. */
    private final boolean[] handedOver;

    /** Tensors exported and not given back. */
    private final AtomicInteger exports = new AtomicInteger();

    /** Nothing more is exported: the subscriber is being closed, and the ring may be unmapped ahead of its frames. */
    private volatile boolean closing;

    /** RETIRED: nothing more is taken; UNMAPPED; and ENTERED times the number of threads inside a method that uses the mappings. */
    private final AtomicInteger gate = new AtomicInteger();

    /** Whether the thread that takes is inside, which {@link #gate} does not count: apart from it, a frame costs one full fence less. */
    private final AtomicBoolean taking = new AtomicBoolean();

    /** The rest of a close that a thread inside was in the way of; null if none was. */
    private volatile Reaper.Pending late;

    /** How the publisher went; null as long as it is there. */
    private Reason gone;

    /** The publisher is gone, and no frame is left to take. */
    private boolean over;

    /** A frame was missed where the publisher waits for strict readers: perhaps it does not wait for this one any more. */
    private boolean suspicious;

    /** When the thread that takes found that it holds as many frames as it may; 0 if it has taken one since. */
    private long fullSince;

    private long lastLook = System.nanoTime();

    /** When that was logged last. */
    private long fullLogged = lastLook - FULL_PERIOD_NANOS;

    /** When the thread that takes last looked whether the CUDA context works. */
    private long lastContextLook = lastLook;

    /** The CUDA context is lost; null as long as it works. For the thread that takes. */
    private CudaException lost;

    /** When the thread that takes found nothing, and began to wait. */
    private long waitBeganNanos = lastLook;

    /** The thread that takes frames, while it waits for a lease to end. */
    private volatile Thread waitingForRoom;

    /**
     * Begins to read.
     *
     * @param key the stream
     * @param connection this session's from now on, unless this throws
     * @param options of the subscriber
     * @param tally counts on
     * @param before the subscriber's session before this one, which takes no more, or null: in the same epoch, no frame is given twice
     */
    Session(String key, Connection connection, Subscriber.Options options, ReadTally tally, Session before) {
        this.key = key;
        this.connection = connection;
        this.mode = options.mode();
        this.name = options.connector().name();
        this.tally = tally;
        Faults.reach(FaultPoint.RING_MAPPED);
        RingView view = connection.ring();
        this.slots = new Plane[header().ring().slots()][];
        Arrays.setAll(slots, slot -> Plane.of(format(), view.address(slot), view.host(slot)));
        this.frames = new Frame[HANDLES_PER_SLOT * slots.length];
        Arrays.setAll(frames, handle -> new Frame(this));
        this.users = new AtomicIntegerArray(slots.length);
        this.handedOver = new boolean[slots.length];
        this.maxLeases = connection.maxLeases();
        this.strict = options.mode() == SubscriberMode.STRICT_ORDER;
        this.reader = new RingReader(connection.segment(), connection.control(), slots.length, options.mode(), tally);
        this.waiter = new HeadWaiter(connection.segment(), connection.control(), slots.length, options.waitStrategy());
        this.deviceReads = transport().isDevice()
                ? new DeviceReads(connection.device(), connection.control(), options.stream())
                : null;
        try {
            this.remains = new SessionRemains(key, connection, deviceReads);
            begin(before);
        } catch (Throwable e) {
            Closing.undo(e, deviceReads); // the connection is still the caller's, and unmaps what this has registered
            throw e;
        }
    }

    /** Takes a place in the ring and says so. */
    private void begin(Session before) {
        if (deviceReads != null) { // plain stores: the publisher looks at it once READY, which is sent below, has come
            device().uuid()
                    .write(connection.control().asSlice(ControlDescriptor.DEVICE_UUID_OFFSET, DeviceUuid.LENGTH));
        }
        if (before != null && before.header().epoch() == header().epoch()) {
            reader.resumeAfter(before.reader.cursor());
        } else {
            passOverStaleFrame();
        }
        Faults.reach(FaultPoint.CURSOR_SET);
        connection.ready(); // the reader has its place: whoever counts this subscriber now may publish for it
        Faults.reach(FaultPoint.READY_SENT);
    }

    /**
     * Waits for the next frame.
     *
     * @param patient whether to wait for a lease to end where as many are held as may be, rather than throw
     * @return the frame; or null when the time is over, the thread is interrupted, this session is retired, or {@link #gone} tells that none
     *     will come
     */
    Frame next(long timeoutNanos, boolean patient) {
        if (lost != null) {
            throw new CudaException(lost.call(), lost.status(), lost.getMessage());
        }
        if (!enterToTake()) {
            return null;
        }
        Frame frame = null;
        try {
            if (!patient) {
                requireRoom();
            }
            frame = takeReady();
            if (frame == null) {
                frame = await(timeoutNanos);
            }
        } finally {
            leaveTaking(frame);
        }
        return frame;
    }

    /** When the {@link #next} before found nothing and began to wait, monotonic: nobody looks at a clock for a frame that is ready. */
    long waitBeganNanos() {
        return waitBeganNanos;
    }

    private Frame await(long timeoutNanos) {
        long start = System.nanoTime();
        waitBeganNanos = start;
        long now = start;
        while (!over) {
            long seen = reader.head();
            Frame frame = take(now);
            if (frame != null || over) {
                return frame;
            }
            requireContext(now);
            long left = timeoutNanos - (now - start);
            if (left <= 0) {
                reader.countTimeout();
                return null;
            }
            if (Thread.currentThread().isInterrupted() || isRetired()) {
                return null;
            }
            if (isFull()) {
                noteFull(now);
                awaitRoom(left);
            } else {
                waiter.await(seen, Math.min(left, LIVENESS_NANOS));
                frame = takeReady();
                if (frame != null) {
                    return frame;
                }
            }
            now = System.nanoTime();
        }
        return null;
    }

    /** Says, once it has lasted and then now and then, that this reader gets no frames because it closes none. */
    private void noteFull(long now) {
        if (held() < maxLeases) { // a GPU is to end some
            return;
        }
        if (fullSince == 0) {
            fullSince = now;
        } else if (now - fullSince >= FULL_NANOS && now - fullLogged >= FULL_PERIOD_NANOS) {
            fullLogged = now;
            int held = held();
            long seconds = (now - fullSince) / 1_000_000_000;
            LOG.log(
                    System.Logger.Level.WARNING,
                    () -> "subscriber " + (name.isEmpty() ? "" : "\"" + name + "\" ") + "of \"" + key + "\" holds "
                            + held
                            + " frames, as many as it may, and has waited for " + seconds
                            + " s for one of them to be closed: it gets no more until then. Close each frame once it is"
                            + " used; to keep a picture, copy it");
        }
    }

    /** Throws if the context is lost, now and for good: no GPU will end a lease then, and no frame can be read. Asks only so often. */
    private void requireContext(long now) {
        if (deviceReads == null || now - lastContextLook < DeviceReads.LOOK_NANOS) {
            return;
        }
        lastContextLook = now;
        try {
            deviceReads.requireContext(key, "a frame");
        } catch (CudaException e) {
            lost = e;
            throw e;
        }
    }

    private void requireRoom() {
        if (isFull()) {
            int held = held();
            if (held >= maxLeases) {
                throw new CuframesException(
                        ErrorCode.NO_SLOT,
                        "this subscriber of \"" + key + "\" holds " + held
                                + " frames, as many as it may: close one first");
            }
        }
    }

    /**
     * Whether all the frames this subscriber may hold are held, be it by a GPU that is to end the lease. The publisher counts the leases, so what
     * is looked at are those: a lease that is being ended is one until it has ended. They are looked at only where it may be so.
     */
    private boolean isFull() {
        if (Long.bitCount(leased) < maxLeases) {
            return false;
        }
        for (long slots = leased; slots != 0; slots &= slots - 1) {
            if (!reader.leases(Long.numberOfTrailingZeros(slots))) {
                leased &= ~Long.lowestOneBit(slots);
            }
        }
        return Long.bitCount(leased) >= maxLeases;
    }

    /** Leases held, other than by a GPU that is to end them. */
    private int held() {
        int held = 0;
        for (int slot = 0; slot < slots.length; slot++) {
            held += users.get(slot) == 0 ? 0 : 1;
        }
        return held;
    }

    /** Sleeps until a lease ends, for a while at most. One that a GPU ends wakes nobody. */
    private void awaitRoom(long nanos) {
        waitingForRoom = Thread.currentThread();
        VarHandle.fullFence(); // store that, then look at the leases; who ends one does it the other way round
        if (held() >= maxLeases) {
            LockSupport.parkNanos(this, Math.min(nanos, LIVENESS_NANOS));
        } else if (isFull()) {
            LockSupport.parkNanos(this, Math.min(nanos, GPU_NAP_NANOS));
        }
        waitingForRoom = null;
    }

    /** The next frame, if nothing is in the way of it: neither a clock nor the socket is looked at. Null says nothing. */
    private Frame takeReady() {
        if (over || suspicious || isFull()) {
            return null;
        }
        long word = reader.take();
        return word == RingReader.NOTHING ? null : open(word);
    }

    /** The next frame, or null: then there is none now, or, if {@code over} says so, none will come. */
    private Frame take(long now) {
        if (isFull()) {
            over = isGone(now) && !reader.hasNext();
            return null;
        }
        if (!suspicious || !isGone(now) || gone != Reason.STALLED) {
            long word = reader.take();
            if (word == RingReader.NOTHING && isGone(now)) {
                word = reader.take(); // announced between the look at the ring and the end
            }
            if (word != RingReader.NOTHING) {
                return open(word);
            }
        }
        over = gone != null;
        return null;
    }

    private Frame open(long word) {
        int slot = HeadWord.slot(word);
        fullSince = 0;
        if (users.get(slot) != 0) {
            throw new CuframesException(
                    ErrorCode.PROTOCOL,
                    "the publisher of \"" + key + "\" announced frame " + HeadWord.seq(word) + " in slot " + slot
                            + ", which this subscriber leases: its segment is damaged");
        }
        suspicious = strict && reader.missedBefore() > 0 && header().policy() != PublishPolicy.DROP_OLDEST;
        if (deviceReads != null) {
            deviceReads.leased(slot);
        }
        leased |= 1L << slot;
        users.setOpaque(slot, 1); // whoever is to see it is handed the frame
        long seq = HeadWord.seq(word);
        record(seq, reader.missedBefore());
        Faults.reach(FaultPoint.FRAME_DELIVERED);
        return nextHandle().begin(slot, seq, reader.missedBefore());
    }

    /** Tells a flight recording, if there is one. */
    private void record(long seq, long missed) {
        if (!Recordings.possible()) {
            return;
        }
        long epoch = header().epoch();
        ReceiveEvent.record(key, epoch, seq, tally.lastLatencyNanos(), missed);
        if (missed > 0) {
            GapEvent.record(key, epoch, missed, seq - missed - 1, mode);
        }
    }

    private Frame nextHandle() {
        Frame frame;
        do {
            frame = frames[nextFrame];
            nextFrame = nextFrame + 1 == frames.length ? 0 : nextFrame + 1; // a division takes as long as a fence
        } while (!frame.isFree()); // at most one for each slot is not
        return frame;
    }

    /** Whether the publisher has ended or died; asks the socket only so often, since that is a call into the kernel. */
    private boolean isGone(long now) {
        if (gone == null && reader.ended()) {
            gone = reason(reader.endReason());
        }
        if (gone == null && (suspicious || now - lastLook >= LIVENESS_NANOS / 2)) {
            suspicious = false;
            lastLook = now;
            if (connection.isCut()) {
                int farewell = connection.farewell();
                gone = reader.ended() ? reason(reader.endReason()) : farewell == 0 ? Reason.DIED : reason(farewell);
            }
        }
        return gone != null;
    }

    private static Reason reason(int bye) {
        return switch (bye) {
            case MessageDescriptor.BYE_FORMAT_CHANGED -> Reason.FORMAT_CHANGED;
            case MessageDescriptor.BYE_STALLED -> Reason.STALLED;
            case MessageDescriptor.BYE_EVICTED -> Reason.EVICTED;
            default -> Reason.ENDED;
        };
    }

    /** Looks whether the publisher is gone and no frame is left, without taking one. For the thread that calls {@link #next}. */
    boolean isOver() {
        if (!over && enter(RETIRED)) {
            try {
                over = isGone(System.nanoTime()) && !reader.hasNext();
            } finally {
                leave();
            }
        }
        return over;
    }

    /** Why no further frame will come; null while one may. For the thread that calls {@link #next}. */
    Reason gone() {
        return over ? gone : null;
    }

    /** Says in words how the publisher went. */
    String farewell() {
        String publisher = "its publisher (process " + header().pid() + ")";
        return "\"" + key + "\" is over after frame " + reader.cursor() + ": "
                + switch (gone) {
                    case ENDED -> publisher + " ended it";
                    case FORMAT_CHANGED -> publisher + " goes on with another format: connect again";
                    case STALLED ->
                        publisher + " does not wait for this subscriber any longer, which took no frame for its grace"
                                + " period: take frames sooner, or have the publisher wait longer";
                    case EVICTED ->
                        publisher + " cut this subscriber off for leasing more than " + connection.maxLeases()
                                + " frames at a time; what it still held may have been overwritten";
                    case DIED -> publisher + " died or cut this subscriber off";
                };
    }

    /**
     * Copies a frame's bytes.
     *
     * @param frame that is being copied, with its number: it must still be open once it is, or what was copied may be another's
     */
    void copyFrame(Frame frame, long seq, int slot, MemorySegment target) {
        try {
            copy(frame, seq, slot, target);
        } catch (CuframesException e) {
            countError();
            throw e;
        }
    }

    /** Counts an exception that a caller was given. */
    void countError() {
        tally.countError();
    }

    private void copy(Frame frame, long seq, int slot, MemorySegment target) {
        if (target.isReadOnly() || (deviceReads != null && !target.isNative())) {
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT,
                    "a frame can be copied to writable memory, and from the GPU to native memory only: " + target);
        }
        if (!enter(UNMAPPED)) {
            throw new IllegalStateException("the subscriber of \"" + key + "\" is closed");
        }
        try {
            if (deviceReads != null) {
                deviceReads.copy(connection.ring().address(slot), target);
            } else {
                copyHost(connection.ring().host(slot), target);
            }
            if (!frame.isStill(seq)) { // a close of this session waits for who is inside, but not for who comes after
                throw new IllegalStateException(
                        "this frame of \"" + key + "\" was closed by another thread while it was copied");
            }
        } finally {
            leave();
        }
    }

    private void copyHost(MemorySegment source, MemorySegment target) {
        try {
            MemorySegment.copy(source, 0, target, 0, target.byteSize());
        } catch (IllegalStateException e) {
            if (!closing) {
                throw e; // it is about the target
            }
            throw new IllegalStateException(
                    "this frame of \"" + key + "\" was closed with its subscriber while it was copied", e);
        }
    }

    /** A tensor in the memory of a leased slot. It is used only if {@link #addExport} makes it a user of the lease. */
    DlpackTensor tensor(int slot, TensorSpec spec) {
        return DlpackTensor.export(spec, stream -> {
            if (stream == DlpackTensor.NO_STREAM) {
                release(slot);
                endExport();
            } else {
                releaseForConsumer(slot, stream);
            }
        });
    }

    /** One user more of a lease; only while a frame is one, and is kept from being closed. */
    void addExport(int slot) {
        exports.incrementAndGet();
        users.incrementAndGet(slot);
        if (closing) { // who closes sets that, and then looks at the exports
            release(slot);
            endExport();
            throw new IllegalStateException("the subscriber of \"" + key + "\" is closed");
        }
    }

    /** As {@link #releaseOn}, for a consumer that is not there to try again: where the GPU cannot end the lease, waits until it has nothing to do. */
    private void releaseForConsumer(int slot, long stream) {
        try {
            releaseOn(slot, stream);
        } catch (Throwable e) {
            countError();
            deviceReads.awaitIdle();
            synchronized (this) {
                handedOver[slot] = false; // those reads are done, too
            }
            release(slot);
            endExport();
            throw e;
        }
        endExport();
    }

    private void endExport() {
        exports.decrementAndGet();
        released();
    }

    /** One user of a lease less; all its reads are done. The lease ends with the last. To be followed by {@link #released}. */
    void release(int slot) {
        if (users.get(slot) == 1) {
            endLease(slot, NO_STREAM);
            return;
        }
        synchronized (this) {
            if (users.get(slot) == 1) {
                endLease(slot, NO_STREAM);
            } else {
                users.decrementAndGet(slot);
            }
        }
    }

    /**
     * One user of a lease less; its reads are done when the stream has come to the end of what is queued on it now. The stream is not kept: the handle of
     * a per-thread default stream means another one to the thread that ends the lease, and any other may be destroyed by then.
     */
    void releaseOn(int slot, long stream) {
        if (deviceReads == null) {
            release(slot);
            return;
        }
        deviceReads.require(stream);
        if (isOnlyUser(slot)) {
            endLease(slot, stream);
            return;
        }
        synchronized (this) {
            if (isOnlyUser(slot)) { // by now
                endLease(slot, stream);
                return;
            }
            deviceReads.endBehind(slot, stream);
            handedOver[slot] = true;
            if (users.get(slot) == 1) {
                endLease(slot, NO_STREAM);
            } else {
                users.decrementAndGet(slot);
            }
        }
    }

    /** Whether the caller is the one user of a lease, and no earlier one left reads to a stream. */
    private boolean isOnlyUser(int slot) {
        return users.get(slot) == 1 && !handedOver[slot];
    }

    /**
     * All that this process keeps of the lease is cleared before the lease itself: with that, the slot may be leased anew. The lease's release
     * store orders it, also for the thread that takes: it finds the slot announced again only by what the publisher stored after it saw the lease end.
     *
     * @param stream that the GPU is to end it on, NO_STREAM for the CPU; not looked at where reads were left to streams, behind which it then ends
     */
    private void endLease(int slot, long stream) {
        boolean behind = handedOver[slot];
        if (behind) {
            handedOver[slot] = false;
        }
        users.setOpaque(slot, 0);
        Faults.reach(FaultPoint.FRAME_RELEASING);
        if (behind || stream != NO_STREAM) {
            endLeaseByGpu(slot, stream, behind);
        } else {
            reader.release(slot);
        }
        Faults.reach(FaultPoint.FRAME_RELEASED);
    }

    private void endLeaseByGpu(int slot, long stream, boolean behind) {
        try {
            if (behind) {
                deviceReads.releaseBehind(slot);
            } else {
                deviceReads.release(slot, stream);
            }
        } catch (RuntimeException e) {
            handedOver[slot] = behind;
            users.set(slot, 1);
            throw e;
        }
    }

    /**
     * Sees to what waits for a lease to end, once a user of one says that it is none any more: its frame's SEQ is 0, or {@link #exports} one less.
     * Both are volatile writes, and what is looked at here are volatile reads: whoever retires this session, or waits for room, writes and reads the
     * other way round, so that one of the two sees the other.
     */
    void released() {
        if ((gate.get() & RETIRED) != 0) {
            try {
                unmapIfUnused();
            } catch (Throwable e) {
                countError();
                throw e;
            }
        }
        wakeForRoom();
    }

    /** Ends the lease of a frame that is its last user, and whose GPU cannot be told to: the device is lost, or the stream is no more. */
    void abandon(int slot) {
        handedOver[slot] = false;
        users.set(slot, 0);
        reader.release(slot);
    }

    boolean isUsed(int slot) {
        return users.get(slot) != 0;
    }

    /** Takes no more frames; those held stay valid, and the last one closed takes the mappings with it. */
    void retire() {
        stop();
        unmapIfUnused();
    }

    /** Takes no more frames. Wakes a {@link #next} that sleeps; one that is about to sleep looks again after 50 ms. Returns at once. */
    void stop() {
        gate.getAndUpdate(state -> state | RETIRED);
        wake();
    }

    private void wake() {
        if (enter(UNMAPPED)) { // its address is a number, and may be other memory's once this is unmapped
            try {
                waiter.wake();
            } finally {
                leave();
            }
        }
        wakeForRoom();
    }

    private void wakeForRoom() {
        Thread waiting = waitingForRoom;
        if (waiting != null) {
            LockSupport.unpark(waiting);
        }
    }

    /**
     * Takes no more frames and closes those held; only what was exported of them keeps its lease, and the mappings. What the GPU is not done with is
     * released later. Where a native call reads a frame in host memory, all are closed when that ends, and this returns all the same.
     *
     * @param deadline until when threads are waited for that copy a frame, of {@link System#nanoTime()}; where one does for longer, the rest of this comes
     *     after it
     */
    void close(long deadline) {
        stop();
        while (isBusy() && System.nanoTime() - deadline < 0) {
            wake();
            LockSupport.parkNanos(CLOSE_RETRY_NANOS);
        }
        if (isBusy()) {
            late = Reaper.of(transport().isDevice() ? DeviceReads.lane(device()) : "host")
                    .submit(
                            "a subscriber of \"" + key + "\" that closes as a frame of it is copied",
                            this::closeOnceQuiet);
            return;
        }
        closeOnceUnread();
    }

    /** Whether the mappings go, though frames are open still. */
    boolean isClosing() {
        return closing;
    }

    /** Whether a thread is inside a method that uses the mappings. */
    private boolean isBusy() {
        return gate.get() >= ENTERED || taking.get();
    }

    private boolean closeOnceQuiet() {
        if (isBusy()) {
            wake();
            return false;
        }
        closeOnceUnread();
        return true;
    }

    /** Closes the frames; if a native call reads one in host memory, once that has ended. */
    private void closeOnceUnread() {
        boolean contextLost = leaveRing();
        closing = true;
        if (exports.get() != 0) { // the mappings stay, whoever reads them
            closeFrames(contextLost);
            return;
        }
        // The ring goes first: a frame that a native call reads keeps its lease, and the connection, until that call
        // has ended.
        ArenaEnd.close("the ring of \"" + key + "\"", () -> {
            boolean unmapped = connection.ring().tryUnmap();
            if (unmapped) {
                closeFrames(contextLost);
            }
            return unmapped;
        });
    }

    private void closeFrames(boolean contextLost) {
        AutoCloseable[] closes = new AutoCloseable[frames.length];
        Arrays.setAll(closes, handle -> () -> closeOrAbandon(frames[handle], contextLost));
        Closing.all(() -> Closing.all(closes), this::unmapIfUnused);
    }

    private static void closeOrAbandon(Frame frame, boolean contextLost) {
        try {
            frame.close();
        } catch (Throwable e) {
            frame.abandon();
            if (!contextLost || !(e instanceof CudaException)) { // that it is lost is no failure of this close
                throw e;
            }
        }
    }

    /**
     * Has the publisher wait for this reader no longer. Where the context is lost, nothing reads the ring any more, whatever is held: the leases end now.
     * Returns whether it is lost.
     */
    private boolean leaveRing() {
        if (!enter(UNMAPPED)) {
            return false;
        }
        try {
            reader.leave();
            boolean contextLost = deviceReads != null && deviceReads.isContextLost();
            if (contextLost) {
                connection.disconnect();
            }
            return contextLost;
        } finally {
            leave();
        }
    }

    /**
     * Waits for what {@link #close} left to be released, as far as nobody holds it.
     *
     * @param deadline of {@link System#nanoTime()}
     * @return whether there is nothing left to wait for
     */
    boolean awaitReleased(long deadline) {
        Reaper.Pending pending = late;
        return (pending == null || pending.await(deadline - System.nanoTime())) && remains.await(deadline);
    }

    /** Releases the mappings if nobody uses them. Blocks for no GPU: whoever closes the last frame of a session that is over comes here. */
    private void unmapIfUnused() {
        // In this order: once the gate and the flag say that nobody is inside, nothing more is taken, and what is not
        // held stays so.
        if (gate.get() == RETIRED && !taking.get() && !isHeld() && gate.compareAndSet(RETIRED, RETIRED | UNMAPPED)) {
            reader.leave();
            remains.release();
        }
    }

    /** Whether somebody has a frame or a tensor, or is about to end the lease of one. */
    private boolean isHeld() {
        if (exports.get() != 0) {
            return true;
        }
        for (Frame frame : frames) {
            if (!frame.isFree()) {
                return true;
            }
        }
        return false;
    }

    /**
     * As {@link #enter}, for the one thread that takes. A volatile write, then a volatile read of the gate; who retires this session does it the other
     * way round: either this thread stays outside, or it is seen to be inside.
     */
    private boolean enterToTake() {
        taking.set(true);
        if ((gate.get() & (RETIRED | UNMAPPED)) != 0) {
            leaveTaking(null);
            return false;
        }
        return true;
    }

    /**
     * Ends what {@link #enterToTake} began. With a frame taken, release is enough and nothing is to be looked at: whoever closes that frame comes
     * later, and sees to the mappings if this session was retired meanwhile.
     */
    private void leaveTaking(Frame taken) {
        if (taken != null) {
            taking.setRelease(false);
            return;
        }
        taking.set(false);
        if (isRetired()) {
            unmapIfUnused();
        }
    }

    /** Keeps the mappings where they are until {@link #leave}, unless one of those bits is set. */
    private boolean enter(int unless) {
        if ((gate.getAndAdd(ENTERED) & (unless | UNMAPPED)) != 0) {
            leave();
            return false;
        }
        return true;
    }

    private void leave() {
        if (gate.addAndGet(-ENTERED) == RETIRED) {
            unmapIfUnused();
        }
    }

    private boolean isRetired() {
        return (gate.get() & RETIRED) != 0;
    }

    /** Whether the mappings are gone, and nothing is left to close or to report. */
    boolean isReleased() {
        return (gate.get() & UNMAPPED) != 0 && remains.isReleased();
    }

    /** Leases held, those included that a GPU is to end. From any thread. */
    int leases() {
        if (deviceReads == null || !enter(UNMAPPED)) {
            return held();
        }
        try {
            return held() + deviceReads.pending();
        } finally {
            leave();
        }
    }

    /** Frames published and not taken yet; 0 once the mappings are gone. From any thread. */
    long lag() {
        if (!enter(UNMAPPED)) {
            return 0;
        }
        try {
            return reader.lag();
        } finally {
            leave();
        }
    }

    /** For how long the publisher has announced nothing, while nothing was left to take; 0 once the mappings are gone. From any thread. */
    long silentNanos() {
        if (!enter(UNMAPPED)) {
            return 0;
        }
        try {
            return readIdle() ? 0 : reader.silentNanos(System.nanoTime());
        } finally {
            leave();
        }
    }

    /** Whether the publisher says that it publishes nothing on purpose; false once the mappings are gone. From any thread. */
    boolean isPublisherIdle() {
        if (!enter(UNMAPPED)) {
            return false;
        }
        try {
            return readIdle();
        } finally {
            leave();
        }
    }

    private boolean readIdle() {
        return Shared.getIntAcquire(connection.segment(), SegmentDescriptor.IDLE_OFFSET) != 0;
    }

    /** Begins behind a frame from before the publisher was idle: it may be hours old. */
    private void passOverStaleFrame() {
        long newest = HeadWord.seq(reader.head());
        if (newest <= Shared.getLongAcquire(connection.segment(), SegmentDescriptor.IDLE_AFTER_OFFSET)) {
            reader.resumeAfter(newest);
        }
    }

    String key() {
        return key;
    }

    SegmentHeader header() {
        return connection.header();
    }

    FrameFormat format() {
        return connection.header().format();
    }

    Transport transport() {
        return connection.header().ring().transport();
    }

    /** The consumer stream; 0 in host memory. */
    long stream() {
        return deviceReads == null ? 0 : deviceReads.stream();
    }

    /** The GPU that the ring is read on; null for host memory. */
    CudaDevice device() {
        return connection.device();
    }

    /** Transport and GPUs in words. */
    String describe() {
        CudaDevice device = device();
        if (device == null) {
            return transport().toString();
        }
        DeviceUuid owner = header().ring().device();
        return transport() + " on device " + device + (device.uuid().equals(owner) ? "" : ", from a ring on " + owner);
    }

    Plane[] planes(int slot) {
        return slots[slot];
    }

    /** What is said of the leased frame in a slot, besides its pixels. */
    RingReader reader() {
        return reader;
    }

    int slotCount() {
        return slots.length;
    }
}
