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
import java.util.concurrent.locks.LockSupport;

/**
 * Announces frames in device memory: the GPU writes the head itself, in stream order behind the work that writes the pixels, so that a reader
 * that sees the head may use the frame at once and no process ever queues a wait for another. Used by the writer thread alone.
 */
public final class GpuAnnouncer implements Announcer {
    private static final long NO_STREAM = -1;

    /** cudaStreamPerThread, a handle that names another stream in every thread. */
    private static final long PER_THREAD_STREAM = 2;

    /** How long a stream is waited for; one that takes longer may never end. */
    private static final long QUIET_NANOS = 2_000_000_000;

    private static final long LOOK_NANOS = 50_000;

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
    private final long event;

    /** Orders the streams that one frame is copied on. */
    private final long copiesEvent;

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
        long createdEvent = 0;
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
            createdEvent = Cuda.createEvent();
            this.copiesEvent = Cuda.createEvent();
            this.event = createdEvent;
            this.watch = createdWatch;
        } catch (RuntimeException e) {
            if (createdEvent != 0) {
                LibCuda.cuEventDestroy_v2(createdEvent);
            }
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
        this.waker = new ReaderWaker(segment, writer);
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
    public void order(long before, long after) {
        long previous = Cuda.useDevice(device.ordinal());
        try {
            Cuda.record(copiesEvent, before);
            Cuda.await(after, copiesEvent);
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }

    @Override
    public boolean awaitQuiet(long onStream) {
        long previous = Cuda.useDevice(device.ordinal());
        try {
            long start = System.nanoTime();
            int status = LibCuda.cuStreamQuery(onStream);
            while (status == LibCuda.CUDA_ERROR_NOT_READY && System.nanoTime() - start < QUIET_NANOS) {
                LockSupport.parkNanos(this, LOOK_NANOS);
                status = LibCuda.cuStreamQuery(onStream);
            }
            if (status == LibCuda.CUDA_ERROR_NOT_READY) {
                return false;
            }
            Cuda.checkDriver(status, "cuStreamQuery");
            return true;
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }

    @Override
    public void announce(long onStream, long word) {
        boolean queued = false;
        try {
            long previous = Cuda.useDevice(device.ordinal());
            try {
                if (onStream != lastStream || onStream == PER_THREAD_STREAM) {
                    followLastStream(onStream, word);
                }
                Faults.reach(FaultPoint.ANNOUNCING);
                Cuda.writeWord(onStream, headAddress, word);
                queued = true;
                lastStream = onStream;
                if (onStream == PER_THREAD_STREAM) {
                    recordLastStream(); // another thread could not
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
            }
        }
    }

    /** Where the frame before was queued on another stream and is not announced yet, makes this stream wait for it: the head never goes back. */
    private void followLastStream(long onStream, long word) {
        if (lastStream != NO_STREAM && writer.announced() < HeadWord.seq(word) - 1) {
            if (lastStream != PER_THREAD_STREAM) {
                recordLastStream();
            }
            Cuda.await(onStream, event);
        }
    }

    private void recordLastStream() {
        Cuda.record(event, lastStream);
    }

    @Override
    public void requireContext(String waitsFor) {
        watch.requireContext(key, waitsFor);
    }

    @Override
    public void endBehind(long onStream) {
        order(onStream, endStream);
    }

    @Override
    public boolean isDone() {
        return (writer.announced() >= writer.published() && queryStream(endStream) != LibCuda.CUDA_ERROR_NOT_READY)
                || watch.isLost();
    }

    private int queryStream(long onStream) {
        return query(onStream, false);
    }

    /** The status of a stream or an event, from whatever thread and whatever device is current there. */
    private int query(long handle, boolean isEvent) {
        int mode = Cuda.relaxCapture();
        try {
            long previous = Cuda.useDevice(device.ordinal());
            try {
                return isEvent ? LibCuda.cuEventQuery(handle) : LibCuda.cuStreamQuery(handle);
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
        // The handle of a per-thread stream names another one in each thread: the event that was recorded there does
        // not.
        int status = lastStream == NO_STREAM
                ? LibCuda.CUDA_SUCCESS
                : lastStream == PER_THREAD_STREAM ? query(event, true) : queryStream(lastStream);
        return switch (status) {
            case LibCuda.CUDA_SUCCESS -> "its stream is idle";
            case LibCuda.CUDA_ERROR_NOT_READY -> "its stream is still busy";
            default -> "its stream failed: " + Cuda.text(status);
        };
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
                LibCuda.cuEventDestroy_v2(event);
                LibCuda.cuEventDestroy_v2(copiesEvent);
                watch.close();
                Cuda.unregisterHost(page);
            } finally {
                Cuda.restoreDevice(previous, device.ordinal());
            }
        } catch (CudaException e) {
            if (!lost && !e.isContextLost()) {
                throw e;
            }
        } finally {
            Cuda.restoreCapture(mode);
        }
    }
}
