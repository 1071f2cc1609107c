// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.CuframesException;
import io.cuframes.Subscriber;
import io.cuframes.ffm.Errno;
import io.cuframes.ffm.Libc;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * A process that has used up its descriptors, but for so many, and connects. To be started under a low limit. Says for each number of descriptors
 * left, from 0 on, what it got, on a line of its own, until it is connected.
 */
public final class HoarderProcess {
    private static final int ENOUGH = 12;

    private HoarderProcess() {}

    /** Arguments: key, socket directory. */
    public static void main(String[] args) {
        connect(args); // loads what a try takes, while there are descriptors for it
        Deque<Integer> hoard = new ArrayDeque<>();
        int fd = Libc.eventfd(0, Libc.EFD_CLOEXEC);
        while (fd >= 0) {
            hoard.push(fd);
            fd = Libc.eventfd(0, Libc.EFD_CLOEXEC);
        }
        if (fd != -Errno.EMFILE) {
            throw new IllegalStateException(Errno.name(-fd));
        }
        String outcome = "";
        for (int left = 0; left < ENOUGH && !outcome.equals("connected"); left++) {
            outcome = connect(args);
            System.out.println(left + " " + outcome);
            Libc.close(hoard.pop());
        }
    }

    private static String connect(String[] args) {
        try (Subscriber subscriber = Subscriber.builder(args[0])
                .socketDirectory(Path.of(args[1]))
                .connectTimeout(Duration.ofMillis(1))
                .open()) {
            return subscriber.slots() > 0 ? "connected" : "";
        } catch (CuframesException e) {
            return e.code() + " " + e.getMessage();
        }
    }
}
