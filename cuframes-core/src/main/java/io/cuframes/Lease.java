// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

/** What keeps a tensor's memory from being overwritten or unmapped. */
interface Lease {
    /**
     * Ends the lease. Called once, on whatever thread the tensor's consumer deletes it from, perhaps long after the frame, the subscriber or
     * the publisher that the memory came from was closed. If it throws, the lease has ended all the same,
     * as there is nobody who could try again; what it throws is logged.
     *
     * @param stream the CUDA stream, 1 for the legacy default one, whose queued work is the last to read the memory; or {@link
     *     DlpackTensor#NO_STREAM} if nothing reads it any more
     */
    void release(long stream);
}
