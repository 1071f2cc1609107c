// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks.ipc;

/** What is measured of a way. */
enum Task {
    /** A message there and another one back, one at a time. */
    ROUND_TRIP(64, 0),
    /** Messages there, as fast as they go. */
    RATE(64, 0),
    /** Frames there, at 200 a second: how late each is when it has been read. */
    FRAME_LATENCY(2048 * 1519, 200),
    /** Frames there, as fast as they go. */
    FRAME_RATE(2048 * 1519, 0);

    private final int bytes;
    private final int paced;

    Task(int bytes, int paced) {
        this.bytes = bytes;
        this.paced = paced;
    }

    /** Of a message. */
    int bytes() {
        return bytes;
    }

    /** Messages a second; 0 for as many as go. */
    int paced() {
        return paced;
    }

    /** Whether the figure is a rate; else it is a duration. */
    boolean isRate() {
        return this == RATE || this == FRAME_RATE;
    }
}
