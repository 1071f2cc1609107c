// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.internal.protocol.SegmentDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/**
 * What is true of the library as a whole: its version, its protocol, its clock. Safe from any thread.
 */
public final class Cuframes {
    private Cuframes() {}

    /**
     * The version of this library.
     *
     * @return such as {@code 1.2.3}
     * @throws CuframesException code INTERNAL if the library was repackaged without it
     */
    public static String version() {
        try (InputStream in = Cuframes.class.getResourceAsStream("version.txt")) {
            if (in == null) {
                throw new CuframesException(
                        ErrorCode.INTERNAL,
                        "the library is incomplete: io/cuframes/version.txt is not beside its classes");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new CuframesException(ErrorCode.INTERNAL, "io/cuframes/version.txt cannot be read: " + e, e);
        }
    }

    /**
     * The version of the protocol that this library speaks (docs/protocol.md): it understands every peer of the same major version.
     *
     * @return major and minor, such as {@code 1.0}
     */
    public static String protocolVersion() {
        return SegmentDescriptor.MAJOR + "." + SegmentDescriptor.MINOR;
    }

    /**
     * The clock that {@link Frame#publishTimeNanos()} is of: {@code CLOCK_MONOTONIC}, which is {@link System#nanoTime()} and the same in all processes
     * of a host.
     *
     * @return nanoseconds, from an origin that means nothing
     */
    public static long nowNanos() {
        return System.nanoTime();
    }
}
