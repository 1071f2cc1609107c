// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.ffm.Errno;
import io.cuframes.ffm.LibCuda;

/**
 * Tells errors that may pass by themselves from final ones. The one place where that is decided: whoever tries again asks {@link
 * CuframesException#isPassing()}. Who makes an exception and knows more than its code, as the errors of a video input do, passes that on when it is made.
 */
final class Passing {
    private Passing() {}

    /** Of an error that is known by its class alone. */
    static boolean of(ErrorCode code) {
        return switch (code) {
            case NOT_FOUND, TIMEOUT, DISCONNECTED, NO_SLOT, SYSTEM -> true;
            case ALREADY_EXISTS, PROTOCOL, CUDA, INVALID_ARGUMENT, ACCESS_DENIED, UNSUPPORTED, INTERNAL -> false;
        };
    }

    /** Of a failed system call: resources that others may release, and peers that may come back. */
    static boolean ofErrno(int errno) {
        return switch (errno) {
            case Errno.EMFILE, Errno.ENFILE, Errno.ENOMEM, Errno.ENOBUFS, Errno.ENOSPC -> true;
            case Errno.EAGAIN, Errno.EINTR, Errno.EBUSY, Errno.ETIMEDOUT -> true;
            case Errno.ECONNREFUSED, Errno.ECONNRESET, Errno.ECONNABORTED, Errno.EPIPE -> true;
            default -> false;
        };
    }

    /** Of a failed CUDA call: memory that others may release. Runtime and driver share these numbers. */
    static boolean ofCuda(int status) {
        return status == LibCuda.CUDA_ERROR_OUT_OF_MEMORY || status == LibCuda.CUDA_ERROR_NOT_READY;
    }

    /**
     * Whether a CUDA status is a sticky error: its context is lost, and every later call in it fails with the same status. Numbers of cuda.h,
     * CUresult.
     */
    static boolean isContextLost(int status) {
        return switch (status) {
            case 214, 220 -> true; // ECC_UNCORRECTABLE, NVLINK_UNCORRECTABLE
            case LibCuda.CUDA_ERROR_ILLEGAL_ADDRESS -> true;
            case 702, 709, 710 -> true; // LAUNCH_TIMEOUT, CONTEXT_IS_DESTROYED, ASSERT
            case 714, 715, 716, 717, 718, 719 -> true; // HARDWARE_STACK_ERROR to LAUNCH_FAILED
            case 721, 723 -> true; // of newer drivers: CONTAINED, TENSOR_MEMORY_LEAK
            default -> false;
        };
    }
}
