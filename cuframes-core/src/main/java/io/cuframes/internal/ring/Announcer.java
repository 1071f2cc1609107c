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
     * Notes that a copy into a taken slot was queued, by the thread that queued it: what the handle of a per-thread default stream means, no other thread
     * can tell.
     *
     * @param slot the slot
     * @param stream the CUDA stream; ignored for host memory
     */
    void copied(int slot, long stream);

    /**
     * Has what is queued on a stream from here on wait for the copies into a slot.
     *
     * @param slot the slot
     * @param before the CUDA stream that was named to {@link #copied} last; ignored for host memory, as is the other
     * @param after a stream of the same device
     */
    void order(int slot, long before, long after);

    /**
     * Whether all that follows on a stream comes after the copies into a slot by itself.
     *
     * @param before the CUDA stream that was named to {@link #copied} last
     * @param after a stream of the same device
     */
    default boolean isInOrder(long before, long after) {
        return before == after;
    }

    /**
     * Waits until the copies into a slot are done, for two seconds at most.
     *
     * @param slot the slot
     * @param stream the CUDA stream that was named to {@link #copied} last; ignored for host memory
     * @return whether they are done
     */
    boolean awaitQuiet(int slot, long stream);

    /**
     * Withholds a taken slot that is given back with copies under way, until they are done: {@link #lookAtWithheld} finds that out. For the thread that
     * writes.
     *
     * @param slot the slot
     * @param stream the CUDA stream that was named to {@link #copied} last
     */
    void withhold(int slot, long stream);

    /** Gives back the slots that were withheld for work that is done by now. For the thread that writes, while there are any. */
    void lookAtWithheld();

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
    void endBehind(int slot, long stream);

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
