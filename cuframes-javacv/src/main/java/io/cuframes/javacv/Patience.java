// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.time.Duration;

/**
 * How long an input may be silent before it is taken for lost: as the caller has said; else by what kind of input it is, and longer where its own pace
 * is slower. Not thread-safe.
 */
final class Patience {
    /** For an answer, where the caller has not said. */
    static final Duration ANSWER = Duration.ofSeconds(10);

    /** From the answer to the first picture: cameras that send a key frame every 20 s are not rare, nor are those of a frame in several seconds. */
    static final Duration FIRST_PICTURE = Duration.ofSeconds(30);

    static final Duration LIVE = Duration.ofSeconds(5);

    /** A playlist gets a segment at a time: 10 s are usual, and a server may be late with one. */
    static final Duration SEGMENTED = Duration.ofSeconds(30);

    /** Packets, but no frame. */
    static final Duration UNDECODABLE = Duration.ofSeconds(10);

    /** So many times its usual silence an input may be silent. */
    private static final int TIMES_PACE = 3;

    /** A pace is forgotten by this part of it with each packet, so that one long silence does not count for ever. */
    private static final int FORGETTING = 256;

    private static final long LONGEST_NANOS = Duration.ofMinutes(2).toNanos();

    private final SourceOptions options;
    private final long usualNanos;
    private long paceNanos;

    /**
     * For one opened input.
     *
     * @param segmented whether it comes as segments of a playlist
     * @param firstPictureNanos how long the first picture took to come
     */
    Patience(SourceOptions options, boolean segmented, long firstPictureNanos) {
        this.options = options;
        this.usualNanos = (segmented ? SEGMENTED : LIVE).toNanos();
        this.paceNanos = segmented ? 0 : firstPictureNanos;
    }

    /** For connecting and the answer. */
    static Duration answer(SourceOptions options) {
        return options.openTimeout() == null ? ANSWER : options.openTimeout();
    }

    /** Notes for how long a packet was waited for. */
    void waited(long nanos) {
        paceNanos = Math.max(nanos, paceNanos - paceNanos / FORGETTING);
    }

    /** For the next packet, ns. */
    long readNanos() {
        if (options.readTimeout() != null) {
            return options.readTimeout().toNanos();
        }
        return Math.max(usualNanos, Math.min(LONGEST_NANOS, TIMES_PACE * paceNanos));
    }

    /** For a frame while packets come, ns. */
    long undecodableNanos() {
        return options.readTimeout() != null
                ? options.readTimeout().toNanos()
                : Math.max(UNDECODABLE.toNanos(), 2 * readNanos());
    }
}
