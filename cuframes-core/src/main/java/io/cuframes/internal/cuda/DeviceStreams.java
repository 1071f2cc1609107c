// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.LibCuda;
import java.lang.foreign.MemorySegment;

/**
 * Tells the streams of a device from those of others, which CUDA would let the work of a ring be queued on, too, or refuse with a number. The
 * stream that was found good last is not looked at again. Thread-safe.
 */
public final class DeviceStreams {
    /** In place of a handle: a stream of the library's own is to be made. */
    public static final long OWN_STREAM = -1;

    /** cudaStreamPerThread, a handle that names another stream in every thread: it is never kept, but an event that was recorded there and then. */
    static final long PER_THREAD_STREAM = 2;

    /** The default streams are 0, cudaStreamLegacy (1) and cudaStreamPerThread (2): always those of the current device. */
    static final long LAST_DEFAULT_STREAM = 2;

    /** Other handles are addresses, and none is in the first page. */
    private static final long FIRST_HANDLE = 4096;

    private final CudaDevice device;

    /** A race between threads makes one of them look once more. */
    private volatile long good;

    DeviceStreams(CudaDevice device) {
        this.device = device;
    }

    /**
     * Refuses a stream of another device.
     *
     * @param stream a cudaStream_t; any number that is no address is refused, and what else is none, CUDA cannot tell
     * @throws CuframesException code INVALID_ARGUMENT if it is not of the device
     */
    void require(long stream) {
        if (stream == good || (stream >= 0 && stream <= LAST_DEFAULT_STREAM)) {
            return;
        }
        if (stream < FIRST_HANDLE) {
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT,
                    "0x" + Long.toHexString(stream)
                            + " is no CUDA stream: pass a cudaStream_t, 0 or 1 for the legacy default"
                            + " stream, or 2 for the per-thread default stream");
        }
        int ordinal = ordinal(stream);
        if (ordinal != device.ordinal()) {
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the stream 0x" + Long.toHexString(stream) + " is of device " + Cuda.device(ordinal)
                            + ", and the frames are on device " + device + ": use a stream of that device");
        }
        good = stream;
    }

    /** The device of a stream. The driver's ordinals are those of the runtime. */
    private int ordinal(long stream) {
        MemorySegment scratch = Cuda.scratch();
        long previous = Cuda.useDevice(device.ordinal());
        try {
            Cuda.checkDriver(LibCuda.cuStreamGetCtx(stream, scratch), "cuStreamGetCtx");
            long context = scratch.get(JAVA_LONG, 0);
            Cuda.checkDriver(LibCuda.cuCtxGetCurrent(scratch), "cuCtxGetCurrent");
            long current = scratch.get(JAVA_LONG, 0);
            if (context == current) {
                return device.ordinal();
            }
            Cuda.checkDriver(LibCuda.cuCtxSetCurrent(context), "cuCtxSetCurrent");
            try {
                Cuda.checkDriver(LibCuda.cuCtxGetDevice(scratch), "cuCtxGetDevice");
                return scratch.get(JAVA_INT, 0);
            } finally {
                Cuda.checkDriver(LibCuda.cuCtxSetCurrent(current), "cuCtxSetCurrent");
            }
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }
}
