// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.io.IOException;
import java.io.OutputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;

/** Takes the packets of one track to the client: within the RTSP connection, or as datagrams. Safe from any thread. */
interface RtpCarrier extends AutoCloseable {
    void rtp(byte[] packet) throws IOException;

    void rtcp(byte[] packet) throws IOException;

    /** What the answer to SETUP says of it. */
    String transport();

    @Override
    void close();

    /** RFC 2326, 10.12: a dollar sign, the channel, the length. */
    record Interleaved(OutputStream connection, int channel) implements RtpCarrier {
        @Override
        public void rtp(byte[] packet) throws IOException {
            send(channel, packet);
        }

        @Override
        public void rtcp(byte[] packet) throws IOException {
            send(channel + 1, packet);
        }

        private void send(int on, byte[] packet) throws IOException {
            byte[] framed = new byte[4 + packet.length];
            framed[0] = '$';
            framed[1] = (byte) on;
            framed[2] = (byte) (packet.length >> 8);
            framed[3] = (byte) packet.length;
            System.arraycopy(packet, 0, framed, 4, packet.length);
            synchronized (connection) {
                connection.write(framed);
            }
        }

        @Override
        public String transport() {
            return "RTP/AVP/TCP;unicast;interleaved=" + channel + "-" + (channel + 1);
        }

        @Override
        public void close() {}
    }

    /** From a port for each kind of packet to the client's two ports. */
    record Datagrams(DatagramSocket media, DatagramSocket control, InetAddress client, int port) implements RtpCarrier {
        static Datagrams to(InetAddress client, int port, InetAddress from) throws IOException {
            DatagramSocket media = new DatagramSocket(0, from);
            try {
                return new Datagrams(media, new DatagramSocket(0, from), client, port);
            } catch (IOException e) {
                media.close();
                throw e;
            }
        }

        @Override
        public void rtp(byte[] packet) throws IOException {
            media.send(new DatagramPacket(packet, packet.length, client, port));
        }

        @Override
        public void rtcp(byte[] packet) throws IOException {
            control.send(new DatagramPacket(packet, packet.length, client, port + 1));
        }

        @Override
        public String transport() {
            return "RTP/AVP;unicast;client_port=" + port + "-" + (port + 1) + ";server_port=" + media.getLocalPort()
                    + "-" + control.getLocalPort();
        }

        @Override
        public void close() {
            media.close();
            control.close();
        }
    }
}
