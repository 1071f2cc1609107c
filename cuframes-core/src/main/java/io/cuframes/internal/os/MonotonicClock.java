// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.os;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * The clock of {@link System#nanoTime()}, CLOCK_MONOTONIC. A process in a time namespace of its own (time_namespaces(7)) has one that is ahead of the
 * host's, or behind it, by a constant: two processes of one host may read different times at the same moment.
 */
public final class MonotonicClock {
    private static final Path OFFSETS = Path.of("/proc/self/timens_offsets");

    /** Constant once it was read: a process of more than one thread, as a JVM is, cannot change its namespace. Guarded by the class. */
    private static Long offset;

    private MonotonicClock() {}

    /**
     * By how much this process's clock is ahead of the host's, nanoseconds; 0 outside of time namespaces.
     *
     * @throws CuframesException code SYSTEM if the kernel's word cannot be read; it is asked again the next time
     */
    public static synchronized long offsetNanos() {
        if (offset == null) {
            offset = read();
        }
        return offset;
    }

    private static long read() {
        try {
            return parse(Files.readString(OFFSETS, StandardCharsets.US_ASCII));
        } catch (NoSuchFileException e) {
            return 0; // a kernel without time namespaces has one clock
        } catch (IOException e) {
            throw new CuframesException(
                    ErrorCode.SYSTEM,
                    OFFSETS + " cannot be read, which tells how publish times of other processes compare: see that"
                            + " /proc is mounted, and that a descriptor is free (ulimit -n): " + e,
                    e);
        }
    }

    /**
     * Finds the clock's line, {@code monotonic SECONDS NANOSECONDS}; the latter is never negative.
     *
     * @throws IOException if no line is of that clock
     */
    static long parse(String offsets) throws IOException {
        for (String line : offsets.lines().toList()) {
            String[] words = line.strip().split("\\s+", -1);
            if (words.length == 3 && words[0].equals("monotonic")) {
                return Long.parseLong(words[1]) * 1_000_000_000 + Long.parseLong(words[2]);
            }
        }
        throw new IOException("no offset of the monotonic clock in \"" + offsets + "\"");
    }
}
