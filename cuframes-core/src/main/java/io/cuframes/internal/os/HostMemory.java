// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.os;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * How much memory there is to reserve. A memfd has no size limit of its own: the kernel answers a reservation that is too large by killing
 * processes, so it is refused beforehand.
 */
public final class HostMemory {
    private static final Path MEMINFO = Path.of("/proc/meminfo");
    private static final ContainerMemory CONTAINER =
            new ContainerMemory(Path.of("/sys/fs/cgroup"), Path.of("/proc/self/cgroup"));

    private HostMemory() {}

    /**
     * Refuses a reservation that this machine or container cannot hold now.
     *
     * @param bytes to be reserved
     * @param what for the message
     * @throws CuframesException code SYSTEM if it is more than is available
     */
    public static void require(long bytes, String what) {
        long available = Math.min(available(MEMINFO), CONTAINER.available());
        if (bytes > available) {
            throw new CuframesException(
                    ErrorCode.SYSTEM,
                    "reserving " + (bytes >> 20) + " MiB for " + what + " is more than the " + (available >> 20)
                            + " MiB available here: use fewer or smaller slots");
        }
    }

    /** What the kernel reckons can be had without swapping; no limit where it does not say. */
    static long available(Path meminfo) {
        try {
            for (String line : Files.readAllLines(meminfo)) {
                if (line.startsWith("MemAvailable:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) << 10;
                }
            }
            return Long.MAX_VALUE;
        } catch (IOException e) {
            return Long.MAX_VALUE; // no /proc: the reservation itself must tell
        }
    }
}
