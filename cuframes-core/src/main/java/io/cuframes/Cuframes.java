// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.internal.protocol.SegmentDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * What is true of the library as a whole: its version, its protocol, its clock. Safe from any thread.
 *
 * <h2>Flight recordings</h2>
 *
 * <p>The library tells JDK Flight Recorder what happens to its streams. Events that may come with every frame are off unless a recording turns
 * them on ({@code recording.enable("cuframes.Publish")}, or a line in a {@code .jfc} file); the others are on in every recording. An event that nobody
 * records costs a test of a field, and no allocation.
 *
 * <table>
 * <caption>Events, all in the category "cuframes", each with the stream's key and epoch, an unsigned number: {@link #epochText}</caption>
 * <tr><th>event</th><th>unless said</th><th>when, and its fields</th></tr>
 * <tr><td>{@code cuframes.Publish}</td><td>off</td><td>a frame was published: {@code seq}, {@code slot}, the duration of the call</td></tr>
 * <tr><td>{@code cuframes.Receive}</td><td>off</td><td>a subscriber was given a frame: {@code seq}, {@code latency}, {@code missed}</td></tr>
 * <tr><td>{@code cuframes.Gap}</td><td>on</td><td>frames were never given to a subscriber: {@code missed}, {@code afterSeq}, {@code mode}</td></tr>
 * <tr><td>{@code cuframes.Drop}</td><td>on</td><td>a publisher had no slot for a frame: {@code cause}, {@code afterSeq}</td></tr>
 * <tr><td>{@code cuframes.Connect}</td><td>on</td><td>a subscriber and a publisher have found each other: {@code side}, {@code peer},
 *     {@code subscriber}, the duration of the search</td></tr>
 * <tr><td>{@code cuframes.Disconnect}</td><td>on</td><td>they have parted: {@code side}, {@code subscriber}, {@code reason}</td></tr>
 * <tr><td>{@code cuframes.Epoch}</td><td>on</td><td>a ring was opened or mapped: {@code side}, {@code previousEpoch}, {@code format}</td></tr>
 * </table>
 *
 * <p>The library needs the module {@code jdk.jfr}, which every JDK has; a runtime made with jlink has to include it.
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
     * @return major and minor, such as {@code 1.1}
     */
    public static String protocolVersion() {
        return SegmentDescriptor.MAJOR + "." + SegmentDescriptor.MINOR;
    }

    /**
     * An epoch as texts, JSON and logs of this library have it: 16 hexadecimal digits. It exceeds what a JSON number holds in most readers, and half of
     * all epochs are negative as a {@code long}.
     *
     * @param epoch as {@link Publisher#epoch()}, {@link Frame#epoch()} or the event of a flight recording has it
     * @return such as {@code 00c0ffee12345678}
     */
    public static String epochText(long epoch) {
        return HexFormat.of().toHexDigits(epoch);
    }

    /**
     * The clock that {@link Frame#publishTimeNanos()} is of: {@code CLOCK_MONOTONIC}, which is {@link System#nanoTime()}. It is the same in all processes
     * of a host, except those in a time namespace that shifts it.
     *
     * @return nanoseconds, from an origin that means nothing
     */
    public static long nowNanos() {
        return System.nanoTime();
    }
}
