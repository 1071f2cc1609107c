// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import static io.cuframes.fuzz.Limits.require;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.cuframes.fuzz.Limits;
import io.cuframes.internal.protocol.MessageDescriptor;
import io.cuframes.internal.protocol.RejectCode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** The bytes of one message of the handshake, whichever side it is for: what is decoded means the same when it is encoded and decoded again. */
class MessagesFuzzTest {
    private final Limits limits = new Limits();

    static Stream<byte[]> messages() {
        return SeedMessages.all();
    }

    @MethodSource("messages")
    @FuzzTest(maxDuration = "5m")
    void oneMessage(byte[] bytes) {
        limits.check(() -> decode(bytes));
    }

    private static void decode(byte[] bytes) {
        if (bytes.length < MessageDescriptor.HEADER_LENGTH || bytes.length > MessageDescriptor.MAX_LENGTH) {
            return; // is not read to its end by either side
        }
        try (Arena arena = Arena.ofConfined()) {
            // Exactly as long as the message says: a step beyond is found.
            MemorySegment message = arena.allocate(bytes.length, 8).copyFrom(MemorySegment.ofArray(bytes));
            int length = bytes.length;
            MemorySegment again = arena.allocate(MessageDescriptor.MAX_LENGTH, 8);
            Messages.Greeting greeting = Messages.decodeHello(message, length);
            if (greeting instanceof Messages.Hello hello) {
                require(hello.equals(Messages.decodeHello(again, Messages.encode(hello, again))), hello.toString());
            } else if (greeting instanceof Messages.Reject answer) {
                requireSame(answer, again);
            }
            Messages.Welcome welcome = Messages.decodeWelcome(message, length);
            if (welcome != null) {
                require(
                        welcome.equals(Messages.decodeWelcome(again, Messages.encode(welcome, again))),
                        welcome.toString());
            }
            Messages.Reject reject = Messages.decodeReject(message, length);
            if (reject != null) {
                require(reject.text().chars().noneMatch(c -> c < 0x20 || c == 0x7f), reject.text());
                requireFits(reject, again);
            }
            int reason = Messages.decodeBye(message, length);
            require(reason == 0 || length == MessageDescriptor.BYE_LENGTH, "a BYE of " + length + " bytes");
        }
    }

    /** An answer of our own is understood by the other side as it was meant. */
    private static void requireSame(Messages.Reject answer, MemorySegment message) {
        int length = Messages.encode(answer, message);
        require(answer.equals(Messages.decodeReject(message, length)), answer.toString());
        require(answer.code() == RejectCode.MALFORMED || answer.code() == RejectCode.VERSION, answer.toString());
    }

    /** A text that came in need not be the same when it goes out: bytes that are no UTF-8 have become longer. */
    private static void requireFits(Messages.Reject reject, MemorySegment message) {
        int length = Messages.encode(reject, message);
        require(length == message.get(ValueLayout.JAVA_INT, 0), "length " + length);
        require(Messages.decodeReject(message, length) != null, reject.toString());
    }
}
