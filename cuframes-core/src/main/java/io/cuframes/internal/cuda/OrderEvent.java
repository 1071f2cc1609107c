// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cuframes.ffm.LibCuda;
import java.lang.foreign.MemorySegment;

/**
 * What is queued on a stream up to now, kept: the stream itself may mean another one in another thread, or be destroyed. CUDA's events belong to a
 * context, and can be recorded on its streams alone; this one is of the context of whatever stream it is recorded on. Made when it is first recorded.
 * For one thread at a time, with the device of the ring current.
 */
final class OrderEvent {
    /** 0 until it is recorded. */
    private long handle;

    /** Has it stand for what is queued on the stream so far. */
    void record(long stream) {
        if (handle == 0) {
            handle = Cuda.createEvent();
        }
        int status = LibCuda.cuEventRecord(handle, stream);
        if (status == LibCuda.CUDA_ERROR_INVALID_HANDLE) {
            replaceFor(stream);
            status = LibCuda.cuEventRecord(handle, stream);
        }
        Cuda.checkDriver(status, "cuEventRecord");
    }

    /** Makes it again, in the context of the stream. */
    private void replaceFor(long stream) {
        if (stream >= 0 && stream <= DeviceStreams.LAST_DEFAULT_STREAM) {
            replace(); // those are of the current context, and this event was made for a stream of another
            return;
        }
        MemorySegment out = Cuda.scratch();
        Cuda.checkDriver(LibCuda.cuCtxGetCurrent(out), "cuCtxGetCurrent");
        long current = out.get(JAVA_LONG, 0);
        Cuda.checkDriver(LibCuda.cuStreamGetCtx(stream, out), "cuStreamGetCtx");
        Cuda.checkDriver(LibCuda.cuCtxSetCurrent(out.get(JAVA_LONG, 0)), "cuCtxSetCurrent");
        try {
            replace();
        } finally {
            Cuda.checkDriver(LibCuda.cuCtxSetCurrent(current), "cuCtxSetCurrent");
        }
    }

    private void replace() {
        long made = Cuda.createEvent();
        LibCuda.cuEventDestroy_v2(handle); // who waits for it waits on
        handle = made;
    }

    /** Has the stream wait for what it stands for now, in this process; nothing to wait for if it was never recorded. */
    void holdBack(long stream) {
        if (handle != 0) {
            Cuda.await(stream, handle);
        }
    }

    /** Whether what it stands for is done. */
    boolean isDone() {
        return handle == 0 || Cuda.isDone(handle);
    }

    /** Its status, for messages: a {@code CUresult}. */
    int status() {
        return handle == 0 ? LibCuda.CUDA_SUCCESS : LibCuda.cuEventQuery(handle);
    }

    /** At the end. No check: where the context is lost, it fails, and there is nothing left to release. */
    void destroy() {
        if (handle != 0) {
            LibCuda.cuEventDestroy_v2(handle);
        }
    }
}
