// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import io.cuframes.CudaException;
import io.cuframes.CuframesException;
import io.cuframes.ffm.LibCuda;
import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import io.cuframes.internal.protocol.HeadWord;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.ring.Announcer;
import io.cuframes.internal.ring.ReaderWaker;
import io.cuframes.internal.ring.RingWriter;
import java.lang.foreign.MemorySegment;
import java.util.function.IntSupplier;

/**
 * Announces frames in device memory: the GPU writes the head itself, in stream order behind the work that writes the pixels, so that a reader
 * that sees the head may use the frame at once and no process ever queues a wait for another. Used by the writer thread alone.
 */
public final class GpuAnnouncer implements Announcer {
    private static final System.Logger LOG = System.getLogger(GpuAnnouncer.class.getName());

    private static final long NO_STREAM = -1;

    private final CudaDevice device;
    private final String key;
    private final RingWriter writer;
    private final ReaderWaker waker;
    private final MemorySegment page;
    private final long headAddress;
    private final DeviceStreams streams;
    private final long stream;

    /** Of the library's own, whether or not frames are announced there: what is queued on it comes before the release of the ring. */
    private final long endStream;

    private final ContextWatch watch;
    private final OrderEvent event = new OrderEvent();

    private final SlotCopies copies;

    private long lastStream = NO_STREAM;

    /**
     * Registers the segment's first page with the device.
     *
     * @param device that holds the ring
     * @param key for messages
     * @param segment mapped for writing
     * @param writer the ring
     * @param stream the publisher's stream, or {@link DeviceStreams#OWN_STREAM} to make one
     * @throws CuframesException code INVALID_ARGUMENT if the stream is of another device
     */
    public GpuAnnouncer(CudaDevice device, String key, MemorySegment segment, RingWriter writer, long stream) {
        this.device = device;
        this.key = key;
        this.streams = new DeviceStreams(device);
        boolean ownStream = stream == DeviceStreams.OWN_STREAM;
        if (!ownStream) {
            streams.require(stream);
        }
        this.writer = writer;
        this.page = segment.asSlice(0, SegmentDescriptor.PAGE);
        long previous = Cuda.useDevice(device.ordinal());
        boolean registered = false;
        long createdStream = 0;
        ContextWatch createdWatch = null;
        try {
            long pageAddress = Cuda.registerHost(page);
            registered = true;
            this.headAddress = pageAddress + SegmentDescriptor.HEAD_OFFSET;
            createdStream = Cuda.createStream();
            probe(createdStream);
            this.stream = ownStream ? createdStream : stream;
            this.endStream = createdStream;
            createdWatch = new ContextWatch(device, this.stream);
            this.watch = createdWatch;
            this.copies = new SlotCopies(device, writer);
            this.waker = new ReaderWaker(segment, writer);
        } catch (Throwable e) {
            if (createdWatch != null) {
                createdWatch.close();
            }
            if (createdStream != 0) {
                LibCuda.cuStreamDestroy_v2(createdStream);
            }
            if (registered) {
                LibCuda.cuMemHostUnregister(page);
            }
            throw e;
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }

    /** Shows now, not at the first frame, whether the device can write the word: stores the 0 that is there. */
    private void probe(long idleStream) {
        Cuda.writeWord(idleStream, headAddress, 0);
        Cuda.synchronize(idleStream);
    }

    @Override
    public long stream() {
        return stream;
    }

    @Override
    public void require(long onStream) {
        if (onStream != stream) {
            streams.require(onStream);
        }
    }

    @Override
    public void copied(int slot, long onStream) {
        copies.queued(slot, onStream);
    }

    @Override
    public boolean isInOrder(long before, long after) {
        return before == after && before != DeviceStreams.PER_THREAD_STREAM; // which may be another thread's
    }

    @Override
    public void order(int slot, long before, long after) {
        copies.order(slot, before, after);
    }

    @Override
    public boolean awaitQuiet(int slot, long onStream) {
        return copies.await(slot, onStream);
    }

    @Override
    public void withhold(int slot, long onStream) {
        copies.withhold(slot, onStream);
    }

    @Override
    public void lookAtWithheld() {
        copies.lookAtWithheld();
    }

    @Override
    public void announce(long onStream, long word) {
        boolean queued = false;
        try {
            long previous = Cuda.useDevice(device.ordinal());
            try {
                if (onStream != lastStream || onStream == DeviceStreams.PER_THREAD_STREAM) {
                    followLastStream(onStream, word);
                }
                Faults.reach(FaultPoint.ANNOUNCING);
                Cuda.writeWord(onStream, headAddress, word);
                queued = true;
                lastStream = onStream;
                if (onStream == DeviceStreams.PER_THREAD_STREAM) {
                    keepLastStream();
                }
            } finally {
                Cuda.restoreDevice(previous, device.ordinal());
            }
        } finally {
            if (queued) {
                Faults.reach(FaultPoint.HEAD_ANNOUNCED);
                waker.wakeSleepers();
            } else {
                writer.withdraw(word);
                copies.withholdUnlessIdle(HeadWord.slot(word), onStream);
            }
        }
    }

    /** Where the frame before was queued on another stream and is not announced yet, makes this stream wait for it: the head never goes back. */
    private void followLastStream(long onStream, long word) {
        if (lastStream != NO_STREAM && writer.announced() < HeadWord.seq(word) - 1) {
            if (lastStream != DeviceStreams.PER_THREAD_STREAM) {
                event.record(lastStream);
            }
            event.holdBack(onStream);
        }
    }

    /** Keeps what this thread's default stream means, which another thread could not tell. */
    private void keepLastStream() {
        try {
            event.record(lastStream);
        } catch (CudaException e) {
            Cuda.synchronize(lastStream); // then the next frame has nothing to wait for
            lastStream = NO_STREAM;
            LOG.log(System.Logger.Level.DEBUG, "waited for a per-thread default stream instead", e);
        }
    }

    @Override
    public void requireContext(String waitsFor) {
        watch.requireContext(key, waitsFor);
    }

    @Override
    public void endBehind(int slot, long onStream) {
        copies.order(slot, onStream, endStream);
    }

    @Override
    public boolean isDone() {
        return (writer.announced() >= writer.published()
                        && queryStream(endStream) != LibCuda.CUDA_ERROR_NOT_READY
                        && copies.isEachWithheldDone())
                || watch.isLost();
    }

    private int queryStream(long onStream) {
        return ask(() -> LibCuda.cuStreamQuery(onStream));
    }

    /** A status that CUDA gives, from whatever thread and whatever device is current there. */
    private int ask(IntSupplier query) {
        int mode = Cuda.relaxCapture();
        try {
            long previous = Cuda.useDevice(device.ordinal());
            try {
                return query.getAsInt();
            } finally {
                Cuda.restoreDevice(previous, device.ordinal());
            }
        } catch (CudaException e) {
            return e.status();
        } finally {
            Cuda.restoreCapture(mode);
        }
    }

    @Override
    public String diagnose() {
        int status = lastStatus();
        return switch (status) {
            case LibCuda.CUDA_SUCCESS -> "its stream is idle";
            case LibCuda.CUDA_ERROR_NOT_READY -> "its stream is still busy";
            default -> "its stream failed: " + Cuda.text(status);
        };
    }

    private int lastStatus() {
        // Once its frames are announced, a stream may be destroyed, and CUDA crashes on the handle of such a stream.
        if (lastStream == NO_STREAM || writer.announced() >= writer.published()) {
            return LibCuda.CUDA_SUCCESS;
        }
        // The handle of a per-thread stream names another one in each thread: the event that was recorded there does
        // not.
        return lastStream == DeviceStreams.PER_THREAD_STREAM ? ask(event::status) : queryStream(lastStream);
    }

    /**
     * Releases stream, events and page. Unregistering waits for all that is queued in the context, the application's work too.
     *
     * @throws CudaException if the page is still registered though the context works: it must not be unmapped then
     */
    @Override
    public void close() {
        int mode = Cuda.relaxCapture();
        boolean lost = watch.isLost();
        try {
            long previous = Cuda.useDevice(device.ordinal());
            try {
                // No check: where one fails, the context is lost, and there is nothing left to release.
                LibCuda.cuStreamDestroy_v2(endStream);
                event.destroy();
                copies.destroyEvents();
                watch.close();
                Cuda.unregisterHost(page);
            } finally {
                Cuda.restoreDevice(previous, device.ordinal());
            }
        } catch (CudaException e) {
            if (!lost && !e.isContextLost()) {
                throw e;
            }
            LOG.log(System.Logger.Level.DEBUG, "the context is lost, and what was made in it", e);
        } finally {
            Cuda.restoreCapture(mode);
        }
    }
}
