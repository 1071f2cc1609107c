// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cuframes.CudaException;
import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.LibCuda;
import io.cuframes.internal.memory.RingView;
import io.cuframes.internal.os.Closing;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.protocol.RingLayout;
import io.cuframes.internal.protocol.SegmentDescriptor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A ring in another process's device memory, mapped from its descriptor for reading alone. */
public final class CudaVmmRingView implements RingView {
    private final CudaDevice reader;
    private final VmmMapping mapping;
    private final long[] offsets;

    /**
     * Maps the ring, and makes sure that it cannot be written through the mapping.
     *
     * @param reader the GPU that is to read, as this process sees it
     * @param owner the GPU that holds the ring, or null if this process does not see it
     * @param descriptor what the publisher sent; not kept
     * @param ring as its segment describes it
     * @param offsets where each slot starts; checked against the length already
     * @throws CuframesException code UNSUPPORTED if what is mapped for reading could be written all the same, CUDA if the descriptor leads to no
     *     such memory or that GPU cannot reach it
     */
    public CudaVmmRingView(
            CudaDevice reader, CudaDevice owner, Descriptor descriptor, RingLayout ring, long[] offsets) {
        this.reader = reader;
        this.offsets = offsets;
        long previous = Cuda.useDevice(reader.ordinal());
        try {
            long handle = importFrom(descriptor);
            try {
                this.mapping = new VmmMapping(handle, ring.length(), reader, LibCuda.CU_MEM_ACCESS_FLAGS_PROT_READ);
            } catch (CudaException e) {
                throw withAdvice(e, owner, reader, ring);
            } finally {
                LibCuda.cuMemRelease(handle); // the mapping keeps the memory
            }
            try {
                long tail = mapping.address() + ring.length() - SegmentDescriptor.VMM_TAIL;
                if (!reader.equals(owner)) {
                    requireReach(tail, owner, ring);
                }
                requireReadOnly(tail);
            } catch (Throwable e) {
                Closing.undo(e, mapping);
                throw e;
            }
        } finally {
            Cuda.restoreDevice(previous, reader.ordinal());
        }
    }

    /** Reads where no frame is: a driver may map another GPU's memory and not reach it. */
    private void requireReach(long tail, CudaDevice owner, RingLayout ring) {
        long stream = 0;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment word = arena.allocate(JAVA_LONG);
            stream = Cuda.createStream();
            Cuda.copyToHost(word, tail, stream);
            Cuda.synchronize(stream);
        } catch (CudaException e) {
            throw withAdvice(e, owner, reader, ring);
        } finally {
            if (stream != 0) {
                LibCuda.cuStreamDestroy_v2(stream); // it is idle
            }
        }
    }

    private static long importFrom(Descriptor descriptor) {
        MemorySegment out = Cuda.scratch();
        Cuda.checkDriver(
                LibCuda.cuMemImportFromShareableHandle(
                        out, descriptor.fd(), LibCuda.CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR),
                "cuMemImportFromShareableHandle",
                " of the ring: what the publisher sent is not memory of a GPU that this driver can open");
        return out.get(JAVA_LONG, 0);
    }

    private static CudaException withAdvice(CudaException e, CudaDevice owner, CudaDevice reader, RingLayout ring) {
        return new CudaException(
                e.call(),
                e.status(),
                "a ring of " + ring.length() + " bytes could not be mapped for device " + reader + "; "
                        + where(owner, reader, ring) + ": " + e.getMessage());
    }

    /** Where the ring is, and what to do about it. */
    private static String where(CudaDevice owner, CudaDevice reader, RingLayout ring) {
        String elsewhere = "read on that GPU, and copy what you need through host memory";
        if (owner == null) {
            return "the ring is on " + ring.device()
                    + ", which this process does not see; if that GPU and this one have no peer"
                    + " access (nvidia-smi topo -p2p r) or are of different drivers, " + elsewhere;
        }
        return "the ring is on device " + owner
                + (Cuda.canReach(reader, owner) ? "" : ", whose memory it cannot reach (no peer access): " + elsewhere);
    }

    /** Tries to write where no frame is. The driver refuses it when it is asked; nothing is queued. */
    private static void requireReadOnly(long tail) {
        if (LibCuda.cuMemsetD8_v2(tail, 0, 1) == LibCuda.CUDA_SUCCESS) {
            throw new CuframesException(
                    ErrorCode.UNSUPPORTED,
                    "this driver lets memory be written that is mapped for reading: CUDA_VMM promises more; where every reader is trusted, publish"
                            + " with transport CUDA_IPC");
        }
    }

    @Override
    public long address(int slot) {
        return mapping.address() + offsets[slot];
    }

    @Override
    public MemorySegment host(int slot) {
        return null;
    }

    @Override
    public void close() {
        long previous = Cuda.useDevice(reader.ordinal());
        try {
            mapping.close();
        } finally {
            Cuda.restoreDevice(previous, reader.ordinal());
        }
    }
}
