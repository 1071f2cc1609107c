// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Where the planes of each pixel format lie, and what is no frame. */
class FrameFormatTest {
    private static Arguments layout(PixelFormat format, int width, int height, long bytes, PlaneLayout... planes) {
        return Arguments.of(format, width, height, bytes, List.of(planes));
    }

    private static PlaneLayout plane(long offset, int pitch, int width, int height, int sampleBytes) {
        return new PlaneLayout(offset, pitch, width, height, sampleBytes);
    }

    static Stream<Arguments> layouts() {
        return Stream.of(
                layout(
                        PixelFormat.NV12,
                        1920,
                        1080,
                        3_317_760,
                        plane(0, 2048, 1920, 1080, 1),
                        plane(2_211_840, 2048, 960, 540, 2)),
                layout(PixelFormat.NV12, 2, 2, 768, plane(0, 256, 2, 2, 1), plane(512, 256, 1, 1, 2)),
                layout(
                        PixelFormat.P010,
                        1920,
                        1080,
                        6_220_800,
                        plane(0, 3840, 1920, 1080, 2),
                        plane(4_147_200, 3840, 960, 540, 4)),
                layout(
                        PixelFormat.YUV420P,
                        322,
                        180,
                        138_240,
                        plane(0, 512, 322, 180, 1),
                        plane(92_160, 256, 161, 90, 1),
                        plane(115_200, 256, 161, 90, 1)),
                layout(
                        PixelFormat.YUV420P,
                        16384,
                        16384,
                        402_653_184,
                        plane(0, 16384, 16384, 16384, 1),
                        plane(268_435_456, 8192, 8192, 8192, 1),
                        plane(335_544_320, 8192, 8192, 8192, 1)),
                layout(
                        PixelFormat.YUV444P,
                        333,
                        77,
                        118_272,
                        plane(0, 512, 333, 77, 1),
                        plane(39_424, 512, 333, 77, 1),
                        plane(78_848, 512, 333, 77, 1)),
                layout(PixelFormat.RGB24, 333, 77, 78_848, plane(0, 1024, 333, 77, 3)),
                layout(PixelFormat.RGBA, 333, 77, 118_272, plane(0, 1536, 333, 77, 4)),
                layout(PixelFormat.RGBA, 16384, 16384, 1L << 30, plane(0, 65536, 16384, 16384, 4)),
                layout(PixelFormat.GRAY8, 2, 3, 768, plane(0, 256, 2, 3, 1)),
                layout(PixelFormat.GRAY16, 129, 3, 1536, plane(0, 512, 129, 3, 2)));
    }

    @ParameterizedTest(name = "{0} {1}x{2}")
    @MethodSource("layouts")
    void aFrameIsLaidOutSo(PixelFormat format, int width, int height, long bytes, List<PlaneLayout> planes) {
        FrameFormat laidOut = FrameFormat.of(format, width, height, ColorInfo.UNKNOWN);
        assertEquals(planes, laidOut.planes());
        assertEquals(bytes, laidOut.frameBytes());
        assertEquals(bytes, FrameFormat.frameBytes(format, width, height));
        assertEquals(
                laidOut, FrameFormat.withPlanes(format, width, height, ColorInfo.UNKNOWN, planes, bytes), "the same");
    }

    @ParameterizedTest
    @EnumSource
    void planesFollowEachOtherAlignedAndWithLittlePadding(PixelFormat format) {
        for (int width = 2; width <= 1030; width += 2) {
            FrameFormat laidOut = FrameFormat.of(format, width, 16, ColorInfo.UNKNOWN);
            long end = 0;
            for (PlaneLayout plane : laidOut.planes()) {
                assertEquals(end, plane.offset());
                assertEquals(0, plane.offset() % FrameFormat.PITCH_ALIGNMENT);
                assertEquals(0, plane.pitch() % FrameFormat.PITCH_ALIGNMENT);
                int padding = plane.pitch() - plane.rowBytes();
                assertTrue(padding >= 0 && padding < FrameFormat.PITCH_ALIGNMENT, plane.toString());
                end += plane.bytes();
            }
            assertEquals(end, laidOut.frameBytes());
        }
    }

    @ParameterizedTest
    @EnumSource
    void aFormatIsFoundByItsCode(PixelFormat format) {
        assertEquals(format, PixelFormat.ofCode(format.code()));
        assertNull(PixelFormat.ofCode(0));
        assertNull(PixelFormat.ofCode(-format.code()));
        assertNull(PixelFormat.ofCode(PixelFormat.values().length + 1));
    }

    @ParameterizedTest
    @EnumSource
    void sizesThatDoNotSuitTheFormatAreRefused(PixelFormat format) {
        refused("frame size 1x2 is out of range: width and height must be 2 to 16384", format, 1, 2);
        refused("frame size 2x1 is out of range", format, 2, 1);
        refused("frame size -640x360 is out of range", format, -640, 360);
        refused("frame size 16386x2 is out of range", format, 16386, 2);
        refused("frame size 2x2147483646 is out of range", format, 2, Integer.MAX_VALUE - 1);
        boolean halved =
                List.of(PixelFormat.NV12, PixelFormat.P010, PixelFormat.YUV420P).contains(format);
        assertEquals(halved, format.needsEvenSize());
        if (halved) {
            refused("frame size 641x360 does not suit " + format, format, 641, 360);
            refused("frame size 640x361 does not suit " + format, format, 640, 361);
        } else {
            assertEquals(
                    641, FrameFormat.of(format, 641, 361, ColorInfo.UNKNOWN).width());
        }
    }

    private static void refused(String expected, PixelFormat format, int width, int height) {
        refused(expected, () -> FrameFormat.of(format, width, height, ColorInfo.UNKNOWN));
        refused(expected, () -> FrameFormat.frameBytes(format, width, height));
        List<PlaneLayout> planes =
                FrameFormat.of(format, 2, 2, ColorInfo.UNKNOWN).planes();
        refused(expected, () -> FrameFormat.withPlanes(format, width, height, ColorInfo.UNKNOWN, planes, 1 << 20));
    }

    private static void refused(String expected, Runnable attempt) {
        CuframesException refused = assertThrows(CuframesException.class, attempt::run);
        assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code());
        assertTrue(refused.getMessage().contains(expected), refused.getMessage());
    }

    @Test
    void aLayoutOfTheCallersOwnMayHaveAnyPitchAndOrder() {
        // what a decoder's surface looks like: chroma below an aligned height, no padding to 256
        withPlanes(
                PixelFormat.NV12, 640, 360, 640 * 576, plane(0, 640, 640, 360, 1), plane(640 * 384, 640, 320, 180, 2));
        withPlanes(PixelFormat.RGB24, 333, 77, 999 * 77 + 1, plane(1, 999, 333, 77, 3));
        withPlanes(PixelFormat.GRAY16, 333, 77, 668 * 77 + 2, plane(2, 668, 333, 77, 2));
        withPlanes( // V before U
                PixelFormat.YUV420P, 4, 4, 24, plane(0, 4, 4, 4, 1), plane(20, 2, 2, 2, 1), plane(16, 2, 2, 2, 1));
    }

    private static FrameFormat withPlanes(
            PixelFormat format, int width, int height, long bytes, PlaneLayout... planes) {
        return FrameFormat.withPlanes(format, width, height, ColorInfo.UNKNOWN, List.of(planes), bytes);
    }

    static Stream<Arguments> misfits() {
        PlaneLayout y = plane(0, 640, 640, 360, 2);
        return Stream.of(
                misfit("P010 320x180 has 2 planes, not 1", 1 << 20, plane(0, 640, 320, 180, 2)),
                misfit("P010 320x180 has 2 planes, not 3", 1 << 20, y, y, y),
                misfit(
                        "plane 0 of P010 320x180 has 320x180 samples of 2 bytes, not 320x180 of 1",
                        1 << 20,
                        plane(0, 640, 320, 180, 1),
                        y),
                misfit(
                        "plane 0 of P010 320x180 has 320x180 samples of 2 bytes, not 320x181 of 2",
                        1 << 20,
                        plane(0, 640, 320, 181, 2),
                        y),
                misfit(
                        "plane 1 of P010 320x180 has 160x90 samples of 4 bytes, not 320x90 of 2",
                        1 << 20,
                        plane(0, 640, 320, 180, 2),
                        plane(115_200, 640, 320, 90, 2)),
                misfit(
                        "plane 0 of P010 320x180 has a pitch of 638 bytes, less than the 640 of a row",
                        1 << 20,
                        plane(0, 638, 320, 180, 2),
                        plane(115_200, 640, 160, 90, 4)),
                misfit(
                        "plane 1 of P010 320x180 has a pitch of -640 bytes",
                        1 << 20,
                        plane(0, 640, 320, 180, 2),
                        plane(115_200, -640, 160, 90, 4)),
                misfit(
                        "plane 1 of P010 320x180 is at offset 115200 with a pitch of 641 bytes: both must be multiples of its components' 2",
                        1 << 20,
                        plane(0, 640, 320, 180, 2),
                        plane(115_200, 641, 160, 90, 4)),
                misfit(
                        "plane 1 of P010 320x180 is at offset 115201 with a pitch of 640 bytes: both must be multiples",
                        1 << 20,
                        plane(0, 640, 320, 180, 2),
                        plane(115_201, 640, 160, 90, 4)),
                misfit(
                        "plane 1 of P010 320x180 is at offset 115200 and takes 57600 bytes, which does not lie within a frame of 172799",
                        172_799,
                        plane(0, 640, 320, 180, 2),
                        plane(115_200, 640, 160, 90, 4)),
                misfit(
                        "plane 0 of P010 320x180 is at offset -2 and",
                        172_800,
                        plane(-2, 640, 320, 180, 2),
                        plane(115_200, 640, 160, 90, 4)),
                misfit(
                        "does not lie within a frame",
                        172_800,
                        plane(0, 640, 320, 180, 2),
                        plane(Long.MAX_VALUE - 1, 640, 160, 90, 4)),
                misfit(
                        "does not lie within a frame of -9223372036854775808 bytes",
                        Long.MIN_VALUE,
                        plane(0, 640, 320, 180, 2),
                        plane(115_200, 640, 160, 90, 4)),
                misfit(
                        "planes 0 and 1 of P010 320x180 overlap: bytes 0 to 115199 and bytes 115198 to 172797",
                        172_800,
                        plane(0, 640, 320, 180, 2),
                        plane(115_198, 640, 160, 90, 4)));
    }

    private static Arguments misfit(String expected, long bytes, PlaneLayout... planes) {
        return Arguments.of(expected, bytes, List.of(planes));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("misfits")
    void planesThatAreNoFrameAreRefusedByNameAndNumber(String expected, long bytes, List<PlaneLayout> planes) {
        refused(expected, () -> FrameFormat.withPlanes(PixelFormat.P010, 320, 180, ColorInfo.UNKNOWN, planes, bytes));
        refused(expected, () -> new FrameFormat(PixelFormat.P010, 320, 180, ColorInfo.UNKNOWN, planes, bytes));
    }

    @Test
    void everyPairOfPlanesIsLookedAtForOverlap() {
        List<PlaneLayout> apart =
                FrameFormat.of(PixelFormat.YUV444P, 16, 16, ColorInfo.UNKNOWN).planes();
        for (int i = 0; i < 3; i++) {
            List<PlaneLayout> planes = new ArrayList<>(apart);
            planes.set(i, apart.get((i + 1) % 3));
            refused(
                    "overlap",
                    () -> FrameFormat.withPlanes(PixelFormat.YUV444P, 16, 16, ColorInfo.UNKNOWN, planes, 1 << 20));
        }
    }

    @Test
    void thePlanesOfAFormatCannotBeChanged() {
        List<PlaneLayout> planes = new ArrayList<>(
                FrameFormat.of(PixelFormat.GRAY8, 16, 16, ColorInfo.UNKNOWN).planes());
        FrameFormat format = FrameFormat.withPlanes(PixelFormat.GRAY8, 16, 16, ColorInfo.UNKNOWN, planes, 1 << 20);
        planes.clear();
        assertEquals(1, format.planes().size());
        assertThrows(UnsupportedOperationException.class, () -> format.planes().clear());
    }
}
