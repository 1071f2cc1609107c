// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples;

import io.cuframes.Plane;
import io.cuframes.Publisher;
import io.cuframes.WritableFrame;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.LockSupport;

/** Publishes grey pictures that grow brighter, on the GPU where there is one, 25 a second. Arguments: the key, and how many frames. */
public final class PublishPattern {
    private static final long FRAME_NANOS = 40_000_000;

    private PublishPattern() {}

    public static void main(String[] args) {
        try (Publisher publisher = Publisher.builder(args[0]).size(640, 360).open();
                Arena arena = Arena.ofConfined()) {
            MemorySegment luma = arena.allocate(640 * 360);
            MemorySegment chroma = arena.allocate(640 * 180).fill((byte) 128); // no colour
            System.err.println(publisher.describe());
            long start = System.nanoTime();
            for (long number = 0; number < Long.parseLong(args[1]); number++) {
                luma.fill((byte) (16 + number % 220)); // NV12 in limited range: black is 16, white 235
                try (WritableFrame frame = publisher.acquire()) {
                    if (frame != null) { // null when every slot is being read: this picture is dropped
                        Plane plane = frame.plane(0);
                        frame.copyPlane(0, luma, plane.width()); // rows of ours into rows of the ring's pitch
                        frame.copyPlane(1, chroma, plane.width());
                        frame.keyFrame(true).publish(number * FRAME_NANOS);
                    }
                }
                LockSupport.parkNanos(start + (number + 1) * FRAME_NANOS - System.nanoTime());
            }
            System.out.println(publisher.published() + " published, " + publisher.dropped() + " dropped");
        }
    }
}
