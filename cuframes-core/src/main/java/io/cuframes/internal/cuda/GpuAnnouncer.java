// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

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
    private final RingWriter writer;
    private final ReaderWaker waker;
    private final MemorySegment page;
    private final long headAddress;
    private final DeviceStreams streams;
    private final long stream;
    private final boolean ownStream;
    private final long event;

    /** Orders the streams that one frame is copied on. */
    private final long copiesEvent;

    private long lastStream = NO_STREAM;

    /**
     * Registers the segment's first page with the device.
     *
     * @param device that holds the ring
     * @param segment mapped for writing
     * @param writer the ring
     * @param stream the publisher's stream, or {@link DeviceStreams#OWN_STREAM} to make one
     * @throws CuframesException code INVALID_ARGUMENT if the stream is of another device
     */
    public GpuAnnouncer(CudaDevice device, MemorySegment segment, RingWriter writer, long stream) {
        this.device = device;
        this.streams = new DeviceStreams(device);
        this.ownStream = stream == DeviceStreams.OWN_STREAM;
        if (!ownStream) {
            streams.require(stream);
        }
        this.writer = writer;
        this.page = segment.asSlice(0, SegmentDescriptor.PAGE);
        long previous = Cuda.useDevice(device.ordinal());
        boolean registered = false;
        long createdStream = 0;
        long createdEvent = 0;
        try {
            long pageAddress = Cuda.registerHost(page);
            registered = true;
            this.headAddress = pageAddress + SegmentDescriptor.HEAD_OFFSET;
            createdStream = Cuda.createStream();
            probe(createdStream);
            this.stream = ownStream ? createdStream : stream;
            createdEvent = Cuda.createEvent();
            this.copiesEvent = Cuda.createEvent();
            this.event = createdEvent;
            if (!ownStream) {
                LibCuda.cuStreamDestroy_v2(createdStream); // it is idle
            }
        } catch (Throwable e) {
            if (createdEvent != 0) {
                LibCuda.cuEventDestroy_v2(createdEvent);
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
    public String diagnose() {
        int status = lastStream == NO_STREAM ? LibCuda.CUDA_SUCCESS : LibCuda.cuStreamQuery(lastStream);
        return switch (status) {
            case LibCuda.CUDA_SUCCESS -> "its stream is idle";
            case LibCuda.CUDA_ERROR_NOT_READY -> "its stream is still busy";
            default -> "its stream failed: " + Cuda.text(status);
        };
    }

    @Override
    public void close() {
        long previous = Cuda.useDevice(device.ordinal());
        try {
            // No check: where the context is lost, each of these fails, and there is nothing left to release.
            if (ownStream) { // another may be destroyed by now
                LibCuda.cuStreamSynchronize(stream);
                LibCuda.cuStreamDestroy_v2(stream);
            }
            LibCuda.cuEventDestroy_v2(event);
            LibCuda.cuEventDestroy_v2(copiesEvent);
            LibCuda.cuMemHostUnregister(page);
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }
}
