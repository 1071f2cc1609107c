// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts pictures into RTP packets: a small NAL unit is a packet, a large one several fragments (RFC 6184, RFC 7798). Counts the sequence numbers. For
 * one thread.
 */
final class RtpPackets {
    static final int VIDEO_TYPE = 96;
    static final int VIDEO_SOURCE = 0x0CA3_0001;
    static final int AUDIO_SOURCE = 0x0CA3_0002;

    private static final int HEADER_BYTES = 12;
    private static final int PAYLOAD_BYTES = 1200;
    private static final int H264_FRAGMENT = 28;
    private static final int HEVC_FRAGMENT = 49;
    private static final int FIRST_FRAGMENT = 0x80;
    private static final int LAST_FRAGMENT = 0x40;

    private int sequence;

    RtpPackets(int sequence) {
        this.sequence = sequence;
    }

    /** The next packet has this number, of 16 bits. */
    void restart(int newSequence) {
        sequence = newSequence;
    }

    /** The packets of one picture; the last one has the marker. */
    List<byte[]> of(AccessUnits clip, AccessUnits.Unit unit, long timestamp) {
        List<byte[]> payloads = new ArrayList<>();
        for (byte[] nal : unit.nals()) {
            if (nal.length <= PAYLOAD_BYTES) {
                payloads.add(nal);
            } else {
                addFragments(payloads, clip, nal);
            }
        }
        List<byte[]> packets = new ArrayList<>();
        for (int i = 0; i < payloads.size(); i++) {
            packets.add(packet(VIDEO_TYPE, i == payloads.size() - 1, timestamp, VIDEO_SOURCE, payloads.get(i)));
        }
        return packets;
    }

    private static void addFragments(List<byte[]> payloads, AccessUnits clip, byte[] nal) {
        int header = clip.hevc() ? 2 : 1;
        for (int at = header; at < nal.length; at += PAYLOAD_BYTES) {
            int length = Math.min(PAYLOAD_BYTES, nal.length - at);
            int flags = (at == header ? FIRST_FRAGMENT : 0) | (at + length == nal.length ? LAST_FRAGMENT : 0);
            ByteBuffer payload = ByteBuffer.allocate(header + 1 + length);
            if (clip.hevc()) {
                payload.put((byte) ((nal[0] & 0x81) | (HEVC_FRAGMENT << 1))).put(nal[1]);
            } else {
                payload.put((byte) ((nal[0] & 0xE0) | H264_FRAGMENT));
            }
            payloads.add(payload.put((byte) (flags | clip.type(nal)))
                    .put(nal, at, length)
                    .array());
        }
    }

    /** One packet of any payload. */
    byte[] packet(int type, boolean marker, long timestamp, int source, byte[] payload) {
        return ByteBuffer.allocate(HEADER_BYTES + payload.length)
                .put((byte) 0x80)
                .put((byte) ((marker ? 0x80 : 0) | type))
                .putShort((short) sequence++)
                .putInt((int) timestamp)
                .putInt(source)
                .put(payload)
                .array();
    }
}
