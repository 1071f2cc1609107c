// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AV_NOPTS_VALUE;
import static org.bytedeco.ffmpeg.global.avutil.av_rescale;

/**
 * When a frame was taken, by the sender's clock: RTCP sender reports tell the wall-clock time of a timestamp, and every other timestamp is as far
 * from that in time as it is in ticks. A later report corrects what the two clocks have drifted apart. Frames from before the first report have no
 * time. Not thread-safe.
 */
final class CaptureClock {
    /** No time is known. */
    static final long UNKNOWN = Long.MIN_VALUE;

    private static final long SECOND = 1_000_000_000;
    private static final long NANOS_PER_MICRO = 1000;

    private final long numerator;
    private final long denominator;
    private final boolean early;

    /** The time that came with the packet before. */
    private long heldMicros = UNKNOWN;

    private boolean begun;
    private long firstTimestamp;
    private long timestamp;
    private long wallNanos;

    CaptureClock(Demuxer demuxer) {
        this(demuxer.timeBaseNumerator(), demuxer.timeBaseDenominator(), demuxer.timesComeEarly());
    }

    /**
     * For one stream.
     *
     * @param early whether a packet comes with the time of the one after it ({@link Demuxer#timesComeEarly})
     */
    CaptureClock(long timeBaseNumerator, long timeBaseDenominator, boolean early) {
        this.numerator = timeBaseNumerator;
        this.denominator = timeBaseDenominator;
        this.early = early;
    }

    /**
     * Takes note of a packet, in the order of the stream.
     *
     * @param packetTimestamp in units of the time base, or AV_NOPTS_VALUE
     * @param wallMicros what came with it: microseconds since 1970 UTC, or UNKNOWN
     */
    void packet(long packetTimestamp, long wallMicros) {
        long micros = early ? heldMicros : wallMicros;
        heldMicros = wallMicros;
        if (micros == UNKNOWN || packetTimestamp == AV_NOPTS_VALUE) {
            return;
        }
        if (!begun) {
            begun = true;
            firstTimestamp = packetTimestamp;
        }
        timestamp = packetTimestamp;
        wallNanos = micros * NANOS_PER_MICRO;
    }

    /**
     * The time of a frame. Decoders reorder frames, so it must be the frame's own timestamp, not that of the packet fed last.
     *
     * @param frameTimestamp in units of the time base, or AV_NOPTS_VALUE
     * @return nanoseconds since 1970 UTC, or UNKNOWN
     */
    long nanosAt(long frameTimestamp) {
        // What was on its way before the first report may count from elsewhere: a report can move the timestamps.
        if (!begun || frameTimestamp == AV_NOPTS_VALUE || frameTimestamp < firstTimestamp) {
            return UNKNOWN;
        }
        return wallNanos + av_rescale(frameTimestamp - timestamp, numerator * SECOND, denominator);
    }

    /** The timestamps begin anew: nothing is known until the next report. */
    void restart() {
        heldMicros = UNKNOWN;
        begun = false;
    }
}
