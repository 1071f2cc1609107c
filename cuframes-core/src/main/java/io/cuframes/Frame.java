// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import java.lang.foreign.MemorySegment;

/**
 * A frame of the ring, read in place under a lease: while it is open, the publisher does not overwrite it. Close it soon, since a held frame
 * is a slot less for the publisher.
 *
 * <p>For one thread at a time; a frame may be handed to another thread and closed there. The same object serves every frame of the slot, so
 * it must not be touched after it is closed.
 */
public final class Frame implements AutoCloseable {
    private final Subscriber subscriber;
    private final int slot;
    private final Plane[] planes;
    private long seq;
    private long ptsNanos;
    private long publishTimeNanos;
    private long missed;

    Frame(Subscriber subscriber, int slot, Plane[] planes) {
        this.subscriber = subscriber;
        this.slot = slot;
        this.planes = planes;
    }

    Frame begin(long frameSeq, long pts, long publishTime, long missedBefore) {
        seq = frameSeq;
        ptsNanos = pts;
        publishTimeNanos = publishTime;
        missed = missedBefore;
        return this;
    }

    /**
     * The frame's number: the publisher's count from 1, without gaps, within an epoch.
     *
     * @return at least 1
     */
    public long seq() {
        requireOpen();
        return seq;
    }

    /**
     * Presentation time, as the publisher gave it.
     *
     * @return nanoseconds; where they count from is the source's affair
     */
    public long ptsNanos() {
        requireOpen();
        return ptsNanos;
    }

    /**
     * When the publisher called publish, on the clock of {@link System#nanoTime()}, which all processes of a host share.
     *
     * @return monotonic nanoseconds
     */
    public long publishTimeNanos() {
        requireOpen();
        return publishTimeNanos;
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
        return subscriber.format();
    }

    /**
     * Where the pixels live: whether planes have a device pointer or a segment.
     *
     * @return that of the stream
     */
    public Transport transport() {
        return subscriber.transport();
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
     * @throws IllegalArgumentException if the target is read-only, or a heap segment where it must be native
     * @throws CudaException if the copy fails
     * @throws IllegalStateException if the frame is closed
     */
    public void copyTo(MemorySegment target) {
        requireOpen();
        subscriber.copyFrame(slot, target.asSlice(0, sizeBytes()));
    }

    /**
     * Ends the lease now. All reads of the frame must be done: for device memory, synchronize the stream that reads it first, or use {@link
     * #closeOn}. Closing a closed frame does nothing.
     */
    @Override
    public void close() {
        if (seq != 0) {
            seq = 0;
            subscriber.release(slot);
        }
    }

    /**
     * Ends the lease once the work queued on the stream so far is done; returns at once. The GPU ends it. In host memory this is {@link
     * #close()}.
     *
     * @param stream CUDA stream of the ring's device that reads the frame, 0 for the legacy default stream; it must live until the subscriber
     *     is closed
     * @throws CudaException if the release cannot be queued; the frame is then still open
     */
    public void closeOn(long stream) {
        if (seq != 0) {
            subscriber.releaseOn(slot, stream);
            seq = 0;
        }
    }

    /** The subscriber is going, and ends the lease itself; tells whether there is one. */
    boolean forget() {
        boolean open = seq != 0;
        seq = 0;
        return open;
    }

    private void requireOpen() {
        if (seq == 0) {
            throw new IllegalStateException("this frame is closed");
        }
    }
}
