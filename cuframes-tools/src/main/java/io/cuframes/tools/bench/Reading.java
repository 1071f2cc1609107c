// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

/** What a reading thread takes note of: nothing of the warm-up, and of each later frame how late it was and whether its pixels are its own. */
final class Reading {
    private final RoleSpec spec;
    private final RoleResult result;
    private final Recording latency;
    private final Recording noticing;
    private long cpu = -1;

    Reading(RoleSpec spec) {
        this.spec = spec;
        this.result = new RoleResult(spec);
        this.latency = result.recording(RoleResult.What.LATENCY);
        this.noticing = spec.mode().isRing() ? result.recording(RoleResult.What.NOTICE) : null;
    }

    /**
     * A frame was read, just now.
     *
     * @param number its own
     * @param start {@link System#nanoTime()} before it was written
     * @param word what was read of it
     */
    void take(long number, long start, int word) {
        long now = System.nanoTime();
        if (number <= spec.warmup()) {
            return;
        }
        latency.add(now, now - start);
        result.frames++;
        if (word != RoleSpec.wordOf(number)) {
            result.wrong++;
        }
        if (cpu < 0) {
            cpu = RoleResult.cpuNow();
        }
    }

    /** A ring's frame, published at one time, was given to this reader at another. */
    void notice(long number, long publishNanos, long noticedNanos) {
        if (number > spec.warmup()) {
            noticing.add(noticedNanos, noticedNanos - publishNanos);
        }
    }

    /** After the last frame. */
    RoleResult result() {
        result.cpuNanos = cpu < 0 ? 0 : RoleResult.cpuNow() - cpu;
        return result;
    }
}
