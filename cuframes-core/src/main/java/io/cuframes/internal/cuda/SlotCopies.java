// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import io.cuframes.CudaException;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.ring.RingWriter;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;

/**
 * The work that is queued on a GPU and writes into slots that the publisher has taken: orders it, and keeps a slot from being taken again before it is
 * done. A slot is used by one thread at a time, different slots by different threads; {@link #withhold}, {@link #withholdUnlessIdle} and {@link
 * #lookAtWithheld} are for the thread that writes.
 */
final class SlotCopies {
    private static final System.Logger LOG = System.getLogger(SlotCopies.class.getName());

    /** How long the work is waited for; what takes longer may never end. */
    private static final long PATIENCE_NANOS = 2_000_000_000;

    private static final long LOOK_NANOS = 50_000;

    private final CudaDevice device;
    private final RingWriter writer;

    /**
     * One for each slot: two threads that order the copies of two frames must not record the same event in turn.
     * For a per-thread default stream it stands for the last copy, since no other thread can record it; while the slot is withheld, for all that may
     * write there.
     */
    private final OrderEvent[] events = new OrderEvent[SegmentDescriptor.MAX_SLOTS];

    /** Slots that are withheld for good, as bits: nothing stands for what may write there. */
    private long lost;

    SlotCopies(CudaDevice device, RingWriter writer) {
        this.device = device;
        this.writer = writer;
        Arrays.setAll(events, slot -> new OrderEvent());
    }

    /** A copy into the slot was queued by this thread. Calls CUDA only where the stream's handle means another stream in another thread. */
    void queued(int slot, long stream) {
        if (stream != DeviceStreams.PER_THREAD_STREAM) {
            return;
        }
        long previous = Cuda.useDevice(device.ordinal());
        try {
            events[slot].record(stream);
        } catch (CudaException e) {
            Cuda.synchronize(stream); // this thread can: then nobody has to wait for the copy
            LOG.log(System.Logger.Level.DEBUG, "waited for a per-thread default stream instead", e);
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }

    /** Has what is queued on a stream from here on wait for the copies into the slot, the last of which is on the first one. */
    void order(int slot, long before, long after) {
        long previous = Cuda.useDevice(device.ordinal());
        try {
            if (before != DeviceStreams.PER_THREAD_STREAM) {
                events[slot].record(before);
            }
            events[slot].holdBack(after);
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }

    /** Waits until the copies into the slot are done, the last of which is on that stream; whether they are within the patience. */
    boolean await(int slot, long stream) {
        int mode = Cuda.relaxCapture();
        long previous = Cuda.useDevice(device.ordinal());
        try {
            long start = System.nanoTime();
            boolean done = isDone(slot, stream);
            while (!done && System.nanoTime() - start < PATIENCE_NANOS) {
                LockSupport.parkNanos(this, LOOK_NANOS);
                done = isDone(slot, stream);
            }
            return done;
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
            Cuda.restoreCapture(mode);
        }
    }

    private boolean isDone(int slot, long stream) {
        return stream == DeviceStreams.PER_THREAD_STREAM ? events[slot].isDone() : Cuda.isIdle(stream);
    }

    /** Withholds a slot that is given back with copies under way, the last of which is on that stream. */
    void withhold(int slot, long stream) {
        writer.withhold(slot);
        if (stream != DeviceStreams.PER_THREAD_STREAM) { // else its event stands for them already
            keep(slot, stream);
        }
    }

    /** Withholds the slot of a frame that was withdrawn, unless this thread's stream has nothing left to do that may write there. */
    void withholdUnlessIdle(int slot, long stream) {
        writer.withhold(slot);
        keep(slot, stream);
    }

    /** Has the slot's event stand for what is queued on the stream. Throws nothing: a failure of CUDA that comes before is on its way to the caller. */
    private void keep(int slot, long stream) {
        try {
            long previous = Cuda.useDevice(device.ordinal());
            try {
                if (Cuda.isIdle(stream)) {
                    writer.restore(slot);
                } else {
                    events[slot].record(stream);
                }
            } finally {
                Cuda.restoreDevice(previous, device.ordinal());
            }
        } catch (CudaException e) {
            settle(slot, stream, e);
        }
    }

    /** No event can be recorded. On a lost device nothing is done any more; otherwise only waiting helps. */
    private void settle(int slot, long stream, CudaException failure) {
        try {
            if (failure.isContextLost() || awaitIdle(stream)) {
                writer.restore(slot);
                return;
            }
        } catch (CudaException e) {
            if (e.isContextLost()) {
                writer.restore(slot);
                return;
            }
            failure.addSuppressed(e);
        }
        lost |= 1L << slot;
        LOG.log(
                System.Logger.Level.WARNING,
                "slot " + slot + " is not used again: what the GPU was to write there may still be under way, and CUDA"
                        + " cannot tell",
                failure);
    }

    private boolean awaitIdle(long stream) {
        long previous = Cuda.useDevice(device.ordinal());
        try {
            long start = System.nanoTime();
            while (!Cuda.isIdle(stream)) {
                if (System.nanoTime() - start >= PATIENCE_NANOS) {
                    return false;
                }
                LockSupport.parkNanos(this, LOOK_NANOS);
            }
            return true;
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }

    /** Gives back the slots that were withheld and whose work is done. Throws nothing that is about them alone. */
    void lookAtWithheld() {
        for (long slots = writer.withheld() & ~lost; slots != 0; slots &= slots - 1) {
            int slot = Long.numberOfTrailingZeros(slots);
            if (hasEnded(slot)) {
                writer.restore(slot);
            }
        }
    }

    /** Whether the work for all slots that are withheld is done. From any thread, once none is withheld any more. */
    boolean isEachWithheldDone() {
        boolean done = lost == 0;
        for (long slots = writer.withheld(); done && slots != 0; slots &= slots - 1) {
            done = hasEnded(Long.numberOfTrailingZeros(slots));
        }
        return done;
    }

    private boolean hasEnded(int slot) {
        int mode = Cuda.relaxCapture();
        try {
            long previous = Cuda.useDevice(device.ordinal());
            try {
                return events[slot].isDone();
            } finally {
                Cuda.restoreDevice(previous, device.ordinal());
            }
        } catch (CudaException e) {
            LOG.log(System.Logger.Level.DEBUG, () -> "slot " + slot + " is withheld, and cannot be looked at", e);
            return e.isContextLost(); // then nothing is done any more
        } finally {
            Cuda.restoreCapture(mode);
        }
    }

    /** At the end. No check: where the context is lost, each call fails, and there is nothing left to release. */
    void destroyEvents() {
        for (OrderEvent event : events) {
            event.destroy();
        }
    }
}
