// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.cuframes.ffm.Errno;
import io.cuframes.ffm.Libc;
import io.cuframes.ffm.Pollfd;
import io.cuframes.internal.os.Posix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The descriptors that one call of poll looks at, by the order they were added in. */
final class PollSet {
    /** A descriptor that poll passes over. */
    static final int NOBODY = -1;

    private final MemorySegment array;
    private int count;

    PollSet(Arena arena, int capacity) {
        array = arena.allocate(Pollfd.LENGTH * capacity, Pollfd.LAYOUT.byteAlignment());
    }

    void clear() {
        count = 0;
    }

    /** Adds a descriptor to be looked at for something to read, or the end. */
    void add(int fd) {
        long at = count++ * Pollfd.LENGTH;
        array.set(JAVA_INT, at + Pollfd.FD_OFFSET, fd);
        array.set(JAVA_SHORT, at + Pollfd.EVENTS_OFFSET, (short) Libc.POLLIN);
        array.set(JAVA_SHORT, at + Pollfd.REVENTS_OFFSET, (short) 0);
    }

    /** Waits until one is ready or the time is over; a signal ends the wait, too. */
    void await(int timeoutMillis) {
        int result = Libc.poll(array.address(), count, timeoutMillis);
        if (result != -Errno.EINTR) {
            Posix.check(result, "poll");
        }
    }

    /** Whether the descriptor added at that place has something to read, or an end or error to tell. */
    boolean isReady(int place) {
        return array.get(JAVA_SHORT, place * Pollfd.LENGTH + Pollfd.REVENTS_OFFSET) != 0;
    }
}
