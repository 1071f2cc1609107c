// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.nio.ByteBuffer;
import java.time.Instant;

/** What an RTP sender tells of itself (RFC 3550, 6.4.1 and 6.6). Stateless. */
final class RtcpPackets {
    private static final int SENDER_REPORT = 200;
    private static final int BYE = 203;
    private static final long SECONDS_FROM_1900_TO_1970 = 2_208_988_800L;

    private RtcpPackets() {}

    /** Which wall-clock time a timestamp stands for. */
    static byte[] senderReport(int source, Instant now, long timestamp, long packets, long bytes) {
        return ByteBuffer.allocate(28)
                .put((byte) 0x80)
                .put((byte) SENDER_REPORT)
                .putShort((short) 6)
                .putInt(source)
                .putInt((int) (now.getEpochSecond() + SECONDS_FROM_1900_TO_1970))
                .putInt((int) (((long) now.getNano() << 32) / 1_000_000_000))
                .putInt((int) timestamp)
                .putInt((int) packets)
                .putInt((int) bytes)
                .array();
    }

    /** Nothing more comes. */
    static byte[] bye(int source) {
        return ByteBuffer.allocate(8)
                .put((byte) 0x81)
                .put((byte) BYE)
                .putShort((short) 1)
                .putInt(source)
                .array();
    }
}
