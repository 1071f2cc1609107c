// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.internal.connect.SegmentFile;
import io.cuframes.internal.memory.RingMemory;
import io.cuframes.internal.os.Closing;
import io.cuframes.internal.ring.Announcer;

/**
 * What is left of a publisher that has ended: the segment's mapping, which its GPU may still write the head to, and the ring, which the GPU may still
 * write frames to. The key is free, and its readers know of the end.
 *
 * @param announcer null if it was not made
 * @param segment null if it was not made
 * @param memory the ring
 */
record PublisherRemains(Announcer announcer, SegmentFile segment, RingMemory memory) {
    private static final System.Logger LOG = System.getLogger(PublisherRemains.class.getName());

    /** Releases it, unless the GPU has frames to announce still. */
    boolean tryRelease() {
        if (announcer != null && !announcer.isDone()) {
            return false;
        }
        releaseAll();
        return true;
    }

    /** Releases it. The page comes first: it must not be unmapped while it is registered, nor the ring while work is queued that writes there. */
    void releaseAll() {
        Closing.all(
                () -> {
                    if (announcer != null) {
                        announcer.close(); // throws if the page is registered still: it stays mapped then
                    }
                    if (segment != null) {
                        segment.unmap();
                    }
                },
                this::freeRing);
    }

    private void freeRing() {
        try {
            memory.close();
        } catch (CudaException e) {
            if (!e.isContextLost()) {
                throw e;
            }
            LOG.log(System.Logger.Level.DEBUG, "the context is lost, and the ring with it", e);
        }
    }
}
