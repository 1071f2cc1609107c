// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.os;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * How much memory there is to reserve. A memfd has no size limit of its own: the kernel answers a reservation that is too large by killing
 * processes, so it is refused beforehand.
 */
public final class HostMemory {
    private static final Path MEMINFO = Path.of("/proc/meminfo");
    private static final Path CGROUP = Path.of("/sys/fs/cgroup");

    private HostMemory() {}

    /**
     * Refuses a reservation that this machine or container cannot hold now.
     *
     * @param bytes to be reserved
     * @param what for the message
     * @throws CuframesException code SYSTEM if it is more than is available
     */
    public static void require(long bytes, String what) {
        long available = Math.min(available(MEMINFO), cgroupAvailable(CGROUP));
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

    /** What is left of a container's limit (cgroup version 2); no limit where there is none. */
    static long cgroupAvailable(Path cgroup) {
        try {
            List<Path> files = List.of(cgroup.resolve("memory.max"), cgroup.resolve("memory.current"));
            if (!files.stream().allMatch(Files::isReadable)) {
                return Long.MAX_VALUE;
            }
            String limit = Files.readString(files.get(0)).strip();
            long used = Long.parseLong(Files.readString(files.get(1)).strip());
            return limit.equals("max") ? Long.MAX_VALUE : Math.max(0, Long.parseLong(limit) - used);
        } catch (IOException e) {
            return Long.MAX_VALUE; // as above
        }
    }
}
