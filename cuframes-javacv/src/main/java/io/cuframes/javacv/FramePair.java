// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_unref;

import io.cuframes.Publisher;
import org.bytedeco.ffmpeg.avutil.AVFrame;

/** The frame at hand, and the frame before it while the GPU still copies from it. Not thread-safe. */
final class FramePair implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(VideoSource.class.getName());

    /** After this long without a copy the GPU is called stuck. */
    private static final long PATIENCE_NANOS = 2_000_000_000;

    /** A copy is usually done when it is asked for; a wait that takes longer than this leaves the core to others. */
    private static final long SPIN_NANOS = 200_000;

    private static final long LOOK_NANOS = 1_000_000;

    private AVFrame current;
    private AVFrame copied;
    private Publisher publisher;
    private long seq;

    FramePair() {
        current = Ffmpeg.allocated(av_frame_alloc(), "a frame");
        copied = av_frame_alloc();
        if (copied == null) {
            av_frame_free(current);
            Ffmpeg.allocated(null, "a frame");
        }
    }

    AVFrame current() {
        return current;
    }

    /** The frame at hand is not needed any more. */
    void drop() {
        av_frame_unref(current);
    }

    /** The frame at hand is being copied by the GPU, until its slot is announced. */
    void keepUntilAnnounced(Publisher where, long number) {
        AVFrame other = copied;
        copied = current;
        current = other;
        publisher = where;
        seq = number;
    }

    /**
     * Waits for the copy under way, usually long done, however long it takes, and releases its frame.
     *
     * @param gate ends the wait
     * @param stall hears of a copy that takes more than 2 s
     * @param check throws if the GPU will not go on; called before the stall is reported, and every 2 s from then on
     * @return false if the gate ended the wait: the copy is still under way
     */
    boolean settle(InterruptGate gate, GpuStall stall, Runnable check) {
        long start = System.nanoTime();
        long checked = start;
        while (!isAnnounced()) {
            long now = System.nanoTime();
            if (now - checked > PATIENCE_NANOS) {
                check.run();
                stall.began("the GPU has not copied a decoded frame within 2 s: it is stuck or very busy");
                checked = now;
            }
            if (now - start < SPIN_NANOS) {
                Thread.onSpinWait();
            } else if (!gate.sleep(LOOK_NANOS)) {
                return false;
            }
        }
        release();
        return true;
    }

    private boolean isAnnounced() {
        try {
            return publisher == null || publisher.announced() >= seq;
        } catch (IllegalStateException e) {
            return true; // the publisher is closed, which waited for its copies
        }
    }

    private void release() {
        if (publisher != null) {
            publisher = null;
            av_frame_unref(copied);
        }
    }

    /** Frees both frames: the one that is being copied once that is done, however long it takes. Closing twice closes once. */
    @Override
    public void close() {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (!isAnnounced() && System.nanoTime() - deadline < 0) {
            Thread.onSpinWait();
        }
        if (isAnnounced()) {
            release();
            av_frame_free(copied);
        } else {
            freeLater();
        }
        av_frame_free(current);
    }

    /** The decoder's surface stays until then, and so does what the decoder needs for it: FFmpeg counts references. */
    private void freeLater() {
        Thread thread = new Thread(null, this::freeOnceAnnounced, "cuframes-late-frame", 0, false);
        thread.setDaemon(true);
        LOG.log(
                System.Logger.Level.WARNING,
                "a source is closed while its GPU, stuck or very busy, copies a decoded frame: the frame is freed once that is done");
        try {
            thread.start();
        } catch (OutOfMemoryError e) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "no thread to free a decoded frame: it stays until the process ends",
                    e);
        }
    }

    private void freeOnceAnnounced() {
        boolean interrupted = false;
        while (!isAnnounced()) {
            try {
                Thread.sleep(LOOK_NANOS / 1_000_000);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        release();
        av_frame_free(copied);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
