// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import io.cuframes.CudaException;
import io.cuframes.CuframesException;
import io.cuframes.ffm.LibCuda;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.Shared;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/** What a subscriber does on the ring's device: copies frames to host memory, and has the GPU end leases in stream order. Thread-safe, as CUDA is. */
public final class DeviceReads implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(DeviceReads.class.getName());

    /** How long the close waits for a GPU that still has leases to end. */
    private static final long PATIENCE_NANOS = 2_000_000_000;

    private final CudaDevice device;
    private final MemorySegment control;
    private final long controlAddress;
    private final DeviceStreams streams;
    private final long stream;
    private final boolean ownStream;

    /** Slots whose lease a GPU was asked to end and may not have ended yet. */
    private final AtomicLong released = new AtomicLong();

    /** Carries the end of a stream's work to another stream, at once. Guarded by this. */
    private final OrderEvent event = new OrderEvent();

    /**
     * The streams that end the leases of slots that several users leave to streams, each behind the work of all of them: streams of the library's own,
     * so that nobody's stream waits for another's. One for each slot, so that no lease waits for another; made when first needed, 0 until then. Guarded
     * by this.
     */
    private final long[] endStreams = new long[SegmentDescriptor.MAX_SLOTS];

    /**
     * Maps the control page for the device.
     *
     * @param device the ring's
     * @param control the control page, mapped for writing
     * @param stream the consumer stream, or {@link DeviceStreams#OWN_STREAM} to make one
     * @throws CuframesException code INVALID_ARGUMENT if the stream is of another device
     */
    public DeviceReads(CudaDevice device, MemorySegment control, long stream) {
        this.device = device;
        this.control = control;
        this.streams = new DeviceStreams(device);
        this.ownStream = stream == DeviceStreams.OWN_STREAM;
        if (!ownStream) {
            streams.require(stream);
        }
        long previous = Cuda.useDevice(device.ordinal());
        try {
            this.controlAddress = Cuda.registerHost(control);
            try {
                this.stream = ownStream ? Cuda.createStream() : stream;
            } catch (Throwable e) {
                LibCuda.cuMemHostUnregister(control);
                throw e;
            }
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }

    /** Copies a frame's bytes to host memory and waits for them. */
    public void copy(long source, MemorySegment target) {
        long previous = Cuda.useDevice(device.ordinal());
        try {
            Cuda.copyToHost(target, source, stream);
            Cuda.synchronize(stream);
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }

    /**
     * Refuses a stream that no lease of this ring can be ended on.
     *
     * @throws CuframesException code INVALID_ARGUMENT if it is of another device
     */
    public void require(long onStream) {
        if (onStream != stream) {
            streams.require(onStream);
        }
    }

    /** Has the GPU end the lease on a slot once the work queued on the stream so far is done. */
    public void release(int slot, long onStream) {
        long previous = Cuda.useDevice(device.ordinal());
        markReleased(1L << slot); // before the GPU can: once it has, the slot may be leased anew
        boolean queued = false;
        try {
            Cuda.writeWord(onStream, controlAddress + ControlDescriptor.leaseOffset(slot), 0);
            queued = true;
        } finally {
            if (!queued) {
                leased(slot);
            }
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }

    private void markReleased(long bit) {
        long slots = released.get();
        while ((slots & bit) == 0 && !released.compareAndSet(slots, slots | bit)) {
            slots = released.get();
        }
    }

    /** Waits until nothing reads the ring any more that is queued now, on any stream. Where the device is lost, that is so already. */
    public void awaitIdle() {
        try {
            long previous = Cuda.useDevice(device.ordinal());
            try {
                LibCuda.cuCtxSynchronize(); // no check: it fails where the device is lost
            } finally {
                Cuda.restoreDevice(previous, device.ordinal());
            }
        } catch (CudaException e) {
            LOG.log(System.Logger.Level.DEBUG, "the device is lost, and reads nothing any more", e);
        }
    }

    /** How many leases a GPU is still to end. */
    public int pending() {
        int pending = 0;
        for (long slots = released.get(); slots != 0; slots &= slots - 1) {
            int slot = Long.numberOfTrailingZeros(slots);
            if (Shared.getLongAcquire(control, ControlDescriptor.leaseOffset(slot)) != 0) {
                pending++;
            }
        }
        return pending;
    }

    /** The lease on the slot is the CPU's to end, now or again: what the GPU ended is history. */
    public void leased(int slot) {
        long slots = released.get();
        while ((slots & 1L << slot) != 0 && !released.compareAndSet(slots, slots & ~(1L << slot))) {
            slots = released.get();
        }
    }

    /**
     * Has {@link #releaseBehind} wait for what is queued on the stream so far. That is settled when this returns: the stream, whose handle may mean
     * another one in another thread, is not kept.
     */
    public synchronized void endBehind(int slot, long onStream) {
        long previous = Cuda.useDevice(device.ordinal());
        try {
            if (endStreams[slot] == 0) {
                endStreams[slot] = Cuda.createStream();
            }
            event.record(onStream);
            event.holdBack(endStreams[slot]); // for this record, whatever the event is used for next
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }

    /** Has the GPU end the lease on a slot behind all that {@link #endBehind} was called for. */
    public synchronized void releaseBehind(int slot) {
        release(slot, endStreams[slot]);
    }

    /** The consumer stream. */
    public long stream() {
        return stream;
    }

    /** Waits for leases that a GPU is still to end, since it writes into the control page, then lets go of the page. */
    @Override
    public void close() {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (pending() > 0 && System.nanoTime() - deadline < 0) {
            Thread.onSpinWait();
        }
        long previous = Cuda.useDevice(device.ordinal());
        try {
            // No check: where the context is lost, each of these fails, and there is nothing left to release.
            LibCuda.cuMemHostUnregister(control);
            event.destroy();
            for (long endStream : endStreams) {
                if (endStream != 0) {
                    LibCuda.cuStreamDestroy_v2(endStream);
                }
            }
            if (ownStream) {
                LibCuda.cuStreamDestroy_v2(stream);
            }
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }
}
