// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.Frame;
import io.cuframes.FrameFormat;
import io.cuframes.PlaneLayout;
import io.cuframes.Transport;
import io.cuframes.javacv.FrameStamp;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Reads the frame number in each frame's luma and compares it with the sequence number: both must grow alike. From host memory the stamp is
 * read in place; from device memory the frame is copied first. For one thread.
 */
final class StampCheck {
    /** A stream that starts again may lose its first frames, up to a key frame, before one can be decoded. */
    private static final long RESTART_MARGIN = 64;

    private int slots;
    private MemorySegment copy;
    private boolean begun;
    private long lastSeq;
    private long lastStamp;
    private long torn;
    private long unreadable;
    private long misordered;
    private long restarts;

    /** For one epoch, and more if they are begun. */
    StampCheck(FrameFormat format, Transport transport, int newSlots) {
        begin(format, transport, newSlots);
    }

    /**
     * An epoch begins, whose numbers have nothing to do with those before.
     *
     * @param format its frames
     * @param transport where they are
     * @param newSlots of its ring: a stale slot is at most so many frames old
     * @throws CuframesException code UNSUPPORTED if its frames cannot hold a number
     */
    void begin(FrameFormat format, Transport transport, int newSlots) {
        requireRoomForStamps(format);
        this.begun = false;
        this.slots = newSlots;
        this.copy =
                transport.isDevice() ? Arena.ofAuto().allocate(format.frameBytes(), FrameFormat.PITCH_ALIGNMENT) : null;
    }

    private static void requireRoomForStamps(FrameFormat format) {
        boolean bytes = format.pixelFormat().sampleBytes(0) == 1;
        if (!bytes || format.width() < FrameStamp.MIN_WIDTH || format.height() < FrameStamp.MIN_HEIGHT) {
            throw new CuframesException(
                    ErrorCode.UNSUPPORTED,
                    "frame numbers are read from 8-bit luma of at least " + FrameStamp.MIN_WIDTH + "x"
                            + FrameStamp.MIN_HEIGHT + ", and this stream is " + format.pixelFormat() + " "
                            + format.width() + "x" + format.height() + ": leave out --verify");
        }
    }

    /** Checks an open frame. */
    void check(Frame frame) {
        PlaneLayout luma = frame.plane(0).layout();
        take(frame.seq(), FrameStamp.read(luma(frame), luma.pitch(), luma.width(), luma.height()));
    }

    private MemorySegment luma(Frame frame) {
        if (copy == null) {
            return frame.plane(0).segment();
        }
        frame.copyTo(copy);
        PlaneLayout luma = frame.plane(0).layout();
        return copy.asSlice(luma.offset(), luma.bytes());
    }

    /** Judges what was read. */
    void take(long seq, long stamp) {
        if (stamp == FrameStamp.TORN) {
            torn++;
        } else if (stamp == FrameStamp.UNREADABLE) {
            unreadable++;
        } else {
            compare(seq, stamp);
            begun = true;
            lastSeq = seq;
            lastStamp = stamp;
        }
    }

    private void compare(long seq, long stamp) {
        long passed = seq - lastSeq;
        if (!begun || stamp - lastStamp == passed) {
            return;
        }
        // The ring cannot be the cause of a step back that is longer than the ring.
        boolean back = lastStamp - stamp > slots;
        if (back && stamp < passed + RESTART_MARGIN) {
            restarts++;
        } else {
            misordered++;
        }
    }

    /** Frames with parts of more than one frame. */
    long torn() {
        return torn;
    }

    /** Frames without a number that can be read. */
    long unreadable() {
        return unreadable;
    }

    /** Frames whose number did not grow as the sequence number did. */
    long misordered() {
        return misordered;
    }

    /** How often the numbers began again. */
    long restarts() {
        return restarts;
    }

    boolean failed() {
        return torn + unreadable + misordered > 0;
    }

    @Override
    public String toString() {
        return "torn " + torn + ", unreadable " + unreadable + ", misordered " + misordered + ", restarts " + restarts;
    }
}
