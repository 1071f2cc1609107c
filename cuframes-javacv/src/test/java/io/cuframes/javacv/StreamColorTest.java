// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_H264;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_PGM;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_PNG;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_TIFF;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_free;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_PRI_BT709;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_PRI_UNSPECIFIED;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_RANGE_JPEG;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_RANGE_MPEG;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_RANGE_UNSPECIFIED;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_SPC_BT709;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_SPC_RGB;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_SPC_UNSPECIFIED;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_TRC_BT709;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_TRC_UNSPECIFIED;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_CUDA;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GBRP10LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GRAY10LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GRAY16BE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GRAY16LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GRAY8;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_MONOBLACK;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_NV12;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_PAL8;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_RGB24;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_XYZ12LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YA16LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YA8;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cuframes.ColorInfo;
import org.bytedeco.ffmpeg.avcodec.AVCodecParameters;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StreamColorTest {
    private static final ColorInfo BT601_625 = new ColorInfo(5, 6, 5, ColorInfo.Range.LIMITED);

    private final AVFrame frame = av_frame_alloc();

    @AfterEach
    void free() {
        av_frame_free(frame);
    }

    private ColorInfo of(int pixelFormat, int codec, ColorInfo announced) {
        AVCodecParameters parameters = avcodec_parameters_alloc();
        try {
            parameters.codec_id(codec);
            parameters.format(AV_PIX_FMT_RGB24); // of the stream's first picture, which does not bind the others
            parameters.color_primaries(announced.primaries());
            parameters.color_trc(announced.transfer());
            parameters.color_space(announced.matrix());
            parameters.color_range(
                    switch (announced.range()) {
                        case FULL -> AVCOL_RANGE_JPEG;
                        case LIMITED -> AVCOL_RANGE_MPEG;
                        default -> AVCOL_RANGE_UNSPECIFIED;
                    });
            frame.format(pixelFormat);
            return new StreamColor(parameters).of(frame);
        } finally {
            avcodec_parameters_free(parameters);
        }
    }

    private ColorInfo of(int pixelFormat, ColorInfo announced) {
        return of(pixelFormat, AV_CODEC_ID_H264, announced);
    }

    private void unspecified() {
        frame.color_primaries(AVCOL_PRI_UNSPECIFIED);
        frame.color_trc(AVCOL_TRC_UNSPECIFIED);
        frame.colorspace(AVCOL_SPC_UNSPECIFIED);
        frame.color_range(AVCOL_RANGE_UNSPECIFIED);
    }

    private void bt709() {
        frame.color_primaries(AVCOL_PRI_BT709);
        frame.color_trc(AVCOL_TRC_BT709);
        frame.colorspace(AVCOL_SPC_BT709);
        frame.color_range(AVCOL_RANGE_JPEG);
    }

    @Test
    void aFrameSaysItsColoursWhereverItWasDecoded() {
        bt709();
        ColorInfo said = new ColorInfo(1, 1, 1, ColorInfo.Range.FULL);
        assertEquals(said, of(AV_PIX_FMT_YUV420P, BT601_625));
        assertEquals(said, of(AV_PIX_FMT_NV12, BT601_625));
        assertEquals(said, of(AV_PIX_FMT_CUDA, BT601_625));
    }

    @Test
    void whatAFrameDoesNotSayIsAsTheStreamAnnounced() {
        unspecified();
        assertEquals(BT601_625, of(AV_PIX_FMT_YUV420P, BT601_625));
        assertEquals(BT601_625, of(AV_PIX_FMT_CUDA, BT601_625));
        assertEquals(ColorInfo.UNKNOWN, of(AV_PIX_FMT_CUDA, ColorInfo.UNKNOWN));
    }

    @ParameterizedTest
    @ValueSource(ints = {AV_PIX_FMT_RGB24, AV_PIX_FMT_GBRP10LE, AV_PIX_FMT_PAL8, AV_PIX_FMT_XYZ12LE})
    void whatIsConvertedIsAsTheConversionMakesIt(int pixelFormat) {
        bt709();
        assertEquals(new ColorInfo(1, 1, 5, ColorInfo.Range.LIMITED), of(pixelFormat, ColorInfo.UNKNOWN));
    }

    @ParameterizedTest
    @ValueSource(ints = {AV_PIX_FMT_GRAY8, AV_PIX_FMT_GRAY10LE, AV_PIX_FMT_GRAY16BE, AV_PIX_FMT_YA8, AV_PIX_FMT_YA16LE})
    void greyHasTheRangeOfTheStream(int pixelFormat) {
        bt709();
        assertEquals(new ColorInfo(1, 1, 1, ColorInfo.Range.FULL), of(pixelFormat, BT601_625));
        frame.color_range(AVCOL_RANGE_MPEG);
        assertEquals(new ColorInfo(1, 1, 1, ColorInfo.Range.LIMITED), of(pixelFormat, ColorInfo.UNKNOWN));
        assertEquals(
                new ColorInfo(1, 1, 1, ColorInfo.Range.LIMITED),
                of(pixelFormat, AV_CODEC_ID_TIFF, ColorInfo.UNKNOWN),
                "a picture may say otherwise");
        unspecified();
        assertEquals(BT601_625, of(pixelFormat, BT601_625));
        assertEquals(ColorInfo.UNKNOWN, of(pixelFormat, ColorInfo.UNKNOWN));
    }

    @Test
    void greyOfAPictureIsFullRangeWhereNothingIsSaid() {
        unspecified();
        ColorInfo full = new ColorInfo(2, 2, 2, ColorInfo.Range.FULL);
        assertEquals(full, of(AV_PIX_FMT_GRAY8, AV_CODEC_ID_TIFF, ColorInfo.UNKNOWN));
        assertEquals(full, of(AV_PIX_FMT_GRAY16LE, AV_CODEC_ID_PGM, ColorInfo.UNKNOWN));
        assertEquals(full, of(AV_PIX_FMT_MONOBLACK, AV_CODEC_ID_H264, ColorInfo.UNKNOWN), "whatever it comes from");
        assertEquals(ColorInfo.UNKNOWN, of(AV_PIX_FMT_YUV420P, AV_CODEC_ID_TIFF, ColorInfo.UNKNOWN));
    }

    /** PNG's decoder calls grey RGB. */
    @Test
    void theMatrixOfRgbIsNeverSaid() {
        unspecified();
        frame.colorspace(AVCOL_SPC_RGB);
        assertEquals(2, of(AV_PIX_FMT_GRAY8, AV_CODEC_ID_PNG, ColorInfo.UNKNOWN).matrix());
    }
}
