// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.internal.dlpack.TensorSpec;
import io.cuframes.internal.protocol.SlotDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A frame of the ring, read in place under a lease: while it is open, the publisher does not overwrite it. Close it soon, since a held frame
 * is a slot less for the publisher.
 *
 * <p>For one thread at a time; a frame may be handed to another thread and closed there. Where several threads close it at the same time, or its
 * subscriber, the lease ends once, and what the frame is used for meanwhile is either done, as it holds the lease, or throws an
 * IllegalStateException. It stays valid until it is closed, also when the
 * publisher is gone or the subscriber has connected to another one since. These objects are used again for later frames, four laps of the
 * ring later at the earliest: do not keep one after it is closed. Until then its use throws an IllegalStateException.
 */
public final class Frame implements AutoCloseable {
    private static final VarHandle SEQ;

    /** Not open any more, and not yet free to be another frame. */
    private static final long CLOSING = -1;

    /** Added to the seq while a tensor is exported, for a few instructions: whoever closes the frame meanwhile waits for them. */
    private static final long EXPORTING = 1L << 62;

    static {
        try {
            SEQ = MethodHandles.lookup()
                    .findVarHandle(Frame.class, "seq", long.class)
                    .withInvokeExactBehavior();
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Session session;
    private int slot;
    private Plane[] planes;
    private long missed;

    /** 0 while the frame is closed, CLOSING while somebody closes it, with EXPORTING while it is exported. Volatile through SEQ where threads may meet. */
    @SuppressWarnings("UnusedVariable") // through SEQ
    private long seq;

    Frame(Session session) {
        this.session = session;
    }

    Frame begin(int leasedSlot, long frameSeq, long missedBefore) {
        slot = leasedSlot;
        planes = session.planes(leasedSlot);
        missed = missedBefore;
        SEQ.setRelease(this, frameSeq); // a thread that this is not handed to meets it only as the subscriber is closed
        return this;
    }

    private boolean isOpen() {
        return (long) SEQ.getVolatile(this) > 0;
    }

    /** Whether this is still the open frame of that number. */
    boolean isStill(long number) {
        return ((long) SEQ.getVolatile(this) & ~EXPORTING) == number;
    }

    /** Whether this object may be another frame. */
    boolean isFree() {
        return (long) SEQ.getVolatile(this) == 0;
    }

    /**
     * The frame's number: the publisher's count from 1, without gaps, within an epoch.
     *
     * @return at least 1
     */
    public long seq() {
        return requireOpen();
    }

    /**
     * The number that names the publisher's incarnation which the frame is of.
     *
     * @return random, not 0
     */
    public long epoch() {
        requireOpen();
        return session.header().epoch();
    }

    /**
     * Presentation time, as the publisher gave it.
     *
     * @return nanoseconds; where they count from is the source's affair
     */
    public long ptsNanos() {
        requireOpen();
        try {
            return session.reader().ptsNanos(slot);
        } catch (IllegalStateException e) {
            throw closedMeanwhile(e);
        }
    }

    /**
     * Whether the presentation time is less than that of the frame published before: the source began anew, or its clock was set back.
     *
     * @return whether time went backwards
     */
    public boolean isPtsBackward() {
        return hasFlag(SlotDescriptor.PTS_BACKWARD);
    }

    /**
     * Whether the frame is known to have been coded without reference to another.
     *
     * @return whether it is a key frame
     */
    public boolean isKeyFrame() {
        return hasFlag(SlotDescriptor.KEY_FRAME);
    }

    /**
     * Whether the frame is known to be damaged: the decoder reported an error in it or in a frame that it is predicted from, so that its pixels may be
     * wrong. A frame without this mark may be damaged all the same, where nothing noticed it.
     *
     * @return whether the publisher marked it as damaged; false from a publisher of protocol 1.0, which has no such mark
     */
    public boolean isDamaged() {
        return hasFlag(SlotDescriptor.DAMAGED);
    }

    /**
     * Whether the source knows when the camera took the picture.
     *
     * @return whether {@link #captureTimeNanos()} means something
     */
    public boolean hasCaptureTime() {
        return hasFlag(SlotDescriptor.CAPTURE_TIME);
    }

    /**
     * When the camera took the picture, by its own clock.
     *
     * @return nanoseconds since 1970-01-01 UTC; 0 where {@link #hasCaptureTime()} is false
     */
    public long captureTimeNanos() {
        try {
            return hasCaptureTime() ? session.reader().captureTimeNanos(slot) : 0;
        } catch (IllegalStateException e) {
            throw closedMeanwhile(e);
        }
    }

    private boolean hasFlag(int flag) {
        requireOpen();
        try {
            return (session.reader().flags(slot) & flag) != 0;
        } catch (IllegalStateException e) {
            throw closedMeanwhile(e);
        }
    }

    /**
     * How many bytes of user data came with the frame.
     *
     * @return 0 to {@value WritableFrame#MAX_USER_DATA}
     */
    public int userDataLength() {
        requireOpen();
        try {
            return session.reader().userDataLength(slot);
        } catch (IllegalStateException e) {
            throw closedMeanwhile(e);
        }
    }

    /**
     * The user data that came with the frame, in place.
     *
     * @return read-only, of {@link #userDataLength()} bytes; valid until the frame is closed
     */
    public MemorySegment userData() {
        int length = userDataLength();
        return session.reader().userData(slot).asSlice(0, length);
    }

    /**
     * When the publisher called publish, on the clock of {@link System#nanoTime()} of this process, also where the publisher is in another time namespace.
     *
     * @return monotonic nanoseconds
     */
    public long publishTimeNanos() {
        requireOpen();
        try {
            return session.reader().publishTimeNanos(slot);
        } catch (IllegalStateException e) {
            throw closedMeanwhile(e);
        }
    }

    /**
     * How many frames were published between the one this subscriber was given before and this one, and never given to it.
     *
     * @return 0 where nothing was missed; for the first frame, counted from the newest frame there was when the subscriber connected
     */
    public long missed() {
        requireOpen();
        return missed;
    }

    /**
     * The geometry.
     *
     * @return that of the stream
     */
    public FrameFormat format() {
        requireOpen();
        return session.format();
    }

    /**
     * Where the pixels live: whether planes have a device pointer or a segment.
     *
     * @return that of the stream
     */
    public Transport transport() {
        requireOpen();
        return session.transport();
    }

    /**
     * Width.
     *
     * @return pixels
     */
    public int width() {
        return format().width();
    }

    /**
     * Height.
     *
     * @return pixels
     */
    public int height() {
        return format().height();
    }

    /**
     * The bytes of the frame, padding included.
     *
     * @return what {@link #copyTo} needs
     */
    public long sizeBytes() {
        return format().frameBytes();
    }

    /**
     * How many planes there are.
     *
     * @return at least 1
     */
    public int planeCount() {
        requireOpen();
        return planes.length;
    }

    /**
     * A plane.
     *
     * @param index its number in the format
     * @return the plane, the same object at each call
     * @throws IndexOutOfBoundsException if the format has no such plane
     * @throws IllegalStateException if the frame is closed
     */
    public Plane plane(int index) {
        requireOpen();
        return planes[index];
    }

    /**
     * Copies the whole frame, with the plane offsets and pitches of its format, to host memory. From device memory it is copied on the
     * subscriber's stream, and this waits for it.
     *
     * @param target at least {@link #sizeBytes()} bytes of writable memory; from device memory, native
     * @throws IndexOutOfBoundsException if the target is too small
     * @throws CuframesException code INVALID_ARGUMENT if the target is read-only, or a heap segment where it must be native; CUDA if the copy
     *     fails
     * @throws IllegalStateException if the frame is closed
     */
    public void copyTo(MemorySegment target) {
        long open = requireOpen();
        session.copyFrame(this, open, slot, target.asSlice(0, sizeBytes()));
    }

    /**
     * A plane as a tensor for another library, in place: {@code [height, width]}, or {@code [height, width, components]} where samples are
     * interleaved. The tensor holds the lease, too: the frame may be closed before it. Allocates.
     *
     * @param index the plane's number in the format
     * @return the tensor, to be handed over or closed
     * @throws IndexOutOfBoundsException if the format has no such plane
     * @throws IllegalStateException if the frame is closed
     */
    public DlpackTensor dlpack(int index) {
        long open = requireOpen();
        Plane plane = planes[index];
        return export(
                open,
                TensorSpec.ofPlane(format().pixelFormat(), plane.layout(), plane.address(), session.device(), true));
    }

    /**
     * The luma plane as a tensor for another library: {@code [height, width]}, as {@link #dlpack(int)}.
     *
     * @return the tensor, to be handed over or closed
     * @throws CuframesException code UNSUPPORTED if the format has no plane of its own for luma
     * @throws IllegalStateException if the frame is closed
     */
    public DlpackTensor dlpackY() {
        requireComponents(0, 1, "luma");
        return dlpack(0);
    }

    /**
     * The interleaved chroma plane as a tensor for another library: {@code [height/2, width/2, 2]}, as {@link #dlpack(int)}.
     *
     * @return the tensor, to be handed over or closed
     * @throws CuframesException code UNSUPPORTED if the format has no plane of interleaved chroma
     * @throws IllegalStateException if the frame is closed
     */
    public DlpackTensor dlpackUv() {
        requireComponents(1, 2, "interleaved chroma");
        return dlpack(1);
    }

    private void requireComponents(int index, int components, String what) {
        requireOpen();
        PixelFormat pixels = format().pixelFormat();
        if (index >= planes.length || planes[index].layout().sampleBytes() != components * pixels.componentBytes()) {
            throw new CuframesException(
                    ErrorCode.UNSUPPORTED, pixels + " has no plane of " + what + ": use dlpack() or dlpack(index)");
        }
    }

    /**
     * The whole frame as one tensor for another library, as {@link #dlpack(int)}: its plane if it has one, else the rows of all planes, one below
     * the other. NV12 is {@code [height * 3/2, width]}, which is how OpenCV takes it.
     *
     * @return the tensor, to be handed over or closed
     * @throws CuframesException code UNSUPPORTED if the planes do not lie so, with rows of the same length
     * @throws IllegalStateException if the frame is closed
     */
    public DlpackTensor dlpack() {
        long open = requireOpen();
        Plane first = planes[0];
        return export(open, TensorSpec.ofFrame(format(), first.address() - first.offset(), session.device(), true));
    }

    /**
     * A tensor that is counted as a user of the lease while this frame is one, so that no close comes between: neither one that ends the lease, nor one
     * that unmaps.
     */
    private DlpackTensor export(long open, TensorSpec spec) {
        DlpackTensor tensor = session.tensor(slot, spec); // first, since memory may be short
        while (!SEQ.compareAndSet(this, open, open | EXPORTING)) {
            if (!isStill(open)) {
                throw closed();
            }
            Thread.onSpinWait(); // another thread exports
        }
        try {
            session.addExport(slot);
        } finally {
            SEQ.setVolatile(this, open);
        }
        return tensor;
    }

    /**
     * Ends the lease now. All reads of the frame must be done: for device memory, synchronize the stream that reads it first, or use {@link
     * #closeOn}; a write of a plane to a channel has to have returned. Closing a closed frame does nothing.
     */
    @Override
    public void close() {
        long open = beginClose();
        if (open != 0) {
            try {
                session.release(slot);
            } catch (Throwable e) {
                session.countError();
                reopen(open);
                throw e;
            }
            finishClose();
        }
    }

    /**
     * Ends the lease once the work queued on the stream so far is done; returns at once. The GPU ends it. In host memory this is {@link
     * #close()}.
     *
     * @param stream CUDA stream of the ring's device that reads the frame, 0 or 1 for the legacy default stream, 2 for that of the calling thread. It may
     *     be destroyed as soon as this returns
     * @throws CuframesException code INVALID_ARGUMENT if the stream is of another device, CUDA if the release cannot be queued; the frame is then
     *     still open
     */
    public void closeOn(long stream) {
        long open = beginClose();
        if (open != 0) {
            try {
                session.releaseOn(slot, stream);
            } catch (Throwable e) {
                session.countError();
                reopen(open);
                throw e;
            }
            finishClose();
        }
    }

    /** Of all who close the frame, one gets its seq, and the others 0. Until that one is done, this object stays that frame's. */
    private long beginClose() {
        long open = (long) SEQ.getVolatile(this);
        if (open > 0 && (open & EXPORTING) == 0 && SEQ.compareAndSet(this, open, CLOSING)) {
            return open;
        }
        return open > 0 ? beginContendedClose(open & ~EXPORTING) : 0;
    }

    /** Another thread closes the frame, too, or exports it. */
    private long beginContendedClose(long open) {
        while (isStill(open)) {
            if (SEQ.compareAndSet(this, open, CLOSING)) {
                return open;
            }
            Thread.onSpinWait(); // for the few instructions that an export takes
        }
        return 0;
    }

    /** The lease is ended. Volatile: who unmaps looks at this after it has retired the session, and {@link Session#released} looks whether it has. */
    private void finishClose() {
        SEQ.setVolatile(this, 0L);
        session.released();
    }

    /** The close failed: the frame is open as before, unless it was what comes after the lease that failed. */
    private void reopen(long open) {
        if (session.isUsed(slot)) {
            SEQ.setVolatile(this, open);
        } else {
            finishClose();
        }
    }

    /** Closes the frame of a subscriber that is going, whatever the GPU says. */
    void abandon() {
        if (beginClose() != 0) {
            session.abandon(slot);
            SEQ.setVolatile(this, 0L);
        }
    }

    /** The frame's number. */
    private long requireOpen() {
        long open = (long) SEQ.getVolatile(this);
        if (open <= 0) {
            throw closed();
        }
        return open & ~EXPORTING;
    }

    private IllegalStateException closed() {
        return new IllegalStateException(
                "this frame of \"" + session.key() + "\" is closed: take another from the subscriber");
    }

    /** What to throw where memory was found to be unmapped: that another thread has closed the subscriber, and this frame with it. */
    private IllegalStateException closedMeanwhile(IllegalStateException unmapped) {
        return isOpen() && !session.isClosing() ? unmapped : closed();
    }
}
