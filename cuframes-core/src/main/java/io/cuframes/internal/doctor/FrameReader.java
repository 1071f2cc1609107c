// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.doctor;

import io.cuframes.CuframesException;
import io.cuframes.Frame;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;

/** The other process of {@link SharingCheck}: reads one frame, compares it, and prints in a line what came of it. */
public final class FrameReader {
    /** How the line begins if the frame was read, and right. */
    static final String READ = "read ";

    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private FrameReader() {}

    /**
     * Reads the frame.
     *
     * @param args the key, and the socket directory
     */
    public static void main(String[] args) {
        System.out.println(read(args[0], Path.of(args[1])));
    }

    private static String read(String key, Path directory) {
        try (Subscriber subscriber = Subscriber.builder(key)
                        .socketDirectory(directory)
                        .mode(SubscriberMode.NEWEST_ONLY)
                        .name("doctor")
                        .open();
                Frame frame = subscriber.next(PATIENCE);
                Arena arena = Arena.ofConfined()) {
            if (frame == null) {
                return "no frame came within " + PATIENCE.toSeconds() + " s";
            }
            long bytes = frame.format().frameBytes();
            MemorySegment read = arena.allocate(bytes);
            MemorySegment expected = arena.allocate(bytes);
            frame.copyTo(read);
            SharingCheck.fill(expected);
            long fault = read.mismatch(expected);
            return fault < 0
                    ? READ + bytes + " bytes, all of them right, over " + frame.transport()
                    : "byte " + fault + " of " + bytes + " was wrong";
        } catch (CuframesException e) {
            return e.code() + ": " + e.getMessage().replaceAll("\\s*\\R\\s*", "; ");
        }
    }
}
