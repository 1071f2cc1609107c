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
    /** Spins for a short time, then parks. The default. */
    ADAPTIVE
}
