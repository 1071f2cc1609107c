// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_FLAG_COPY_OPAQUE;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_FLAG_OUTPUT_CORRUPT;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_alloc_context3;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_flush_buffers;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_free_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_open2;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_to_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_receive_frame;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_send_packet;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import java.util.function.Consumer;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVFrame;

/** An opened decoder of FFmpeg: what decoding on the GPU and on the CPU have in common. */
final class CodecContext implements AutoCloseable {
    private final AVCodecContext context;

    /** What FFmpeg's log reports of damage while this decodes. */
    private final DamageReports reports;

    /**
     * Opens a decoder for the demuxer's stream.
     *
     * @param codec the decoder
     * @param settings what is to be set before it is opened
     * @throws CuframesException code UNSUPPORTED if FFmpeg does not open it, SYSTEM if it has no memory for it
     */
    CodecContext(Demuxer demuxer, AVCodec codec, Consumer<AVCodecContext> settings) {
        context = Ffmpeg.allocated(avcodec_alloc_context3(codec), "a decoder");
        DamageReports made = null;
        try {
            made = new DamageReports();
            check(demuxer, avcodec_parameters_to_context(context, demuxer.parameters()));
            context.pkt_timebase(demuxer.stream().time_base());
            // Frames that lack what they are predicted from come, too, and say so: whoever reads them decides. A
            // packet's mark comes with its frame.
            context.flags(context.flags() | AV_CODEC_FLAG_OUTPUT_CORRUPT | AV_CODEC_FLAG_COPY_OPAQUE);
            made.watch(context);
            settings.accept(context);
            check(demuxer, avcodec_open2(context, codec, (AVDictionary) null));
        } catch (RuntimeException | Error e) {
            DamageReports opened = made;
            Steps.runAllAfter(e, () -> avcodec_free_context(context), () -> {
                if (opened != null) {
                    opened.close();
                }
            });
            throw e;
        }
        reports = made;
    }

    private static void check(Demuxer demuxer, int status) {
        if (status < 0) {
            throw new CuframesException(
                    status == Ffmpeg.NO_MEMORY ? ErrorCode.SYSTEM : ErrorCode.UNSUPPORTED,
                    "FFmpeg cannot open its decoder of " + demuxer.codecName() + ": " + Ffmpeg.text(status));
        }
    }

    /** How often the log has told of damage. */
    long damageReports() {
        return reports.count();
    }

    long address() {
        return context.address();
    }

    int send(AVPacket packet) {
        return avcodec_send_packet(context, packet);
    }

    int receive(AVFrame frame) {
        return avcodec_receive_frame(context, frame);
    }

    void flush() {
        avcodec_flush_buffers(context);
    }

    @Override
    public void close() {
        Steps.runAll(() -> avcodec_free_context(context), reports::close);
    }
}
