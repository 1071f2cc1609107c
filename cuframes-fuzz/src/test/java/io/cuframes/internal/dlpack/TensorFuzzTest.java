// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.dlpack;

import static io.cuframes.fuzz.Limits.require;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.cuframes.ColorInfo;
import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.FrameFormat;
import io.cuframes.PixelFormat;
import io.cuframes.PlaneLayout;
import io.cuframes.fuzz.Input;
import io.cuframes.fuzz.Limits;
import io.cuframes.testing.ProducedTensor;
import java.lang.foreign.Arena;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A DLPack structure of another library, with any numbers in it. Its pointers are null or lead to what they should: a wild one cannot be told from
 * a good one, by anybody. It is taken over, or refused with a documented code; either way its deleter is called exactly once.
 */
class TensorFuzzTest {
    private static final FrameFormat FORMAT = FrameFormat.of(PixelFormat.RGB24, 64, 4, ColorInfo.UNKNOWN);
    private static final PlaneLayout PLANE = FORMAT.planes().getFirst();

    private final Limits limits = new Limits(ErrorCode.UNSUPPORTED, ErrorCode.INVALID_ARGUMENT);

    static Stream<byte[]> tensors() {
        return Stream.of(
                new byte[] {1, 1, 0, 0, 1, 0, 1, 8, 1, 0, 3, 0, 4, 0, 64, 0, 3, 0},
                new byte[] {0, 1, 0, 0, 1, 0, 1, 8, 1, 0, 3, 1, 4, 0, 64, 0, 3, 0, (byte) 192, 0, 3, 0, 1, 0},
                new byte[] {1, 2, 0, 0, 2, 1, 2, 32, 1, 0, 2, 0, 4, 0, 6, 0},
                new byte[] {1, 1, 0, 1, 1, 0, 1, 8, 1, 0, 9, 0});
    }

    @MethodSource("tensors")
    @FuzzTest(maxDuration = "5m")
    void oneTensor(byte[] bytes) {
        limits.check(() -> importOne(new Input(bytes)));
    }

    private static void importOne(Input input) {
        try (Arena arena = Arena.ofConfined()) {
            boolean versioned = (input.u8() & 1) != 0;
            ProducedTensor made = versioned ? ProducedTensor.versioned(arena) : ProducedTensor.unversioned(arena);
            if (versioned) {
                made.version(input.u8(), input.u8()).flags(input.u8());
            } else {
                input.take(3);
            }
            describe(made, input);
            ImportedTensor tensor;
            try {
                tensor = versioned
                        ? ImportedTensor.ofVersioned(made.address())
                        : ImportedTensor.ofUnversioned(made.address());
            } catch (CuframesException e) {
                require(made.deletions() == 1, made.deletions() + " deletions of a tensor that was refused");
                throw e;
            }
            require(made.deletions() == 0, "deleted at once");
            try {
                requireCopyable(tensor.spec());
            } finally {
                tensor.delete();
                require(made.deletions() == 1, made.deletions() + " deletions");
            }
        }
    }

    private static void describe(ProducedTensor made, Input input) {
        made.device((byte) input.u8(), input.u8()).type(input.u8(), input.u8(), (short) input.u16());
        int dimensions = (byte) input.u8();
        int kind = input.u8();
        long[] shape = longs(input, kind);
        made.shape(shape);
        if ((kind & 1) != 0) {
            made.strides(longs(input, kind));
        }
        if ((kind & 2) != 0) {
            made.data(0);
        }
        // The arrays have 8 elements, as many as are ever read.
        made.dimensions((kind & 4) != 0 ? dimensions << 24 : dimensions);
    }

    private static long[] longs(Input input, int kind) {
        long[] longs = new long[8];
        for (int i = 0; i < longs.length; i++) {
            longs[i] = (kind & 8) != 0 ? (short) input.u16() * 0x1_0001_0001_0001L : (short) input.u16();
        }
        return longs;
    }

    /** What is found fit to be copied into a plane of 64 by 4 RGB samples is read within bounds that the producer vouched for. */
    private static void requireCopyable(TensorSpec spec) {
        long pitch = spec.sourcePitch(FORMAT.pixelFormat(), PLANE);
        require(pitch >= PLANE.rowBytes(), "a pitch of " + pitch + " bytes");
        long[] shape = spec.shape();
        require(shape[0] == PLANE.height() && shape[1] == PLANE.width() && shape[2] == 3, spec.toString());
    }
}
