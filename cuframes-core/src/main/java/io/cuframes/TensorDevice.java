// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.ffm.Dlpack;
import org.jspecify.annotations.Nullable;

/** The kind of memory a tensor is in. */
public enum TensorDevice {
    /** Memory of the host. */
    CPU(Dlpack.kDLCPU),
    /** Memory of a GPU. */
    CUDA(Dlpack.kDLCUDA),
    /** Memory of the host that CUDA has pinned. */
    CUDA_HOST(Dlpack.kDLCUDAHost);

    private final int code;

    TensorDevice(int code) {
        this.code = code;
    }

    /**
     * DLPack's number for it.
     *
     * @return its code
     */
    public int code() {
        return code;
    }

    /**
     * Whether the CPU can read the memory.
     *
     * @return true for all but {@link #CUDA}
     */
    public boolean isHost() {
        return this != CUDA;
    }

    /**
     * Finds a kind by DLPack's number.
     *
     * @param code the number
     * @return the kind, or null if this version knows none by that number
     */
    public static @Nullable TensorDevice ofCode(int code) {
        return switch (code) {
            case Dlpack.kDLCPU -> CPU;
            case Dlpack.kDLCUDA -> CUDA;
            case Dlpack.kDLCUDAHost -> CUDA_HOST;
            default -> null;
        };
    }
}
