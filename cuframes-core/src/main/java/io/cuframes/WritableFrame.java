// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import io.cuframes.internal.protocol.SlotDescriptor;
import java.lang.foreign.MemorySegment;

/**
 * A slot of the ring in the publisher's hands: fill its planes, say what else is known of the frame, then publish it. Closing it unpublished
 * gives the slot back; after publishing, closing does nothing.
 *
 * <p>Not thread-safe: for the publisher's thread, or for one thread at a time that this hands it to; its planes may be filled by others, as long as they
 * are done when it is published. Copies that another thread has queued, also on its own default stream, are waited for where this says so. These
 * objects are used again for later frames, four laps of the ring later at the earliest: do not keep one after it is published or closed. Until then
 * its use throws an IllegalStateException.
 */
public final class WritableFrame implements AutoCloseable {
    /** The most bytes of user data a frame carries. */
    public static final int MAX_USER_DATA = SlotDescriptor.MAX_USER_DATA;

    /** No stream has this handle. */
    private static final long NO_STREAM = -1;

    private final Publisher publisher;
    private int slot;
    private Plane[] planes;
    private boolean open;
    private int flags;
    private long captureTimeNanos;
    private int userDataLength;

    /**
     * The stream that has the last of the copies that were queued, all others in order before it; NO_STREAM if there are none. Where its handle means
     * another stream in another thread, the announcer keeps what it meant.
     */
    private long copiesOn;

    WritableFrame(Publisher publisher) {
        this.publisher = publisher;
    }

    WritableFrame begin(int takenSlot, Plane[] planesOfSlot) {
        slot = takenSlot;
        planes = planesOfSlot;
        flags = 0;
        captureTimeNanos = 0;
        userDataLength = 0;
        copiesOn = NO_STREAM;
        open = true;
        return this;
    }

    boolean isOpen() {
        return open;
    }

    /**
     * Says when the camera took the picture, where the source knows, for example from RTCP sender reports.
     *
     * @param wallNanos nanoseconds since 1970-01-01 UTC
     * @return this
     * @throws IllegalStateException if the frame is not open
     */
    public WritableFrame captureTimeNanos(long wallNanos) {
        requireOpen();
        captureTimeNanos = wallNanos;
        flags |= SlotDescriptor.CAPTURE_TIME;
        return this;
    }

    /**
     * Says whether the frame was coded without reference to another; unless said, it was not, or nobody knows.
     *
     * @param newKeyFrame whether it is a key frame
     * @return this
     * @throws IllegalStateException if the frame is not open
     */
    public WritableFrame keyFrame(boolean newKeyFrame) {
        requireOpen();
        flags = newKeyFrame ? flags | SlotDescriptor.KEY_FRAME : flags & ~SlotDescriptor.KEY_FRAME;
        return this;
    }

    /**
     * Marks the frame as damaged: the decoder reported an error in it or in a frame that it is predicted from, such as a missing reference, a concealed
     * part or a corrupt packet, so that its pixels may be wrong. Default: it is not, or nobody knows. {@link Publisher#damaged()} counts such frames once
     * they are published.
     *
     * @param newDamaged whether it is known to be damaged
     * @return this
     * @throws IllegalStateException if the frame is not open
     */
    public WritableFrame damaged(boolean newDamaged) {
        requireOpen();
        flags = newDamaged ? flags | SlotDescriptor.DAMAGED : flags & ~SlotDescriptor.DAMAGED;
        return this;
    }

    /**
     * Attaches bytes of the application's own, instead of those attached before.
     *
     * @param data at most {@value #MAX_USER_DATA} bytes; copied
     * @return this
     * @throws CuframesException code INVALID_ARGUMENT if it is longer
     * @throws IllegalStateException if the frame is not open
     */
    public WritableFrame userData(MemorySegment data) {
        requireOpen();
        if (data.byteSize() > MAX_USER_DATA) {
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT,
                    "user data of " + data.byteSize() + " bytes: a frame carries at most " + MAX_USER_DATA);
        }
        publisher.writeUserData(slot, data);
        userDataLength = (int) data.byteSize();
        return this;
    }

    /**
     * Attaches bytes of the application's own, instead of those attached before.
     *
     * @param data at most {@value #MAX_USER_DATA} bytes; copied
     * @return this
     * @throws CuframesException code INVALID_ARGUMENT if it is longer
     * @throws IllegalStateException if the frame is not open
     */
    public WritableFrame userData(byte[] data) {
        return userData(MemorySegment.ofArray(data));
    }

    /**
     * The slot that was taken: with registered buffers, which of them this frame is.
     *
     * @return its number, from 0; that of the buffer in {@link Publisher.Builder#externalDevice} or {@link Publisher.Builder#externalHost}
     * @throws IllegalStateException if the frame is not open
     */
    public int slot() {
        requireOpen();
        return slot;
    }

    /**
     * A plane to write to.
     *
     * @param index its number in the format
     * @return the plane, the same object at each call
     * @throws IndexOutOfBoundsException if the format has no such plane
     * @throws IllegalStateException if the frame is not open
     */
    public Plane plane(int index) {
        requireOpen();
        return planes[index];
    }

    /**
     * Copies a plane from host memory. When it returns, the source may be reused.
     *
     * @param index the plane's number in the format
     * @param source rows of the plane's samples
     * @param sourcePitch bytes from one row to the next in the source
     * @throws IndexOutOfBoundsException if the source is too short or the format has no such plane
     * @throws CuframesException code INVALID_ARGUMENT if the ring is in device memory and the source is a heap segment
     */
    public void copyPlane(int index, MemorySegment source, long sourcePitch) {
        Plane plane = plane(index);
        int rowBytes = plane.layout().rowBytes();
        int rows = plane.height();
        MemorySegment rowsOfSource = source.asSlice(0, sourcePitch * (rows - 1) + rowBytes); // checks the bounds once
        if (publisher.transport().isDevice()) {
            publisher.copyFromHost(plane, rowsOfSource, sourcePitch);
        } else {
            copyRows(rowsOfSource, sourcePitch, plane, rowBytes);
        }
        Faults.reach(FaultPoint.PLANE_COPIED);
    }

    private static void copyRows(MemorySegment source, long sourcePitch, Plane plane, int rowBytes) {
        MemorySegment target = plane.segment();
        if (sourcePitch == plane.pitch()) {
            MemorySegment.copy(source, 0, target, 0, source.byteSize());
            return;
        }
        for (int row = 0; row < plane.height(); row++) {
            MemorySegment.copy(source, row * sourcePitch, target, (long) row * plane.pitch(), rowBytes);
        }
    }

    /**
     * Queues the copy of a plane from device memory; device transports only.
     *
     * @param index the plane's number in the format
     * @param source first row, on the ring's device or a peer of it; managed memory will do, too
     * @param sourcePitch bytes from one row to the next in the source
     * @param stream CUDA stream of the ring's device to queue it on, 0 or 1 for the legacy default stream, 2 for that of the calling thread. Copies on
     *     several streams are done one after the other, and before the frame is announced. The source must stay until the copy is done
     * @throws CuframesException code INVALID_ARGUMENT if the source is not device memory, or the stream is of another device; CUDA if the copy
     *     cannot be queued
     * @throws IllegalStateException if the ring is in host memory
     */
    public void copyPlane(int index, DevicePtr source, long sourcePitch, long stream) {
        Plane plane = plane(index);
        publisher.requireStream(stream);
        orderAfterCopies(stream);
        publisher.copyFromDevice(plane, source.address(), sourcePitch, stream);
        copiesOn = stream;
        publisher.copied(slot, stream);
        Faults.reach(FaultPoint.PLANE_COPIED);
    }

    /** Has what is queued on the stream from here on wait for the copies that are queued on another. */
    private void orderAfterCopies(long stream) {
        if (copiesOn != NO_STREAM) {
            publisher.orderAfterCopies(slot, copiesOn, stream);
        }
    }

    /**
     * Copies a plane from a tensor of another library: {@code [height, width]}, or {@code [height, width, components]} for interleaved
     * samples, with the elements of a row side by side. The tensor stays the caller's to close.
     *
     * <p>From host memory it is copied when this returns. From device memory to a device ring the copy is queued.
     *
     * @param index the plane's number in the format
     * @param source the tensor: unsigned integers of the size of the format's components
     * @param stream CUDA stream to queue the copy on, 0 for the legacy default stream. The tensor must then stay
     *     open until the frame is announced. Ignored where nothing is queued
     * @throws IndexOutOfBoundsException if the format has no such plane
     * @throws CuframesException code INVALID_ARGUMENT if the tensor's type or shape is not the plane's, UNSUPPORTED if it is in device memory
     *     and the ring is not
     * @throws CudaException if the copy fails or cannot be queued
     * @throws IllegalStateException if the frame is not open, or the tensor was handed over or closed
     */
    public void copyPlane(int index, DlpackTensor source, long stream) {
        PlaneLayout layout = plane(index).layout();
        long pitch = source.sourcePitch(publisher.format().pixelFormat(), layout);
        if (source.device().isHost()) {
            copyPlane(index, source.hostBytes(pitch * (layout.height() - 1) + layout.rowBytes()), pitch);
            return;
        }
        if (!publisher.transport().isDevice()) {
            throw new CuframesException(
                    ErrorCode.UNSUPPORTED,
                    "a tensor on " + source.device() + " " + source.deviceOrdinal()
                            + " cannot be copied into a ring in host"
                            + " memory: copy it to the host first, or publish with a device transport");
        }
        copyPlane(index, new DevicePtr(source.address()), pitch, stream);
    }

    /**
     * Publishes the frame: in host memory at once, in device memory on the publisher's own stream ({@link Publisher#stream()}).
     *
     * @param ptsNanos presentation time, nanoseconds. One that is less than that of the frame before is kept, and the frame marked with it
     * @return the frame's sequence number, from 1
     * @throws IllegalStateException if the frame is not open
     */
    public long publish(long ptsNanos) {
        return publish(publisher.stream(), ptsNanos);
    }

    /**
     * Publishes the frame once the work queued on the stream so far is done; returns at once. The GPU announces it.
     *
     * @param stream CUDA stream of the ring's device that the planes are written on, 0 or 1 for the legacy default stream, 2 for that of this
     *     thread; it must live until the frame is announced. Ignored in host memory
     * @param ptsNanos presentation time, nanoseconds
     * @return the frame's sequence number, from 1
     * @throws IllegalStateException if the frame is not open
     * @throws CuframesException code INVALID_ARGUMENT if the stream is of another device: the frame is then still open; CUDA if the
     *     announcement cannot be queued: the frame is then given back unpublished, and its slot used again once the stream has done what is queued
     *     on it now
     */
    public long publish(long stream, long ptsNanos) {
        requireOpen();
        publisher.requireStream(stream);
        orderAfterCopies(stream);
        open = false;
        return publisher.publish(slot, stream, ptsNanos, captureTimeNanos, flags, userDataLength);
    }

    /**
     * Gives the slot back if the frame was not published. The older frame that was in the slot is gone all the same. Waits for copies that are queued,
     * so that none arrives in the slot's next frame; if they are not done within two seconds, the slot is withheld until they are. What else writes
     * to the slot, such as a kernel of the application, must be done.
     *
     * @throws CudaException if that fails, the device being lost; the slot is given back all the same
     */
    @Override
    public void close() {
        if (open) {
            open = false;
            publisher.giveBack(slot, copiesOn != NO_STREAM, copiesOn);
        }
    }

    /** The publisher ends with this frame unpublished: its slot's memory is kept until the copies that are queued are done. */
    void endCopies() {
        if (open && copiesOn != NO_STREAM) {
            publisher.endBehind(slot, copiesOn);
        }
    }

    private void requireOpen() {
        if (!open) {
            throw new IllegalStateException(
                    "this frame of \"" + publisher.key() + "\" is published or closed: acquire another");
        }
    }
}
