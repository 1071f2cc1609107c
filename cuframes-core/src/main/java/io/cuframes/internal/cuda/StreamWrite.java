// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.LibCuda;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.Shared;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A word that a stream writes to shared memory of the host, which is how a GPU announces a frame. */
public final class StreamWrite {
    private static final long WORD = 0x0123456789abcdefL;

    private StreamWrite() {}

    /**
     * Has a device write one word, and reads it.
     *
     * @param device which
     * @throws CuframesException code CUDA for what failed, UNSUPPORTED if the word did not arrive
     */
    public static void rehearse(CudaDevice device) {
        long previous = Cuda.useDevice(device.ordinal());
        try (Descriptor memfd = Posix.memfd("cuframes-doctor");
                Arena arena = Arena.ofShared()) {
            Posix.reserve(memfd, SegmentDescriptor.PAGE, "a page of shared memory");
            MemorySegment page = Posix.map(memfd, SegmentDescriptor.PAGE, true, arena, "a page of shared memory");
            long address = Cuda.registerHost(page);
            try {
                write(address);
            } finally {
                LibCuda.cuMemHostUnregister(page);
            }
            if (Shared.getLongAcquire(page, 0) != WORD) {
                throw new CuframesException(
                        ErrorCode.UNSUPPORTED,
                        "device " + device + " was done with writing a word to host memory, and it is not there");
            }
        } finally {
            Cuda.restoreDevice(previous, device.ordinal());
        }
    }

    private static void write(long address) {
        long stream = Cuda.createStream();
        try {
            Cuda.writeWord(stream, address, WORD);
            Cuda.synchronize(stream);
        } finally {
            LibCuda.cuStreamDestroy_v2(stream);
        }
    }
}
