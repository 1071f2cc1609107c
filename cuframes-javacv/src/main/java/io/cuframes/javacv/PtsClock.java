// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AV_NOPTS_VALUE;
import static org.bytedeco.ffmpeg.global.avutil.av_rescale;

/**
 * Presentation times in nanoseconds out of a stream's timestamps. They always rise: a missing timestamp is extrapolated, and where the
 * timestamps begin anew (a file that loops, a camera that came back, a clock set back) an offset carries the time on. Not thread-safe.
 */
final class PtsClock {
    private static final long SECOND = 1_000_000_000;

    private long numerator;
    private long denominator;
    private long frameNanos;
    private long offset;
    private long last;
    private boolean begun;

    /** Less than 0: go on with the timestamps as they are. Else the next frame comes this long after the last. */
    private long gap = -1;

    PtsClock(Demuxer demuxer) {
        use(demuxer);
    }

    PtsClock(long timeBaseNumerator, long timeBaseDenominator, long frameNanos) {
        this.numerator = timeBaseNumerator;
        this.denominator = timeBaseDenominator;
        this.frameNanos = frameNanos;
    }

    private void use(Demuxer demuxer) {
        this.numerator = demuxer.timeBaseNumerator();
        this.denominator = demuxer.timeBaseDenominator();
        this.frameNanos = demuxer.frameNanos();
    }

    /** The time of the next frame, from its timestamp in units of the time base or AV_NOPTS_VALUE. */
    long next(long timestamp) {
        long ahead = last + frameNanos;
        if (timestamp == AV_NOPTS_VALUE) {
            last = begun ? last + Math.max(gap, frameNanos) : 0;
            gap = -1;
        } else {
            long pts = av_rescale(timestamp, numerator * SECOND, denominator);
            if (gap >= 0 && begun) {
                offset = last + Math.max(gap, frameNanos) - pts;
            } else if (begun && pts + offset <= last) {
                offset = ahead - pts;
            }
            gap = -1;
            last = pts + offset;
        }
        begun = true;
        return last;
    }

    /** Another input follows: its first frame comes {@code gapNanos} after the last one, or a frame's duration if that is longer. */
    void restart(Demuxer demuxer, long gapNanos) {
        use(demuxer);
        restart(gapNanos);
    }

    void restart(long gapNanos) {
        gap = Math.max(0, gapNanos);
    }
}
