// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A camera that sends H.264 by RTP over UDP, again and again, a unit in a packet, at about 25 frames per second; some packets are lost on their way. */
final class RtpSender implements AutoCloseable {
    private static final int START_CODE = 3;
    private static final int HEADER = 12;
    private static final int TICKS_PER_FRAME = 3600;

    private final NalUnits units;
    private final int lossEvery;
    private final int port;
    private final Thread thread;
    private volatile boolean stopping;

    /** One that loses every so many-th packet; 0 for none. */
    RtpSender(NalUnits units, int lossEvery) throws IOException {
        this.units = units;
        this.lossEvery = lossEvery;
        port = evenPort();
        thread = new Thread(this::run, "rtp sender");
        thread.start();
    }

    private static int evenPort() throws IOException {
        while (true) {
            try (DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
                if (socket.getLocalPort() % 2 == 0) {
                    return socket.getLocalPort(); // RTCP has the next
                }
            }
        }
    }

    /** What FFmpeg opens. */
    Path description(Path directory) throws IOException {
        return Files.writeString(
                directory.resolve("camera-" + port + ".sdp"),
                String.join(
                        "\r\n",
                        "v=0",
                        "o=- 0 0 IN IP4 127.0.0.1",
                        "s=camera",
                        "c=IN IP4 127.0.0.1",
                        "t=0 0",
                        "m=video " + port + " RTP/AVP 96",
                        "a=rtpmap:96 H264/90000",
                        "a=fmtp:96 packetization-mode=1",
                        ""));
    }

    private void run() {
        int sequence = 0;
        int timestamp = 0;
        try (DatagramSocket socket = new DatagramSocket()) {
            while (!stopping) {
                for (byte[] unit : units.units()) {
                    boolean first = units.isSlice(unit) && (unit[START_CODE + 1] & 0x80) != 0; // first_mb_in_slice is 0
                    if (first) {
                        timestamp += TICKS_PER_FRAME;
                        TimeUnit.MILLISECONDS.sleep(40);
                    }
                    sequence++;
                    if (lossEvery == 0 || sequence % lossEvery != 0) {
                        socket.send(packet(unit, sequence, timestamp));
                    }
                }
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private DatagramPacket packet(byte[] unit, int sequence, int timestamp) {
        ByteBuffer bytes = ByteBuffer.allocate(HEADER + unit.length - START_CODE);
        bytes.put((byte) 0x80)
                .put((byte) 96)
                .putShort((short) sequence)
                .putInt(timestamp)
                .putInt(0x1234);
        bytes.put(unit, START_CODE, unit.length - START_CODE);
        return new DatagramPacket(bytes.array(), bytes.capacity(), InetAddress.getLoopbackAddress(), port);
    }

    @Override
    public void close() {
        stopping = true;
        thread.interrupt();
    }
}
