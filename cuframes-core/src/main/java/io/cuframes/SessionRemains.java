// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.internal.connect.Connection;
import io.cuframes.internal.cuda.DeviceReads;
import io.cuframes.internal.os.Closing;
import io.cuframes.internal.os.Reaper;

/**
 * What is left of a session that nobody reads any more: its mappings and its connection. In host memory they are released at once. Those of a device
 * go to the {@link Reaper}, since the GPU may still have leases to end, and since the calls of CUDA that release memory may wait for other work of the GPU.
 *
 * <p>The connection keeps the leases that a GPU is still to end: until then its reads may be under way. Where the context is lost it reads nothing any
 * more, and the connection ends at once.
 */
final class SessionRemains {
    private static final System.Logger LOG = System.getLogger(SessionRemains.class.getName());

    private final String key;
    private final Connection connection;

    /** Null in host memory. */
    private final DeviceReads reads;

    /** Waits for the GPU to end leases; null until the release has begun. */
    private volatile Reaper.Pending ending;

    /** Releases, which may block; null until it has begun. */
    private volatile Reaper.Pending releasing;

    private volatile boolean released;

    /** What the release threw; null if nothing. */
    private volatile Throwable failure;

    /**
     * Of one session, to be released once.
     *
     * @param key the stream
     * @param connection the session's
     * @param reads null in host memory
     */
    SessionRemains(String key, Connection connection, DeviceReads reads) {
        this.key = key;
        this.connection = connection;
        this.reads = reads;
    }

    /** Releases it, or hands it over; blocks for no GPU. */
    void release() {
        if (reads == null) {
            try {
                connection.close();
            } finally {
                released = true;
            }
        } else if (!tryRelease()) {
            ending = Reaper.of(DeviceReads.lane(connection.device()))
                    .submit("the end of the leases of a closed subscriber of \"" + key + "\"", this::tryRelease);
        }
    }

    /**
     * Ends the connection and has the rest released, unless the GPU is to end leases still. Blocks for nothing, so that one subscriber that CUDA keeps
     * waiting as it releases does not keep the leases of others.
     */
    private boolean tryRelease() {
        boolean lost = reads.isContextLost();
        if (!lost && reads.pending() > 0) {
            return false;
        }
        try {
            if (lost || !connection.outlivesRing()) {
                connection.disconnect();
            }
        } catch (Throwable e) {
            failure = e; // goes on: the mappings are to be released all the same
        }
        releasing = Reaper.of(DeviceReads.releaseLane(connection.device()))
                .submit("what a closed subscriber of \"" + key + "\" has", () -> {
                    releaseSafely(lost);
                    return true;
                });
        return true;
    }

    private void releaseSafely(boolean lost) {
        try {
            releaseAll(lost);
        } catch (Throwable e) {
            failure = Closing.join(failure, e);
            throw e;
        } finally {
            released = true;
        }
    }

    private void releaseAll(boolean lost) {
        boolean[] unregistered = {false};
        Closing.all(
                () -> {
                    reads.close();
                    unregistered[0] = true;
                },
                // A page that is registered still stays mapped: the GPU would write to whatever comes there next.
                () -> unmap(unregistered[0], lost));
    }

    private void unmap(boolean pages, boolean lost) {
        try {
            connection.close(pages);
        } catch (CudaException e) {
            if (!lost && !e.isContextLost()) {
                throw e;
            }
            LOG.log(System.Logger.Level.DEBUG, "the context is lost, and what it had mapped", e);
        }
    }

    /** Whether it is released, and nothing went wrong with it. */
    boolean isReleased() {
        return released && failure == null;
    }

    /**
     * Waits for a release that has begun.
     *
     * @param deadline of {@link System#nanoTime()}
     * @return whether there is nothing left to wait for
     * @throws RuntimeException or Error, what the release threw
     */
    boolean await(long deadline) {
        if (!await(ending, deadline) || !await(releasing, deadline)) {
            return false;
        }
        Throwable thrown = failure;
        if (thrown instanceof RuntimeException e) {
            throw e;
        }
        if (thrown instanceof Error e) {
            throw e;
        }
        return true;
    }

    private static boolean await(Reaper.Pending pending, long deadline) {
        return pending == null || pending.await(deadline - System.nanoTime());
    }
}
