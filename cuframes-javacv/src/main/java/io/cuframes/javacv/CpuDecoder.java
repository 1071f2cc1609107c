// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_FLAG_UNALIGNED;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_find_decoder;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_NV12;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.Plane;
import io.cuframes.WritableFrame;
import java.util.List;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avutil.AVFrame;

/** Decodes on the CPU. A frame is converted straight into a slot of host memory; for a device ring it goes through one buffer. */
final class CpuDecoder implements FrameDecoder {
    /** Each thread of frame threading holds a frame back, so a live stream gets two. */
    private static final int LIVE_THREADS = 2;

    private static final int MOST_THREADS = 4;

    private final CodecContext codec;
    private final List<Long> tasks;
    private final Nv12Converter converter = new Nv12Converter();
    private HostFrame staging;

    CpuDecoder(Demuxer demuxer, boolean live) {
        AVCodec decoder = avcodec_find_decoder(demuxer.parameters().codec_id());
        if (decoder == null) {
            converter.close();
            throw new CuframesException(
                    ErrorCode.UNSUPPORTED, "this build of FFmpeg has no decoder of " + demuxer.codecName());
        }
        int threads = live ? LIVE_THREADS : Math.clamp(Runtime.getRuntime().availableProcessors(), 2, MOST_THREADS);
        try {
            TaskList.Started<CodecContext> started =
                    TaskList.watch(() -> new CodecContext(demuxer, decoder, context -> configure(context, threads)));
            codec = started.result();
            tasks = started.tasks();
        } catch (RuntimeException | Error e) {
            converter.close();
            throw e;
        }
    }

    private static void configure(AVCodecContext context, int threads) {
        context.thread_count(threads);
        // Else FFmpeg shows columns that the stream crops, to keep its pointers aligned.
        context.flags(context.flags() | AV_CODEC_FLAG_UNALIGNED);
    }

    @Override
    public List<Long> threads() {
        return tasks;
    }

    @Override
    public long deviceBytes() {
        return 0;
    }

    @Override
    public VideoSource.Decoder kind() {
        return VideoSource.Decoder.CPU;
    }

    @Override
    public int send(AVPacket packet) {
        return codec.send(packet);
    }

    @Override
    public int receive(AVFrame frame) {
        return codec.receive(frame);
    }

    @Override
    public long damageReports() {
        return codec.damageReports();
    }

    @Override
    public String refusal() {
        return null;
    }

    @Override
    public boolean refusalMayPass() {
        return false;
    }

    @Override
    public void requireAlive() {
        // this thread is here to ask
    }

    @Override
    public void flush() {
        codec.flush();
    }

    @Override
    public void copy(AVFrame frame, WritableFrame slot, boolean deviceRing) {
        Plane luma = slot.plane(0);
        int width = luma.width();
        int height = luma.height();
        if (!deviceRing) {
            Plane chroma = slot.plane(1);
            converter.convert(
                    frame,
                    width,
                    height,
                    luma.segment().address(),
                    luma.pitch(),
                    chroma.segment().address(),
                    chroma.pitch());
            return;
        }
        HostFrame buffer = staging(width, height);
        converter.convert(frame, buffer);
        slot.copyPlane(0, buffer.luma(), buffer.lumaPitch());
        slot.copyPlane(1, buffer.chroma(), buffer.chromaPitch());
    }

    private HostFrame staging(int width, int height) {
        if (staging == null || !staging.fits(width, height)) {
            closeStaging();
            staging = new HostFrame(width, height);
        }
        return staging;
    }

    @Override
    public String conversion(int format) {
        return format == AV_PIX_FMT_NV12 ? "" : ", " + Nv12Converter.name(format) + " converted to NV12";
    }

    @Override
    public void close() {
        Steps.runAll(this::closeStaging, converter::close, codec::close);
    }

    private void closeStaging() {
        if (staging != null) {
            staging.close();
            staging = null;
        }
    }
}
