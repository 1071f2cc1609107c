// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.SubscriberMode;
import io.cuframes.ffm.Errno;
import io.cuframes.ffm.ErrnoException;
import io.cuframes.ffm.Libc;
import io.cuframes.ffm.MappedMemory;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.Posix;
import java.lang.foreign.Arena;
import java.nio.file.Path;

/**
 * A subscriber that tries to write what it is given to read, in every way there is, and says what the kernel answers: a line for each of the
 * descriptors, of words {@code what=errno}.
 */
public final class GrabberProcess {
    private static final String[] NAMES = {"segment", "control", "ring"};
    private static final int PUNCH_HOLE = 3; // FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE

    private GrabberProcess() {}

    /** Argument: the socket's path. */
    public static void main(String[] args) {
        try (RawReader reader = new RawReader(Path.of(args[0]), SubscriberMode.NEWEST_ONLY);
                Arena arena = Arena.ofConfined()) {
            for (int place = 0; place < NAMES.length; place++) {
                System.out.println(NAMES[place] + attempts(reader.descriptor(place), arena));
            }
        }
    }

    private static String attempts(Descriptor descriptor, Arena arena) {
        int fd = descriptor.fd();
        return " map=" + name(map(fd, arena))
                + " write=" + name(Libc.write(fd, arena.allocate(8).address(), 8))
                + " cut=" + name(Libc.ftruncate(fd, 0))
                + " grow=" + name(Libc.ftruncate(fd, 1 << 30))
                + " punch=" + name(Libc.fallocate(fd, PUNCH_HOLE, 0, 4096))
                + " seal=" + name(Libc.fcntl(fd, Libc.F_ADD_SEALS, Libc.F_SEAL_WRITE))
                + " reopen=" + name(reopen(fd, arena));
    }

    private static long map(int fd, Arena arena) {
        try {
            MappedMemory.map(4096, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_SHARED, fd, 0, arena);
            return 0;
        } catch (ErrnoException e) {
            return -e.errno();
        }
    }

    /** Opens the file anew for writing, which asks for permission anew; where it is given, tries to map what that brought. */
    private static long reopen(int fd, Arena arena) {
        int anew = Posix.tryOpen(Path.of("/proc/self/fd/" + fd), Libc.O_RDWR, 0);
        if (anew < 0) {
            return anew;
        }
        try (Descriptor descriptor = new Descriptor(anew)) {
            return map(descriptor.fd(), arena);
        }
    }

    private static String name(long result) {
        return result < 0 ? Errno.name((int) -result) : "done";
    }
}
