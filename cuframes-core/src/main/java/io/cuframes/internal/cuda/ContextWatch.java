// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cuframes.CudaException;
import io.cuframes.ffm.LibCuda;
import java.lang.foreign.MemorySegment;

/**
 * Asks whether the CUDA context of a ring still works, for who waits for its GPU: in a context that is lost, what is queued is never done, and nobody
 * is notified. It queries an event that was never recorded, whose status is that of its context alone. Thread-safe; allocates nothing while the context
 * works.
 */
final class ContextWatch implements AutoCloseable {
    /** CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED to CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD. */
    private static final int FIRST_CAPTURE_ERROR = 900;

    private static final int LAST_CAPTURE_ERROR = 908;

    private static final long LAST_DEFAULT_STREAM = 2;

    private final CudaDevice device;
    private final long event;

    /** The caller's stream where that is of another context than the device's primary one, else 0; and its context. */
    private final long foreignStream;

    private final long foreignContext;

    /**
     * Begins to watch, with the device current.
     *
     * @param device whose primary context is used
     * @param stream that is waited for, too; it must live as long as {@link #requireContext} is called
     */
    ContextWatch(CudaDevice device, long stream) {
        this.device = device;
        this.foreignContext = otherContextOf(stream);
        this.foreignStream = foreignContext == 0 ? 0 : stream;
        this.event = Cuda.createEvent();
    }

    private static long otherContextOf(long stream) {
        if (stream <= LAST_DEFAULT_STREAM) {
            return 0;
        }
        MemorySegment out = Cuda.scratch();
        Cuda.checkDriver(LibCuda.cuStreamGetCtx(stream, out), "cuStreamGetCtx");
        long context = out.get(JAVA_LONG, 0);
        Cuda.checkDriver(LibCuda.cuCtxGetCurrent(out), "cuCtxGetCurrent");
        return context == out.get(JAVA_LONG, 0) ? 0 : context;
    }

    /**
     * Throws if what is waited for will never come, because its context is lost.
     *
     * @param key the stream of frames
     * @param waitsFor what its caller waits for, for the message
     * @throws CudaException with the status of the context
     */
    void requireContext(String key, String waitsFor) {
        int status = status();
        if (isBroken(status)) {
            throw lost("cuEventQuery", status, key, waitsFor);
        }
        if (foreignStream != 0) {
            int foreign = foreignStatus();
            if (isBroken(foreign)) {
                throw lost("cuStreamQuery", foreign, key, waitsFor);
            }
        }
    }

    /** Whether the context is lost, or is no more: the GPU does nothing that was queued there. Looks at no stream of the caller's. */
    boolean isLost() {
        return isBroken(status());
    }

    /** The query has no other errors than those of the context. One of a capture is the fault of whoever captures. */
    private static boolean isBroken(int status) {
        return status != LibCuda.CUDA_SUCCESS
                && status != LibCuda.CUDA_ERROR_NOT_READY
                && (status < FIRST_CAPTURE_ERROR || status > LAST_CAPTURE_ERROR);
    }

    private int status() {
        int mode = Cuda.relaxCapture();
        try {
            long previous = Cuda.useDevice(device.ordinal());
            try {
                return LibCuda.cuEventQuery(event);
            } finally {
                Cuda.restoreDevice(previous, device.ordinal());
            }
        } catch (CudaException e) {
            return e.status(); // a context that is no more cannot be made current
        } finally {
            Cuda.restoreCapture(mode);
        }
    }

    private int foreignStatus() {
        int mode = Cuda.relaxCapture();
        MemorySegment out = Cuda.scratch();
        try {
            int status = LibCuda.cuCtxGetCurrent(out);
            if (status != LibCuda.CUDA_SUCCESS) {
                return status;
            }
            long previous = out.get(JAVA_LONG, 0);
            status = LibCuda.cuCtxSetCurrent(foreignContext);
            if (status == LibCuda.CUDA_SUCCESS) {
                status = LibCuda.cuStreamQuery(foreignStream);
                LibCuda.cuCtxSetCurrent(previous);
            }
            return status;
        } finally {
            Cuda.restoreCapture(mode);
        }
    }

    private CudaException lost(String call, int status, String key, String waitsFor) {
        return new CudaException(
                call,
                status,
                "the CUDA context of this process on device " + device + " is lost, and \"" + key + "\" waited for "
                        + waitsFor + ": " + call + " returned " + Cuda.text(status)
                        + ". A kernel of this process failed, or the device did: find out which (compute-sanitizer), close"
                        + " what uses this GPU, and go on in a new process");
    }

    /** Destroys the event, with the device current. No check: where the context is lost it fails, and nothing is left to release. */
    @Override
    public void close() {
        LibCuda.cuEventDestroy_v2(event);
    }
}
