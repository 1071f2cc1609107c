// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

/**
 * Notices that packets come and hardly a frame does. Noise decodes to something now and then, so a few frames do not count as progress. Not thread-safe.
 */
final class DecodeProgress {
    /** Decoders hold this many frames back at most, to put them in order and for their threads. */
    private static final int MOST_HELD = 20;

    /** Of so many packets at least one has to give a frame without errors. */
    private static final int LEAST_SHARE = 10;

    private long since;
    private long packets;
    private long frames;

    /** Notes a packet that is given to the decoder. */
    void packet() {
        if (packets++ == 0) {
            since = System.nanoTime();
        }
    }

    /** Notes a frame without errors; true if there are enough of them. */
    boolean frame() {
        frames++;
        if (frames * LEAST_SHARE <= packets) {
            return false;
        }
        restart();
        return true;
    }

    /**
     * Whether there has been no progress for too long.
     *
     * @param limitNanos how long is too long; 0 for never
     */
    boolean isOver(long limitNanos) {
        return limitNanos > 0 && packets > MOST_HELD && System.nanoTime() - since > limitNanos;
    }

    /** What has come since the last progress, in words. */
    String words() {
        return "packets come, and only " + frames + " frames could be decoded without errors from " + packets
                + " of them in " + (System.nanoTime() - since) / 1_000_000 + " ms";
    }

    /** Counts from here on. */
    void restart() {
        packets = 0;
        frames = 0;
    }
}
