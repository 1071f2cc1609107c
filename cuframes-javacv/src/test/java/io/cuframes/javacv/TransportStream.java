// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** The packets of an MPEG transport stream that FFmpeg has written (ISO/IEC 13818-1, 2.4.3.2). Immutable. */
final class TransportStream {
    /** FFmpeg's first stream. */
    static final int VIDEO = 0x100;

    /** FFmpeg's second stream. */
    static final int AUDIO = 0x101;

    private static final int PACKET_BYTES = 188;
    private static final int PES_HEADER_BYTES = 9;

    /** An access unit delimiter, and a slice of a picture parameter set that does not exist. */
    private static final byte[] UNDECODABLE = {0, 0, 0, 1, 9, (byte) 0xF0, 0, 0, 0, 1, 0x41, (byte) 0xC0, 0x6A};

    private final List<byte[]> packets;

    static TransportStream of(Path file) {
        try {
            byte[] bytes = Files.readAllBytes(file);
            List<byte[]> packets = new ArrayList<>();
            for (int at = 0; at + PACKET_BYTES <= bytes.length; at += PACKET_BYTES) {
                packets.add(Arrays.copyOfRange(bytes, at, at + PACKET_BYTES));
            }
            return new TransportStream(packets);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private TransportStream(List<byte[]> packets) {
        this.packets = packets;
    }

    /** The same, with no packet of one of the streams that it announces. */
    TransportStream without(int stream) {
        return new TransportStream(
                packets.stream().filter(packet -> stream(packet) != stream).toList());
    }

    /** The same, with noise in place of the pictures from this one on: its packets are well formed. */
    TransportStream withNoiseFrom(int picture) {
        Random random = new Random(1);
        List<byte[]> noisy = new ArrayList<>();
        int pictures = -1;
        for (byte[] packet : packets) {
            pictures += beginsPicture(packet) ? 1 : 0;
            boolean spoilt = stream(packet) == VIDEO && pictures >= picture;
            noisy.add(spoilt ? spoil(packet.clone(), random) : packet);
        }
        return new TransportStream(noisy);
    }

    private static byte[] spoil(byte[] packet, Random random) {
        int at = payload(packet);
        boolean begins = beginsPicture(packet);
        if (begins) {
            at += PES_HEADER_BYTES + (packet[at + PES_HEADER_BYTES - 1] & 0xFF);
        }
        for (int i = at; i < PACKET_BYTES; i++) {
            packet[i] = (byte) (random.nextInt() | 0x80); // no zeros, which would make start codes
        }
        if (begins) {
            System.arraycopy(UNDECODABLE, 0, packet, at, Math.min(UNDECODABLE.length, PACKET_BYTES - at));
        }
        return packet;
    }

    /** Where the payload begins: after the header and the adaptation field. */
    private static int payload(byte[] packet) {
        return (packet[3] & 0x20) == 0 ? 4 : 5 + (packet[4] & 0xFF);
    }

    private static int stream(byte[] packet) {
        return (packet[1] & 0x1F) << 8 | (packet[2] & 0xFF);
    }

    private static boolean beginsPicture(byte[] packet) {
        return stream(packet) == VIDEO && (packet[1] & 0x40) != 0;
    }

    /** Its bytes, in pieces that end where a picture ends. */
    List<byte[]> pictures() {
        List<byte[]> pictures = new ArrayList<>();
        ByteArrayOutputStream piece = new ByteArrayOutputStream();
        boolean hasPicture = false;
        for (byte[] packet : packets) {
            if (beginsPicture(packet)) {
                if (hasPicture) {
                    pictures.add(piece.toByteArray());
                    piece.reset();
                }
                hasPicture = true;
            }
            piece.writeBytes(packet);
        }
        pictures.add(piece.toByteArray());
        return pictures;
    }
}
