// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.cuframes.internal.protocol.MessageDescriptor;
import io.cuframes.internal.protocol.RejectCode;
import io.cuframes.internal.protocol.SegmentDescriptor;
import java.lang.foreign.MemorySegment;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;

/** What the library itself sends. */
final class SeedMessages {
    private SeedMessages() {}

    static Stream<byte[]> all() {
        return Stream.concat(
                Stream.of(hello(1, ""), hello(2, "recorder"), welcome(3), welcome(2), bye(), ready()),
                Stream.of(RejectCode.values()).map(code -> reject(code, "why: \u00e4")));
    }

    static byte[] hello(int mode, String name) {
        return bytes(message -> Messages.encode(new Messages.Hello(1, 0, 6, mode, 4711, name), message));
    }

    /** For {@link SeedSegment}. */
    static byte[] welcome(int descriptors) {
        return bytes(message -> Messages.encode(
                new Messages.Welcome(
                        1,
                        0,
                        1,
                        SeedSegment.EPOCH,
                        SegmentDescriptor.length(SeedSegment.SLOTS),
                        SeedSegment.RING,
                        1,
                        descriptors,
                        2),
                message));
    }

    static byte[] reject(RejectCode code, String text) {
        return bytes(message -> Messages.encode(Messages.reject(code, text), message));
    }

    static byte[] bye() {
        return bytes(message -> Messages.encodeBye(MessageDescriptor.BYE_ENDED, message));
    }

    static byte[] ready() {
        return bytes(Messages::encodeReady);
    }

    private static byte[] bytes(ToIntFunction<MemorySegment> encoder) {
        MemorySegment message = MemorySegment.ofArray(new long[MessageDescriptor.MAX_LENGTH / Long.BYTES]);
        int length = encoder.applyAsInt(message);
        return message.asSlice(0, length).toArray(JAVA_BYTE);
    }
}
