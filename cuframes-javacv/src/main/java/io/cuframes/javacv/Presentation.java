// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avcodec.AV_FIELD_PROGRESSIVE;
import static org.bytedeco.ffmpeg.global.avcodec.AV_PKT_DATA_DISPLAYMATRIX;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_side_data_get;
import static org.bytedeco.ffmpeg.global.avutil.AV_FRAME_DATA_DISPLAYMATRIX;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_CUDA;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_get_side_data;

import org.bytedeco.ffmpeg.avcodec.AVCodecParameters;
import org.bytedeco.ffmpeg.avcodec.AVPacketSideData;
import org.bytedeco.ffmpeg.avformat.AVStream;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.avutil.AVFrameSideData;

/**
 * What a stream's pictures look like: as the stream announces, then as the frame at hand says; and what is to be done for showing them, which is not done
 * here. For one thread.
 */
final class Presentation {
    /** {@code AV_FRAME_FLAG_INTERLACED} of libavutil/frame.h. */
    private static final int FLAG_INTERLACED = 1 << 3;

    /** What a description is made of. */
    private record Look(
            int pixelFormat, int width, int height, PixelAspect pixels, DisplayTurn turn, boolean isInterlaced) {}

    private final int announcedFormat;
    private final DisplayTurn announcedTurn;

    /** The container's pixel aspect goes before that of the coded stream, as in FFmpeg's own programs. */
    private final PixelAspect ofContainer;

    private PixelAspect ofFirstFrame;
    private Look look;

    Presentation(AVStream stream) {
        AVCodecParameters parameters = stream.codecpar();
        announcedFormat = parameters.format();
        announcedTurn = turn(parameters);
        ofContainer = PixelAspect.of(stream.sample_aspect_ratio());
        PixelAspect coded = PixelAspect.of(parameters.sample_aspect_ratio());
        look = new Look(
                announcedFormat,
                parameters.width(),
                parameters.height(),
                ofContainer.isKnown() ? ofContainer : coded,
                announcedTurn,
                parameters.field_order() > AV_FIELD_PROGRESSIVE);
    }

    private static DisplayTurn turn(AVCodecParameters parameters) {
        AVPacketSideData matrix = av_packet_side_data_get(
                parameters.coded_side_data(), parameters.nb_coded_side_data(), AV_PKT_DATA_DISPLAYMATRIX);
        return matrix == null ? DisplayTurn.NONE : DisplayTurn.of(matrix.data(), matrix.size());
    }

    /**
     * Takes note of a decoded frame.
     *
     * @return whether it looks other than what was known
     */
    boolean note(AVFrame frame) {
        VisiblePart part = VisiblePart.of(frame);
        Look now = new Look(
                frame.format() == AV_PIX_FMT_CUDA ? announcedFormat : frame.format(),
                part.width(),
                part.height(),
                pixels(PixelAspect.of(frame.sample_aspect_ratio())),
                turn(frame),
                look.isInterlaced || (frame.flags() & FLAG_INTERLACED) != 0);
        boolean isOther = !now.equals(look);
        look = now;
        return isOther;
    }

    /** What the container says is of the stream as it began. */
    private PixelAspect pixels(PixelAspect ofFrame) {
        if (ofFirstFrame == null) {
            ofFirstFrame = ofFrame;
        }
        return ofContainer.isKnown() && ofFrame.equals(ofFirstFrame) ? ofContainer : ofFrame;
    }

    private DisplayTurn turn(AVFrame frame) {
        AVFrameSideData matrix = av_frame_get_side_data(frame, AV_FRAME_DATA_DISPLAYMATRIX);
        return matrix == null ? announcedTurn : DisplayTurn.of(matrix.data(), matrix.size());
    }

    /** FFmpeg's number of the pixel format that the stream is coded in, as far as it is known. */
    int pixelFormat() {
        return look.pixelFormat;
    }

    /** Columns of the visible part, without an odd one. */
    int evenWidth() {
        return look.width & ~1;
    }

    /** Rows of the visible part, without an odd one. */
    int evenHeight() {
        return look.height & ~1;
    }

    /** What is left out, and what is to be done for showing the frames, in words for the end of a description; empty if nothing. */
    String words() {
        boolean isEven = (look.width | look.height) % 2 == 0;
        String turn = look.turn.words();
        return (isEven ? "" : ", cropped from " + look.width + "x" + look.height + " to even")
                + (look.isInterlaced ? ", interlaced" : "")
                + (look.pixels.isSquare() ? "" : ", " + look.pixels.words(evenWidth(), evenHeight()))
                + (turn.isEmpty() ? "" : ", to be shown " + turn);
    }
}
