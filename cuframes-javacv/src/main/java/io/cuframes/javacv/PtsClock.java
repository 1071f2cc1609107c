// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AV_NOPTS_VALUE;
import static org.bytedeco.ffmpeg.global.avutil.av_rescale;

/**
 * Presentation times in nanoseconds out of a stream's timestamps. They always rise.
 *
 * <p>A timestamp that is repeated, or a little less than the one before, moves the time of its own frame and no later one: the corrections of a stream
 * that does so at every tenth frame do not add up. Where the timestamps begin again (a file that loops, a camera that came back, a clock set back) an
 * offset carries the time on. A frame without a timestamp comes a frame's duration after the one before; of a live input that has none at all, as long
 * after it as it arrived after it. Not thread-safe.
 */
final class PtsClock {
    private static final long SECOND = 1_000_000_000;

    /** The least that two times differ by. */
    private static final long LEAST_STEP = 1000;

    /** As many timestamps in a row that lie behind, and go on from there, are a clock that was set back. */
    private static final int MOST_BEHIND = 3;

    /** So many timestamps after its beginning a stream may still begin elsewhere: RTP's do so with the first sender report. */
    private static final int SETTLING = 5;

    /** A stream whose timestamp has been the same this often has none. */
    private static final int MOST_REPEATS = 8;

    /** Of a stream that has timestamps, so many in a row may be missing. */
    private static final int MOST_MISSING = 3;

    /** No offset is kept. */
    private static final long NONE = Long.MIN_VALUE;

    private long numerator;
    private long denominator;
    private long frameNanos;
    private boolean live;
    private long offset;
    private long last;
    private boolean begun;

    /** The timestamp before, in ns, and how often it came again. */
    private long lastStamp = NONE;

    private int repeats;

    /** The highest timestamp since they began, ns; how far it lay from the one before; and how many in a row have been less. */
    private long highest = NONE;

    private long pace;
    private int behind;

    /** Frames in a row without a timestamp. */
    private int untimed;

    /** The offset before the timestamps seemed to begin again with the last frame: one that lies alone is no new beginning. */
    private long formerOffset = NONE;

    private int stampsSinceBegin;
    private long lastArrival;

    /** Less than 0: go on with the timestamps as they are. Else the next frame comes this long after the last. */
    private long gap = -1;

    PtsClock(Demuxer demuxer) {
        use(demuxer);
    }

    PtsClock(long timeBaseNumerator, long timeBaseDenominator, long frameNanos, boolean live) {
        this.numerator = timeBaseNumerator;
        this.denominator = timeBaseDenominator;
        this.frameNanos = frameNanos;
        this.live = live;
    }

    /** Another input follows, whose timestamps go on where the last one's ended. */
    void use(Demuxer demuxer) {
        this.numerator = demuxer.timeBaseNumerator();
        this.denominator = demuxer.timeBaseDenominator();
        this.frameNanos = demuxer.frameNanos();
        this.live = demuxer.isLive();
        repeats = 0;
    }

    /**
     * The time of the next frame.
     *
     * @param timestamp in units of the time base, or AV_NOPTS_VALUE
     * @param arrival when it came, by System.nanoTime; only used for live inputs
     */
    long next(long timestamp, long arrival) {
        long sinceBefore = arrival - lastArrival;
        lastArrival = arrival;
        if (timestamp == AV_NOPTS_VALUE || isStuck(timestamp)) {
            untimed++;
            last = begun ? last + Math.max(gap, untimedStep(sinceBefore)) : 0;
        } else {
            untimed = 0;
            last = timed(av_rescale(timestamp, numerator * SECOND, denominator));
        }
        gap = -1;
        begun = true;
        return last;
    }

    private boolean isStuck(long timestamp) {
        long stamp = av_rescale(timestamp, numerator * SECOND, denominator);
        repeats = stamp == lastStamp ? repeats + 1 : 0;
        return repeats >= MOST_REPEATS;
    }

    private long untimedStep(long sinceBefore) {
        boolean isGap = highest != NONE && untimed <= MOST_MISSING;
        return live && !isGap ? Math.max(LEAST_STEP, sinceBefore) : frameNanos;
    }

    private long timed(long stamp) {
        long before = lastStamp;
        lastStamp = stamp;
        if (!begun) {
            return beginAt(stamp, stamp);
        }
        if (gap >= 0) {
            stampsSinceBegin = 0;
            return beginAt(stamp, last + Math.max(gap, frameNanos));
        }
        stampsSinceBegin++;
        if (highest == NONE && stamp + offset <= last) { // the frames before had no timestamps
            return beginAt(stamp, last + frameNanos);
        }
        if (formerOffset != NONE) {
            long former = formerOffset;
            formerOffset = NONE;
            long asBefore = stamp + former;
            if (asBefore > last && asBefore - last < SECOND) { // only the timestamp before was wrong
                return beginAt(stamp, asBefore);
            }
        }
        long time = stamp + offset;
        if (stamp > highest) {
            pace = highest == NONE ? frameNanos : Math.min(frameNanos, stamp - highest);
            highest = stamp;
            behind = 0;
        } else {
            behind++;
        }
        if (time > last) {
            return time;
        }
        boolean hasMoved = stampsSinceBegin < SETTLING && stamp < before;
        boolean isFarBack = before - stamp >= SECOND;
        if (hasMoved || isFarBack || (behind > MOST_BEHIND && stamp > before)) {
            long former = offset;
            long begunAgain = beginAt(stamp, last + frameNanos);
            formerOffset = isFarBack && !hasMoved ? former : NONE;
            return begunAgain;
        }
        // Half of the way to where the next frame should be: further and further on, and never beyond.
        return last + Math.max(LEAST_STEP, (time + pace - last) / 2);
    }

    private long beginAt(long stamp, long time) {
        offset = time - stamp;
        highest = stamp;
        pace = frameNanos;
        behind = 0;
        formerOffset = NONE;
        return time;
    }

    /** Timestamps begin again: the next frame comes {@code gapNanos} after the last one, or a frame's duration if that is longer. */
    void restart(long gapNanos) {
        gap = Math.max(0, gapNanos);
        lastStamp = NONE;
        repeats = 0;
    }
}
