// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cuframes.internal.dlpack.TensorSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How the planes of every pixel format look as tensors: a picture of 100 x 50. */
class DlpackFormatsTest {
    private static final long ADDRESS = 0x10000;

    private static FrameFormat format(PixelFormat pixels) {
        return FrameFormat.of(pixels, 100, 50, ColorInfo.UNKNOWN);
    }

    private static void assertTensor(String expected, TensorSpec spec) {
        assertEquals(expected, spec.toString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            NV12    | 0 | uint8[50, 100] with strides [256, 1] on CPU
            NV12    | 1 | uint8[25, 50, 2] with strides [256, 2, 1] on CPU
            P010    | 0 | uint16[50, 100] with strides [128, 1] on CPU
            P010    | 1 | uint16[25, 50, 2] with strides [128, 2, 1] on CPU
            YUV420P | 2 | uint8[25, 50] with strides [256, 1] on CPU
            YUV444P | 2 | uint8[50, 100] with strides [256, 1] on CPU
            RGB24   | 0 | uint8[50, 100, 3] with strides [512, 3, 1] on CPU
            RGBA    | 0 | uint8[50, 100, 4] with strides [512, 4, 1] on CPU
            GRAY8   | 0 | uint8[50, 100] with strides [256, 1] on CPU
            GRAY16  | 0 | uint16[50, 100] with strides [128, 1] on CPU
            """)
    void aPlaneHasTheTypeOfItsComponents(PixelFormat pixels, int plane, String expected) {
        PlaneLayout layout = format(pixels).planes().get(plane);
        assertTensor(expected, TensorSpec.ofPlane(pixels, layout, ADDRESS, null, true));
        assertEquals(
                layout.pitch(),
                TensorSpec.ofPlane(pixels, layout, ADDRESS, null, true).sourcePitch(pixels, layout));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            NV12    | uint8[75, 100] with strides [256, 1] on CPU
            P010    | uint16[75, 100] with strides [128, 1] on CPU
            YUV444P | uint8[150, 100] with strides [256, 1] on CPU
            RGB24   | uint8[50, 100, 3] with strides [512, 3, 1] on CPU
            RGBA    | uint8[50, 100, 4] with strides [512, 4, 1] on CPU
            GRAY8   | uint8[50, 100] with strides [256, 1] on CPU
            GRAY16  | uint16[50, 100] with strides [128, 1] on CPU
            """)
    void aWholeFrameIsOneTensorWherePlanesLieOneBelowTheOther(PixelFormat pixels, String expected) {
        assertTensor(expected, TensorSpec.ofFrame(format(pixels), ADDRESS, null, true));
    }

    @Test
    void planesOfDifferentWidthAreNotOneTensor() {
        CuframesException refused = assertThrows(
                CuframesException.class, () -> TensorSpec.ofFrame(format(PixelFormat.YUV420P), ADDRESS, null, true));
        assertEquals(ErrorCode.UNSUPPORTED, refused.code());
    }

    @Test
    void aTensorOfABufferOfTheApplicationsOwnHasItsPitch() {
        PlaneLayout layout = new PlaneLayout(0, 302, 100, 50, 3);
        TensorSpec spec = TensorSpec.ofPlane(PixelFormat.RGB24, layout, ADDRESS, null, true);
        assertArrayEquals(new long[] {302, 3, 1}, spec.strides());
    }
}
