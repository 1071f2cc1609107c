// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AV_NOPTS_VALUE;
import static org.bytedeco.ffmpeg.global.avutil.av_rescale;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.bytedeco.ffmpeg.avcodec.AVPacket;

/**
 * Keeps pictures that were published from being published again after an input was opened again. A playlist of segments begins some segments before
 * its end, and a file at its beginning: the packets that follow are decoded, since later ones are predicted from them, and their frames left out.
 *
 * <p>Such a packet is known by its timestamps, its length and a checksum. A server that began again gives other packets, and those are published,
 * whatever their timestamps. Not thread-safe.
 */
final class ReplayGuard {
    /** Packets that are remembered: two minutes of 60 frames per second, more than playlists of live streams hold. */
    private static final int KEPT = 8192;

    /** Packets may be older than the first one remembered by this much, and still be of the same row. */
    private static final long OLDER_NANOS = 60_000_000_000L;

    /** Frames that are shown before ones that were decoded earlier come late by less than this. */
    private static final long REORDER_NANOS = 1_000_000_000;

    /** A packet may have been cut where the connection broke; more than this in a row are others. */
    private static final int MOST_UNKNOWN = 8;

    private static final long SECOND = 1_000_000_000;
    private static final int CHECKED_BYTES = 4096;

    /** What is known of the packets since the input was opened again. */
    private enum Row {
        /** They follow what was published. */
        NEW,
        /** They may lie before the first one remembered. */
        OLDER,
        /** They are those remembered. */
        SAME,
        /** They are of the same file: times alone tell. */
        FILE
    }

    /** Made with the first packet: cameras do not replay, and need none. */
    private long[] marks = {};

    private long[] times = {};
    private final CRC32C checksum = new CRC32C();
    private int count;
    private int next;

    /** Packets in a row of which nothing is known though those around them are remembered. */
    private int unknown;

    private Row row = Row.NEW;
    private boolean resumed;
    private long lastNanos = Long.MIN_VALUE;
    private long numerator;
    private long denominator;

    /** An input is open: its timestamps count in this. */
    void opened(Demuxer demuxer) {
        numerator = demuxer.timeBaseNumerator();
        denominator = demuxer.timeBaseDenominator();
        row = count > 0 ? Row.OLDER : Row.NEW;
        unknown = 0;
        resumed = false;
    }

    /** The same file is open again, and read from somewhere at or before the last frame published. */
    void resumeFile() {
        row = count > 0 ? Row.FILE : Row.NEW;
    }

    /** Forgets: what follows is published. */
    void forget() {
        count = 0;
        next = 0;
        row = Row.NEW;
        lastNanos = Long.MIN_VALUE;
    }

    /** Notes a packet, in the order of the stream. */
    void packet(AVPacket packet) {
        long stamp = packet.pts() == AV_NOPTS_VALUE ? packet.dts() : packet.pts();
        if (stamp == AV_NOPTS_VALUE) {
            return;
        }
        long time = nanos(stamp);
        long mark = mark(packet);
        if (row == Row.OLDER || row == Row.SAME) {
            compare(mark, time);
        }
        if (row == Row.NEW || time > lastNanos) {
            remember(mark, time);
        }
    }

    private void compare(long mark, long time) {
        if (isRemembered(mark)) {
            row = Row.SAME;
            unknown = 0;
            return;
        }
        long oldest = times[count < KEPT ? 0 : next];
        boolean isOlder = row == Row.OLDER && time < oldest && oldest - time < OLDER_NANOS;
        boolean isNext = row == Row.SAME && time > lastNanos - REORDER_NANOS;
        if (!isOlder && !isNext && (row == Row.OLDER || ++unknown > MOST_UNKNOWN)) {
            forget();
        }
    }

    private void remember(long mark, long time) {
        if (marks.length == 0) {
            marks = new long[KEPT];
            times = new long[KEPT];
        }
        marks[next] = mark;
        times[next] = time;
        next = (next + 1) % KEPT;
        count = Math.min(count + 1, KEPT);
    }

    private boolean isRemembered(long mark) {
        for (int i = 0; i < count; i++) {
            if (marks[i] == mark) {
                return true;
            }
        }
        return false;
    }

    private long mark(AVPacket packet) {
        checksum.reset();
        int length = Math.min(packet.size(), CHECKED_BYTES);
        if (length > 0) {
            ByteBuffer bytes = packet.data().capacity(length).asByteBuffer();
            checksum.update(bytes);
        }
        return (checksum.getValue() << 32) ^ packet.pts() ^ (packet.dts() << 7) ^ ((long) packet.size() << 40);
    }

    /**
     * Whether a frame was published before, or lies before what was.
     *
     * @param timestamp in units of the time base, or AV_NOPTS_VALUE
     */
    boolean isReplayed(long timestamp) {
        if (row == Row.NEW || timestamp == AV_NOPTS_VALUE) {
            return false;
        }
        if (nanos(timestamp) <= lastNanos) {
            return true;
        }
        resumed = row == Row.SAME || row == Row.FILE;
        row = Row.NEW;
        return false;
    }

    /** Whether the frame that {@link #isReplayed} let pass goes on where the last one published ended, by the same timestamps; asked once. */
    boolean hasResumed() {
        boolean was = resumed;
        resumed = false;
        return was;
    }

    /** Notes that a frame is published. */
    void published(long timestamp) {
        if (timestamp != AV_NOPTS_VALUE) {
            lastNanos = Math.max(lastNanos, nanos(timestamp));
        }
    }

    private long nanos(long timestamp) {
        return av_rescale(timestamp, numerator * SECOND, denominator);
    }
}
