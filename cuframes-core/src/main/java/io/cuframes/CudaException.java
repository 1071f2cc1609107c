// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

/** A CUDA call failed. Its fields are immutable. */
public final class CudaException extends CuframesException {
    private static final long serialVersionUID = 1L;

    /** The function that failed. */
    private final String call;

    /** What it returned. */
    private final int status;

    /**
     * Creates an exception.
     *
     * @param call the CUDA function
     * @param status what it returned: a {@code cudaError_t} for names that begin with cuda, a {@code CUresult} for those with cu
     * @param message what, where, and what to do
     */
    public CudaException(String call, int status, String message) {
        super(ErrorCode.CUDA, message, null, Passing.ofCuda(status));
        this.call = call;
        this.status = status;
    }

    /**
     * The function that failed.
     *
     * @return its C name
     */
    public String call() {
        return call;
    }

    /**
     * The status the function returned.
     *
     * @return a {@code cudaError_t} or {@code CUresult}
     */
    public int status() {
        return status;
    }

    /**
     * Whether the CUDA context is lost: a kernel failed or the device did, and every later call in this context fails with the same status. What
     * hangs on the context is to be closed; a new context needs a new process, or the reset of the device's primary context.
     *
     * @return true for the sticky errors, such as an illegal address (700)
     */
    public boolean isContextLost() {
        return Passing.isContextLost(status);
    }
}
