// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import org.jspecify.annotations.Nullable;

/** Where the pixels of a ring live and how they are shared. Immutable. */
public enum Transport {
    /**
     * Let the publisher choose, by what it finds when it tries: {@link #CUDA_VMM}, else {@link #CUDA_IPC}, else {@link #HOST}. Never the transport of
     * an open stream.
     */
    AUTO(0),
    /** A sealed memfd in host memory, mapped read-only by subscribers. Needs no GPU. */
    HOST(1),
    /**
     * Device memory of {@code cudaMalloc}, shared through CUDA IPC memory handles. Needs libcudart and a driver. Subscribers could write it: they are
     * trusted not to.
     */
    CUDA_IPC(2),
    /**
     * Device memory of {@code cuMemCreate}, shared by a descriptor, which subscribers map for reading alone. Needs a driver and nothing else, in
     * containers, too.
     */
    CUDA_VMM(3);

    private final int code;

    Transport(int code) {
        this.code = code;
    }

    /**
     * The transport's number in the protocol.
     *
     * @return its code; 0 for {@link #AUTO}, which is never sent
     */
    public int code() {
        return code;
    }

    /**
     * Whether the pixels live in device memory.
     *
     * @return true for transports whose planes have a device pointer
     */
    public boolean isDevice() {
        return this != AUTO && this != HOST;
    }

    /**
     * Finds a transport by its number.
     *
     * @param code as in the protocol
     * @return the transport, or null if this version knows none by that number
     */
    public static @Nullable Transport ofCode(int code) {
        return switch (code) {
            case 1 -> HOST;
            case 2 -> CUDA_IPC;
            case 3 -> CUDA_VMM;
            default -> null;
        };
    }
}
