// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_NV12;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_get_buffer;

import java.lang.foreign.MemorySegment;
import org.bytedeco.ffmpeg.avutil.AVFrame;

/** An NV12 frame in system memory, seen as an AVFrame and as memory segments, which end with it. */
final class HostFrame implements AutoCloseable {
    private final AVFrame frame;
    private final MemorySegment luma;
    private final MemorySegment chroma;

    HostFrame(int width, int height) {
        frame = Ffmpeg.allocated(av_frame_alloc(), "a frame");
        frame.format(AV_PIX_FMT_NV12).width(width).height(height);
        if (av_frame_get_buffer(frame, 0) < 0) {
            av_frame_free(frame);
            Ffmpeg.allocated(null, "a frame of " + width + "x" + height);
        }
        try {
            luma = segment(0, height);
            chroma = segment(1, height / 2);
        } catch (RuntimeException | Error e) {
            av_frame_free(frame);
            throw e;
        }
    }

    private MemorySegment segment(int plane, int rows) {
        long bytes = (long) frame.linesize(plane) * rows;
        return MemorySegment.ofBuffer(frame.data(plane).capacity(bytes).asByteBuffer());
    }

    AVFrame frame() {
        return frame;
    }

    boolean fits(int width, int height) {
        return frame.width() == width && frame.height() == height;
    }

    MemorySegment luma() {
        return luma;
    }

    MemorySegment chroma() {
        return chroma;
    }

    int lumaPitch() {
        return frame.linesize(0);
    }

    int chromaPitch() {
        return frame.linesize(1);
    }

    @Override
    public void close() {
        av_frame_free(frame);
    }
}
