// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.os;

import java.lang.foreign.Arena;

/**
 * Closes shared arenas of which an application may have memory in a native call: the write of a plane to a channel that blocks, for example. Such an
 * arena cannot be closed before that call ends, and it may never end.
 */
public final class ArenaEnd {
    private static final System.Logger LOG = System.getLogger(ArenaEnd.class.getName());

    private ArenaEnd() {}

    /**
     * Closes an arena, now or once no native call uses its memory. Returns at once, and does nothing if it is closed.
     *
     * @param arena a shared one
     * @param what its memory is, for the log
     */
    public static void close(Arena arena, String what) {
        close(what, () -> tryClose(arena));
    }

    /**
     * Does what takes an arena that nobody uses, now or later; returns at once.
     *
     * @param what the memory is, for the log
     * @param attempt closes the arena by {@link #tryClose}, and returns false if that cannot be done yet
     */
    public static void close(String what, Reaper.Remains attempt) {
        if (!attempt.release()) {
            LOG.log(
                    System.Logger.Level.INFO,
                    () -> what + " is in a native call, such as a write to a channel: it is unmapped when that ends");
            Reaper.of("host").submit(what, attempt);
        }
    }

    /**
     * Closes an arena if no native call uses its memory.
     *
     * @param arena a shared one
     * @return whether it is closed
     */
    public static boolean tryClose(Arena arena) {
        if (arena.scope().isAlive()) {
            try {
                arena.close();
            } catch (IllegalStateException e) { // a call uses it; or another thread has closed it since
                return !arena.scope().isAlive();
            }
        }
        return true;
    }
}
