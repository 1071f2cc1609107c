// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AVCOL_PRI_BT709;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_PRI_UNSPECIFIED;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_RANGE_JPEG;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_RANGE_UNSPECIFIED;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_SPC_BT709;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_SPC_UNSPECIFIED;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_TRC_BT709;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_TRC_UNSPECIFIED;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_CUDA;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GRAY8;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_NV12;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_RGB24;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cuframes.ColorInfo;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StreamColorTest {
    private static final ColorInfo BT601_625 = new ColorInfo(5, 6, 5, ColorInfo.Range.LIMITED);

    private final AVFrame frame = av_frame_alloc();

    @AfterEach
    void free() {
        av_frame_free(frame);
    }

    private ColorInfo of(int pixelFormat, ColorInfo announced) {
        frame.format(pixelFormat);
        return StreamColor.of(frame, announced);
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

    @Test
    void whatIsConvertedIsAsTheConversionMakesIt() {
        bt709();
        ColorInfo made = new ColorInfo(1, 1, 5, ColorInfo.Range.LIMITED);
        assertEquals(made, of(AV_PIX_FMT_RGB24, ColorInfo.UNKNOWN));
        assertEquals(made, of(AV_PIX_FMT_GRAY8, ColorInfo.UNKNOWN));
    }
}
