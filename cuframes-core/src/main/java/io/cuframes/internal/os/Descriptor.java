// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.os;

import io.cuframes.ffm.Libc;
import java.util.concurrent.atomic.AtomicInteger;

/** A file descriptor with one owner. Closing twice closes once. */
public final class Descriptor implements AutoCloseable {
    private final AtomicInteger fd;

    /**
     * Takes over a descriptor.
     *
     * @param fd 0 or more
     */
    public Descriptor(int fd) {
        this.fd = new AtomicInteger(fd);
    }

    /** The number. Only while it is open. */
    public int fd() {
        int number = fd.get();
        if (number < 0) {
            throw new IllegalStateException("the descriptor is closed");
        }
        return number;
    }

    /** Whether it is open. */
    public boolean isOpen() {
        return fd.get() >= 0;
    }

    @Override
    public void close() {
        int number = fd.getAndSet(-1);
        if (number >= 0) {
            Libc.close(number); // Linux frees the number whatever close returns
        }
    }
}
