// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

/** How a subscriber waits for the next frame. Immutable. */
public enum WaitStrategy {
    /** Burns one core; lowest latency. */
    SPIN,
    /** Spins, but gives the core away at each turn. */
    YIELD,
    /** Sleeps in the kernel (futex) until the publisher wakes it; a few microseconds more. */
    PARK,
    /** Spins for a short time, then parks. The default. */
    ADAPTIVE
}
