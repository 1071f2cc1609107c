// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AVCOL_RANGE_JPEG;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_RANGE_MPEG;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_FLAG_ALPHA;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_FLAG_FLOAT;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GBRP10LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_MONOBLACK;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_MONOWHITE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_RGB24;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_RGB48LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_UYYVYY411;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YAF16LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YAF32LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUVJ411P;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_get_buffer;
import static org.bytedeco.ffmpeg.global.avutil.av_pix_fmt_desc_get;
import static org.bytedeco.ffmpeg.global.avutil.av_pix_fmt_desc_get_id;
import static org.bytedeco.ffmpeg.global.avutil.av_pix_fmt_desc_next;
import static org.bytedeco.ffmpeg.global.avutil.av_write_image_line2;
import static org.bytedeco.ffmpeg.global.swscale.sws_isSupportedInput;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ColorInfo;
import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bytedeco.ffmpeg.avcodec.AVCodecParameters;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.avutil.AVPixFmtDescriptor;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of the samples of every pixel format that libswscale reads, and where they are written. */
@Timeout(120)
class Nv12ConverterTest {
    private static final int WIDTH = 68; // no multiple of 16: libswscale ends rows by other code
    private static final int HEIGHT = 48;
    private static final byte GUARD = (byte) 0xA5;
    private static final int GUARDS = 256;
    private static final int[] LUMA = {0, 7, 16, 128, 235, 255};

    @BeforeAll
    static void load() {
        Ffmpeg.load();
    }

    private static IntStream formats() {
        List<Integer> formats = new ArrayList<>();
        AVPixFmtDescriptor description = av_pix_fmt_desc_next(null);
        while (description != null) {
            int format = av_pix_fmt_desc_get_id(description);
            if (sws_isSupportedInput(format) != 0 && !isOpaqueFloatGrey(description)) {
                formats.add(format);
            }
            description = av_pix_fmt_desc_next(description);
        }
        return formats.stream().mapToInt(Integer::intValue);
    }

    private static boolean isOpaqueFloatGrey(AVPixFmtDescriptor description) {
        return (description.flags() & AV_PIX_FMT_FLAG_FLOAT) != 0 && description.nb_components() == 2;
    }

    /** Those with luma that has values to keep, by their names: all but RGB, XYZ, palettes and one bit. */
    static Stream<String> formatsWithLuma() {
        return formats()
                .filter(format -> !StreamColor.isConverted(format)
                        && format != AV_PIX_FMT_MONOBLACK
                        && format != AV_PIX_FMT_MONOWHITE)
                .mapToObj(Nv12Converter::name);
    }

    private static int format(String name) {
        return formats()
                .filter(format -> Nv12Converter.name(format).equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void allFormatsAreLookedAt() {
        assertTrue(formatsWithLuma().count() > 130, "FFmpeg 8 has so many");
        assertTrue(formatsWithLuma().anyMatch("yuvj411p"::equals));
        assertEquals(AV_PIX_FMT_YUVJ411P, format("yuvj411p"));
    }

    @ParameterizedTest
    @MethodSource("formatsWithLuma")
    void lumaStaysAsItIsWhateverTheRange(String name) {
        int format = format(name);
        boolean isFloat = (av_pix_fmt_desc_get(format).flags() & AV_PIX_FMT_FLAG_FLOAT) != 0;
        for (int range : new int[] {AVCOL_RANGE_MPEG, AVCOL_RANGE_JPEG}) {
            for (int luma : LUMA) {
                AVFrame frame = picture(format, luma);
                frame.color_range(range);
                try (Nv12 nv12 = new Nv12(frame, WIDTH, HEIGHT, 2 * WIDTH)) {
                    int tolerance = isFloat ? 2 : 0; // the values between black and white have no one place
                    nv12.assertPlane(0, luma - tolerance, luma + tolerance, name + " " + luma);
                    nv12.assertPlane(1, 128, 128, "chroma of " + name + " " + luma);
                } finally {
                    av_frame_free(frame);
                }
                assertEquals(
                        range == AVCOL_RANGE_JPEG ? ColorInfo.Range.FULL : ColorInfo.Range.LIMITED,
                        labelled(format, range).range());
            }
        }
    }

    private static ColorInfo labelled(int format, int range) {
        AVFrame frame = av_frame_alloc();
        try (AVCodecParameters parameters = new AVCodecParameters()) {
            frame.format(format).width(WIDTH).height(HEIGHT);
            frame.color_range(range);
            return new StreamColor(parameters).of(frame);
        } finally {
            av_frame_free(frame);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {AV_PIX_FMT_RGB24, AV_PIX_FMT_RGB48LE, AV_PIX_FMT_GBRP10LE})
    void rgbBecomesLimitedRangeAsAnnounced(int format) {
        for (int level : new int[] {0, 255}) {
            AVFrame frame = picture(format, level, level);
            frame.color_range(AVCOL_RANGE_JPEG);
            try (Nv12 nv12 = new Nv12(frame, WIDTH, HEIGHT, 2 * WIDTH)) {
                int luma = level == 0 ? 16 : 235;
                nv12.assertPlane(0, luma, luma + 1, Nv12Converter.name(format));
            } finally {
                av_frame_free(frame);
            }
            assertEquals(
                    ColorInfo.Range.LIMITED, labelled(format, AVCOL_RANGE_JPEG).range());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {AV_PIX_FMT_MONOBLACK, AV_PIX_FMT_MONOWHITE})
    void oneBitIsBlackAndWhiteOfFullRange(int format) {
        for (int bits : new int[] {0, 255}) {
            AVFrame frame = emptyPicture(format, WIDTH, HEIGHT, bits);
            try (Nv12 nv12 = new Nv12(frame, WIDTH, HEIGHT, 2 * WIDTH)) {
                int luma = format == AV_PIX_FMT_MONOBLACK ? bits : 255 - bits;
                nv12.assertPlane(0, luma, luma, Nv12Converter.name(format));
                nv12.assertPlane(1, 128, 128, "chroma");
            } finally {
                av_frame_free(frame);
            }
        }
        assertEquals(ColorInfo.Range.FULL, labelled(format, 0).range());
    }

    /** libswscale would end the process. */
    @ParameterizedTest
    @ValueSource(ints = {AV_PIX_FMT_YAF16LE, AV_PIX_FMT_YAF32LE})
    void whatLibswscaleDoesNotSurviveIsRefused(int format) {
        AVFrame frame = emptyPicture(format, WIDTH, HEIGHT, 0);
        try {
            CuframesException e = assertThrows(CuframesException.class, () -> new Nv12(frame, WIDTH, HEIGHT, WIDTH));
            assertEquals(ErrorCode.UNSUPPORTED, e.code());
        } finally {
            av_frame_free(frame);
        }
    }

    /** A slot of an application's own buffers may have rows of the width, and end with the last one. */
    @Test
    void nothingIsWrittenOutsideTheRowsOfATightSlot() {
        formats().forEach(format -> {
            for (int width : new int[] {2, 8, 14, 18, 30, 34, 50, 62, 64, 66, 100}) {
                AVFrame frame = emptyPicture(format, width, 6, 33);
                try (Nv12 nv12 = new Nv12(frame, width, 6, width)) {
                    nv12.assertGuards(Nv12Converter.name(format) + " " + width);
                } finally {
                    av_frame_free(frame);
                }
            }
        });
    }

    @Test
    void aTightSlotGetsTheSameSamplesAsAWideOne() {
        for (int width : new int[] {2, 18, 62, 64, 98}) {
            AVFrame frame = emptyPicture(AV_PIX_FMT_YUV420P, width, 10, 0);
            for (int at = 0; at < 10 * frame.linesize(0); at++) {
                frame.data(0).put(at, (byte) (at * 7));
            }
            try (Nv12 tight = new Nv12(frame, width, 10, width);
                    Nv12 wide = new Nv12(frame, width, 10, 512)) {
                for (int row = 0; row < 15; row++) {
                    assertEquals(-1, tight.row(row).mismatch(wide.row(row)), width + " wide, row " + row);
                }
            } finally {
                av_frame_free(frame);
            }
        }
    }

    /** Of one luma, without colour. */
    private static AVFrame picture(int format, int luma) {
        return picture(format, luma, 128);
    }

    private static AVFrame picture(int format, int first, int others) {
        AVFrame frame = emptyPicture(format, WIDTH, HEIGHT, 0);
        if (format == AV_PIX_FMT_UYYVYY411) { // its descriptor cannot tell where its samples are
            for (int at = 0; at < HEIGHT * frame.linesize(0); at++) {
                frame.data(0).put(at, (byte) (at % frame.linesize(0) % 3 == 0 ? others : first));
            }
            return frame;
        }
        AVPixFmtDescriptor description = av_pix_fmt_desc_get(format);
        int components = description.nb_components();
        boolean hasOpacity = (description.flags() & AV_PIX_FMT_FLAG_ALPHA) != 0;
        try (IntPointer line = new IntPointer(WIDTH)) {
            for (int component = 0; component < components; component++) {
                boolean isOpacity = hasOpacity && component == components - 1;
                int level = component == 0 ? first : isOpacity ? 255 : others;
                boolean isChroma = !isOpacity && (component == 1 || component == 2);
                int width = isChroma ? Math.ceilDiv(WIDTH, 1 << description.log2_chroma_w()) : WIDTH;
                int height = isChroma ? Math.ceilDiv(HEIGHT, 1 << description.log2_chroma_h()) : HEIGHT;
                int value = value(description, component, level);
                for (int at = 0; at < WIDTH; at++) {
                    line.put(at, value);
                }
                for (int row = 0; row < height; row++) {
                    av_write_image_line2(
                            line, frame.data(), frame.linesize(), description, 0, row, component, width, 4);
                }
            }
        }
        return frame;
    }

    /** A level of 0 to 255 in a component's bits: the highest is all of them. */
    private static int value(AVPixFmtDescriptor description, int component, int level) {
        int depth = description.comp(component).depth();
        if ((description.flags() & AV_PIX_FMT_FLAG_FLOAT) != 0) {
            float value = level / 255f;
            return depth == 32 ? Float.floatToRawIntBits(value) : Float.floatToFloat16(value) & 0xFFFF;
        }
        if (level == 255 || depth < 8) {
            return level < 128 ? 0 : (1 << depth) - 1;
        }
        return level << (depth - 8);
    }

    private static AVFrame emptyPicture(int format, int width, int height, int fill) {
        AVFrame frame = av_frame_alloc();
        frame.format(format).width(width).height(height);
        assertEquals(0, av_frame_get_buffer(frame, 0));
        for (int i = 0; i < 4 && frame.buf(i) != null; i++) {
            Pointer.memset(frame.buf(i).data(), fill, frame.buf(i).size());
        }
        return frame;
    }

    /** What a frame is converted to, each plane between guards. */
    private static final class Nv12 implements AutoCloseable {
        private final Arena arena = Arena.ofConfined();
        private final int width;
        private final int height;
        private final int pitch;
        private final MemorySegment memory;

        Nv12(AVFrame frame, int width, int height, int pitch) {
            this.width = width;
            this.height = height;
            this.pitch = pitch;
            memory = arena.allocate(3 * GUARDS + (long) pitch * height * 3 / 2, 64)
                    .fill(GUARD);
            try (Nv12Converter converter = new Nv12Converter()) {
                converter.convert(
                        frame, width, height, memory.address() + start(0), pitch, memory.address() + start(1), pitch);
            } catch (RuntimeException e) {
                arena.close();
                throw e;
            }
        }

        private long start(int plane) {
            return plane == 0 ? GUARDS : 2 * GUARDS + (long) pitch * height;
        }

        /** Rows of the luma, then of the chroma. */
        MemorySegment row(int row) {
            int plane = row < height ? 0 : 1;
            return memory.asSlice(start(plane) + (long) (row - plane * height) * pitch, width);
        }

        void assertPlane(int plane, int least, int most, String what) {
            int first = plane == 0 ? 0 : height;
            for (int row = first; row < first + height / (plane + 1); row++) {
                for (int column = 0; column < width; column++) {
                    int sample = row(row).get(ValueLayout.JAVA_BYTE, column) & 255;
                    assertTrue(sample >= least && sample <= most, what + " is " + sample);
                }
            }
        }

        void assertGuards(String what) {
            long end = memory.byteSize();
            for (long from : new long[] {0, start(1) - GUARDS, end - GUARDS}) {
                for (long at = from; at < from + GUARDS; at++) {
                    assertEquals(GUARD, memory.get(ValueLayout.JAVA_BYTE, at), what + ", byte " + at);
                }
            }
        }

        @Override
        public void close() {
            arena.close();
        }
    }
}
