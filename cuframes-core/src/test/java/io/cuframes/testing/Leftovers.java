// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.ffm.Libc;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.os.UnixAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a publisher leaves that died in the steady state: two names that lead nowhere. */
public final class Leftovers {
    private static final int SEGMENT_BYTES = 4096;

    private Leftovers() {}

    /** Leaves them. */
    public static void leave(String key, Path socketDirectory) throws IOException {
        try (Descriptor socket = new Descriptor(
                Posix.check(Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0), "socket"))) {
            Posix.check(new UnixAddress(socketDirectory.resolve(key + ".sock")).bind(socket), "bind");
        }
        Files.write(Path.of("/dev/shm/cuframes-" + key), new byte[SEGMENT_BYTES]);
    }
}
