// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples.docs;

import io.cuframes.DevicePtr;
import io.cuframes.Frame;
import io.cuframes.Plane;
import io.cuframes.WritableFrame;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/** What the code of a document takes for granted: an application around it, which runs for a while and uses frames. */
public final class Given {
    private static final int ROUNDS = 20;

    private static final AtomicInteger ROUND = new AtomicInteger();
    private static final AtomicInteger USES = new AtomicInteger();

    private Given() {}

    /** Begins anew, for the next block. */
    static void begin() {
        ROUND.set(0);
        USES.set(0);
    }

    /** How often the block used something. */
    static int uses() {
        return USES.get();
    }

    /** Whether the application is to go on: for some rounds. */
    public static boolean running() {
        return ROUND.incrementAndGet() <= ROUNDS;
    }

    /** Looks at a frame. */
    public static void use(Frame frame) {
        if (frame.seq() > 0 && frame.plane(0).height() == frame.height()) {
            USES.incrementAndGet();
        }
    }

    /** Looks at a plane in device memory, as a kernel would. */
    public static void use(DevicePtr pointer, int pitch, int width, int height) {
        if (pointer.address() != 0 && pitch >= width && height > 0) {
            USES.incrementAndGet();
        }
    }

    /** Looks at a value. */
    public static void use(Object value) {
        if (value != null) {
            USES.incrementAndGet();
        }
    }

    /** Draws something. */
    public static void draw(WritableFrame frame) {
        Plane luma = frame.plane(0);
        luma.segment().fill((byte) ROUND.get());
        USES.incrementAndGet();
    }

    /** Waits until something is so, which it must soon be. */
    static void await(BooleanSupplier condition, String what) throws InterruptedException {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not within 20 s: " + what);
            }
            Thread.sleep(2);
        }
    }
}
