// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ffm.Dlpack;
import io.cuframes.testing.ProducedTensor;
import io.cuframes.testing.StreamFixture;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Which tensors make a plane of a frame in host memory, and which are refused: planes of 6 x 4 and 3 x 2 x 2. */
@Timeout(30)
class DlpackPublishTest {
    private static final int WIDTH = 6;
    private static final int HEIGHT = 4;

    private final StreamFixture stream = new StreamFixture();
    private final Arena arena = Arena.ofShared();
    private Publisher publisher;
    private WritableFrame frame;

    @BeforeEach
    void open() {
        publisher = Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .size(WIDTH, HEIGHT)
                .open();
        frame = publisher.acquire();
    }

    @AfterEach
    void close() {
        frame.close();
        publisher.close();
        stream.close();
        arena.close();
    }

    /** Bytes 0, 1, 2, ... */
    private MemorySegment counting(long length) {
        MemorySegment bytes = arena.allocate(length);
        for (long i = 0; i < length; i++) {
            bytes.set(JAVA_BYTE, i, (byte) i);
        }
        return bytes;
    }

    private void assertRows(int plane, int firstByte, int step) {
        Plane target = frame.plane(plane);
        for (int row = 0; row < target.height(); row++) {
            for (int x = 0; x < WIDTH; x++) {
                assertEquals(
                        (byte) (firstByte + row * step + x),
                        target.segment().get(JAVA_BYTE, (long) row * target.pitch() + x),
                        "row " + row + ", byte " + x);
            }
        }
    }

    @Test
    void rowsWithoutGapsAreCopied() {
        ProducedTensor luma = ProducedTensor.versioned(arena).data(counting(24).address());
        try (DlpackTensor tensor = DlpackTensor.wrap(luma.address())) {
            frame.copyPlane(0, tensor, 0);
        }
        assertRows(0, 0, 6);
    }

    @Test
    void rowsOfALargerPictureAreCopied() {
        ProducedTensor luma = ProducedTensor.versioned(arena)
                .data(counting(100).address())
                .byteOffset(11)
                .strides(20, 1);
        try (DlpackTensor tensor = DlpackTensor.wrap(luma.address())) {
            frame.copyPlane(0, tensor, 0);
        }
        assertRows(0, 11, 20);
    }

    @Test
    void interleavedComponentsAreCopied() {
        ProducedTensor chroma = ProducedTensor.unversioned(arena)
                .data(counting(40).address())
                .shape(2, 3, 2)
                .strides(9, 2, 1);
        try (DlpackTensor tensor = DlpackTensor.wrapUnversioned(chroma.address())) {
            frame.copyPlane(1, tensor, 0);
        }
        assertRows(1, 0, 9);
    }

    @Test
    void aDimensionOfOneIsNoDimension() {
        ProducedTensor luma = ProducedTensor.versioned(arena)
                .data(counting(24).address())
                .shape(4, 6, 1)
                .strides(6, 1, -99);
        try (DlpackTensor tensor = DlpackTensor.wrap(luma.address())) {
            frame.copyPlane(0, tensor, 0);
        }
        assertRows(0, 0, 6);
    }

    private static ProducedTensor fresh() {
        return ProducedTensor.versioned(Arena.ofAuto());
    }

    static Stream<Arguments> unfit() {
        return Stream.of(
                Arguments.of("uint8[6, 4] with", 0, fresh().shape(6, 4)),
                Arguments.of("uint8[24] with", 0, fresh().shape(24)),
                Arguments.of("uint8[4, 6, 2] with", 0, fresh().shape(4, 6, 2)),
                Arguments.of("int8[4, 6] with", 0, fresh().type(Dlpack.kDLInt, 8, 1)),
                Arguments.of("uint16[4, 6] with", 0, fresh().type(Dlpack.kDLUInt, 16, 1)),
                Arguments.of("float32[4, 6] with", 0, fresh().type(Dlpack.kDLFloat, 32, 1)),
                Arguments.of("strides [12, 2] on", 0, fresh().strides(12, 2)),
                Arguments.of("strides [1, 4] on", 0, fresh().strides(1, 4)),
                Arguments.of("strides [5, 1] on", 0, fresh().strides(5, 1)), // rows that overlap
                Arguments.of("strides [-6, 1] on", 0, fresh().strides(-6, 1)),
                Arguments.of("strides [0, 1] on", 0, fresh().strides(0, 1)),
                Arguments.of("strides [4611686018427387904, 1] on", 0, fresh().strides(1L << 62, 1)),
                Arguments.of("uint8[2, 3] with", 1, fresh().shape(2, 3)),
                Arguments.of("uint8[2, 6] with", 1, fresh().shape(2, 6)),
                Arguments.of("strides [6, 1, 3] on", 1, fresh().shape(2, 3, 2).strides(6, 1, 3)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("unfit")
    void aTensorThatIsNotThePlaneIsRefusedAndBothAreDescribed(String what, int plane, ProducedTensor produced) {
        try (DlpackTensor tensor = DlpackTensor.wrap(produced.address())) {
            CuframesException refused = assertThrows(CuframesException.class, () -> frame.copyPlane(plane, tensor, 0));
            assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code());
            assertTrue(refused.getMessage().contains(what), refused.getMessage());
            assertTrue(
                    refused.getMessage().contains(plane == 0 ? "uint8[4, 6] with" : "uint8[2, 3, 2] with"),
                    refused.getMessage());
        }
    }

    @Test
    void aTensorOfTheGpuIsRefusedByARingInHostMemory() {
        ProducedTensor produced = ProducedTensor.versioned(arena).device(Dlpack.kDLCUDA, 1);
        try (DlpackTensor tensor = DlpackTensor.wrap(produced.address())) {
            CuframesException refused = assertThrows(CuframesException.class, () -> frame.copyPlane(0, tensor, 0));
            assertEquals(ErrorCode.UNSUPPORTED, refused.code());
            assertTrue(refused.getMessage().contains("CUDA 1"), refused.getMessage());
        }
    }

    @Test
    void aClosedTensorIsNotCopied() {
        DlpackTensor tensor = DlpackTensor.wrap(
                ProducedTensor.versioned(arena).data(counting(24).address()).address());
        tensor.close();
        assertThrows(IllegalStateException.class, () -> frame.copyPlane(0, tensor, 0));
    }
}
