// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import io.cuframes.CuframesException;

/** Puts the head word of a named frame where readers see it, once the frame's pixels are complete, and wakes those who sleep. */
public interface Announcer extends AutoCloseable {
    /** How often a wait for the GPU calls {@link #requireContext}: a quarter of the time within which a lost context is reported. */
    long LOOK_NANOS = 25_000_000;

    /** The publisher's stream, which frames are announced on where the caller names none; 0 where there is none. */
    long stream();

    /**
     * Refuses a stream that frames cannot be announced on.
     *
     * @param stream the CUDA stream; ignored for host memory
     * @throws CuframesException code INVALID_ARGUMENT if it is of another device than the ring
     */
    void require(long stream);

    /**
     * Has what is queued on a stream from here on wait for what is queued on another so far.
     *
     * @param before a CUDA stream; ignored for host memory, as is the other
     * @param after another, of the same device
     */
    void order(long before, long after);

    /**
     * Waits until what is queued on a stream is done, for two seconds at most.
     *
     * @param stream the CUDA stream; ignored for host memory
     * @return whether it is done
     */
    boolean awaitQuiet(long stream);

    /**
     * Announces a frame.
     *
     * @param stream the CUDA stream that the pixels are written on; ignored for host memory
     * @param word the head word of the frame
     */
    void announce(long stream, long word);

    /**
     * Throws if the GPU will never announce what was handed over, because its context is lost. Allocates nothing where that is not so. To be called
     * now and then by who waits.
     *
     * @param waitsFor what for, for the message
     * @throws io.cuframes.CudaException if it is lost
     */
    void requireContext(String waitsFor);

    /**
     * Orders what is queued on a stream so far before the release of the ring: copies into a frame that is not published.
     *
     * @param stream the CUDA stream; ignored for host memory
     */
    void endBehind(long stream);

    /**
     * Whether nothing that was queued writes to the segment or the ring any more, or ever will: then {@link #close} may be called. Never blocks. From
     * any thread.
     */
    boolean isDone();

    /** Why frames that were handed over have not been announced, for an error text; never null. */
    String diagnose();

    /** Releases what it has, once {@link #isDone}. May block, as calls of CUDA do beside an application's work. */
    @Override
    void close();
}
