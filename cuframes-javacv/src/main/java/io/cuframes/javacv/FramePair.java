// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_unref;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.Publisher;
import org.bytedeco.ffmpeg.avutil.AVFrame;

/** The frame at hand, and the frame before it while the GPU still copies from it. Not thread-safe. */
final class FramePair implements AutoCloseable {
    private static final long PATIENCE_NANOS = 2_000_000_000;

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

    /** Waits for the copy under way, usually long done, and lets go of its frame. */
    void settle() {
        if (publisher == null) {
            return;
        }
        Publisher where = publisher;
        publisher = null;
        try {
            long start = System.nanoTime();
            while (where.announced() < seq) {
                if (System.nanoTime() - start > PATIENCE_NANOS) {
                    throw new CuframesException(
                            ErrorCode.TIMEOUT,
                            "the GPU has not copied a decoded frame within 2 s: it is stuck or very busy");
                }
                Thread.onSpinWait();
            }
        } catch (IllegalStateException e) {
            // The publisher is closed, which waited for its copies.
        } finally {
            av_frame_unref(copied);
        }
    }

    @Override
    public void close() {
        try {
            settle();
        } finally {
            av_frame_free(copied);
            av_frame_free(current);
        }
    }
}
