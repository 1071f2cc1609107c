// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.doctor;

import io.cuframes.internal.connect.Observation;

/**
 * The publisher's monotonic clock against this process's: time namespaces shift them. A subscriber takes the difference into account where the
 * publisher states it (docs/protocol.md, section 3.1, monotonic_offset).
 *
 * @param askedNanos this process's clock before the publisher was asked for its observation
 * @param heardNanos the same after the answer came
 * @param stream the answer
 */
record ClockCheck(long askedNanos, long heardNanos, Observation stream) {
    /** Clocks do not differ by less, and no frame's age is called wrong by less. */
    private static final long SLACK_NANOS = 1_000_000_000;

    /** By how much the publisher's clock is ahead, at least; 0 where the two may be one clock. */
    long aheadNanos() {
        long theirs = stream.times().now();
        long ahead = theirs - heardNanos;
        long behind = theirs - askedNanos;
        return ahead > SLACK_NANOS ? ahead : behind < -SLACK_NANOS ? behind : 0;
    }

    /**
     * Whether a frame can be as old as its publish time makes it by this process's clock: not from the future, and not older than the newest frame
     * was when the publisher answered.
     *
     * @param ageNanos by this process's clock
     * @param now the same clock
     */
    boolean isPossibleAge(long ageNanos, long now) {
        return ageNanos >= -SLACK_NANOS
                && ageNanos <= Math.max(0, stream.ageNanos()) + (now - askedNanos) + SLACK_NANOS;
    }

    Finding finding() {
        long ahead = aheadNanos();
        if (ahead == 0) {
            return Finding.works(ReadStep.CLOCK, "", "the publisher's monotonic clock is this process's");
        }
        return Finding.note(
                ReadStep.CLOCK,
                "",
                "the publisher's monotonic clock is " + Math.abs(ahead) / 1_000_000_000 + " s "
                        + (ahead > 0 ? "ahead of" : "behind")
                        + " this process's: they are in different time namespaces",
                "nothing to be done for what cuframes measures; a program that compares System.nanoTime() of both processes"
                        + " must share a time namespace with the publisher");
    }

    /** Of a frame whose age is not possible. */
    Finding notStated(String found) {
        return Finding.note(
                ReadStep.FRAME,
                "",
                found,
                "the publish time is wrong by this process's clock: the publisher is in another time namespace and does not"
                        + " state its monotonic_offset, so that latencies are wrong; run both in one time namespace, or"
                        + " update the publisher");
    }
}
