// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

/** How a subscriber waits for the next frame. Immutable. */
public enum WaitStrategy {
    /** Burns one core; lowest latency. */
    SPIN,
    /** Spins, but gives the core away at each turn. */
    YIELD,
    /** Sleeps in the kernel (futex) until the publisher hands a frame over; awake while a GPU finishes that frame. A few microseconds more than SPIN. */
    PARK,
    /** Parks, but is awake when the next frame of a steady stream is due, at most 300 us and a quarter of the period before; where frames come irregularly, spins for 20 us first. The default. */
    ADAPTIVE
}
