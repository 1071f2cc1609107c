// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

/** Holds frames back until it is their time. A source that falls a second behind, or jumps ahead, starts a new count. Not thread-safe. */
final class Pacer {
    private static final long TOLERANCE = 1_000_000_000;

    private final InterruptGate gate;
    private long origin;
    private long lastPts;
    private boolean begun;

    Pacer(InterruptGate gate) {
        this.gate = gate;
    }

    /** Waits until a frame is due; false if interrupted. */
    boolean await(long ptsNanos) {
        long now = System.nanoTime();
        boolean jumped = Math.abs(ptsNanos - lastPts) > 10 * TOLERANCE;
        lastPts = ptsNanos;
        if (!begun || jumped || now - origin - ptsNanos > TOLERANCE) {
            begun = true;
            origin = now - ptsNanos;
            return true;
        }
        return gate.sleep(origin + ptsNanos - now);
    }
}
