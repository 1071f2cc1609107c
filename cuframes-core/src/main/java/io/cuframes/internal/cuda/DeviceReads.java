// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import io.cuframes.CudaException;
import io.cuframes.CuframesException;
import io.cuframes.ffm.LibCuda;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.Shared;
import io.cuframes.internal.ring.Announcer;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/** What a subscriber does on the ring's device: copies frames to host memory, and has the GPU end leases in stream order. Thread-safe, as CUDA is. */
public final class DeviceReads implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(DeviceReads.class.getName());

    /** How often a wait calls {@link #requireContext}. */
    public static final long LOOK_NANOS = Announcer.LOOK_NANOS;

    private final CudaDevice device;
    private final MemorySegment control;
    private final long controlAddress;
    private final DeviceStreams streams;
    private final long stream;
    private final boolean ownStream;
    private final ContextWatch watch;

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
            long created = 0;
            try {
                created = ownStream ? Cuda.createStream() : 0;
                this.stream = ownStream ? created : stream;
                this.watch = new ContextWatch(device, this.stream);
            } catch (Throwable e) {
                if (created != 0) {
                    LibCuda.cuStreamDestroy_v2(created);
                }
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

    /**
     * Throws if the GPU will never end the leases that were left to it, and no frame can be read, because its context is lost. Allocates nothing where
     * that is not so.
     *
     * @param key the stream of frames
     * @param waitsFor what the caller waits for, for the message
     * @throws CudaException if it is lost
     */
    public void requireContext(String key, String waitsFor) {
        watch.requireContext(key, waitsFor);
    }

    /** Whether the context is lost: the GPU reads no frame and writes to no page any more. From any thread; blocks for nothing. */
    public boolean isContextLost() {
        return watch.isLost();
    }

    /** The {@link io.cuframes.internal.os.Reaper} that looks whether a GPU is done, and blocks for nothing. */
    public static String lane(CudaDevice device) {
        return "gpu-" + device.ordinal();
    }

    /** The one whose calls of CUDA may block. */
    public static String releaseLane(CudaDevice device) {
        return lane(device) + "-release";
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

    /**
     * Releases the page and what else it has, once no lease is {@link #pending} or the context is lost: the GPU writes into the page. May block, since
     * unregistering waits for all that is queued in the context, the application's work too.
     *
     * @throws CudaException if the page is still registered though the context works: it must not be unmapped then
     */
    @Override
    public void close() {
        int mode = Cuda.relaxCapture();
        boolean lost = watch.isLost();
        try {
            release();
        } catch (CudaException e) {
            if (!lost && !e.isContextLost()) {
                throw e;
            }
            LOG.log(System.Logger.Level.DEBUG, "the context is lost, and what it had with it", e);
        } finally {
            Cuda.restoreCapture(mode);
        }
    }

    private void release() {
        long previous = Cuda.useDevice(device.ordinal());
        try {
            // No check but the last: where one fails, the context is lost, and there is nothing left to release.
            watch.close();
            event.destroy();
            for (long endStream : endStreams) {
                if (endStream != 0) {
                    LibCuda.cuStreamDestroy_v2(endStream);
                }
            }
            if (ownStream) {
                LibCuda.cuStreamDestroy_v2(stream);
            }
            Cuda.unregisterHost(control);
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }
}
