// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Something else than a publisher in a publisher's place: says one thing to everybody, or nothing. */
final class Impostor implements AutoCloseable {
    private final ServerSocketChannel server;
    private final List<SocketChannel> guests = new CopyOnWriteArrayList<>();

    /**
     * Listens.
     *
     * @param answer what everybody is told before the connection is closed; null for nothing, ever
     */
    Impostor(Path socket, ByteBuffer answer) throws IOException {
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
        Thread.ofPlatform().daemon().name("impostor").start(() -> serve(answer));
    }

    private void serve(ByteBuffer answer) {
        try {
            while (true) {
                SocketChannel guest = server.accept();
                guests.add(guest);
                if (answer != null) {
                    guest.read(ByteBuffer.allocate(1024));
                    guest.write(answer.duplicate());
                    guest.close();
                }
            }
        } catch (IOException e) {
            // closed
        }
    }

    static ByteBuffer garbage() {
        return ByteBuffer.wrap("SSH-2.0-OpenSSH_9.2\r\n".getBytes(StandardCharsets.US_ASCII));
    }

    /** A REJECT, code VERSION, by version 2.0. */
    static ByteBuffer fromTheFuture() {
        ByteBuffer reject = ByteBuffer.allocate(20).order(ByteOrder.LITTLE_ENDIAN);
        return reject.putInt(0, 20).putShort(4, (short) 3).putInt(8, 1).putShort(12, (short) 2);
    }

    /** A name that a publisher left that died. */
    static void leaveSocket(Path socket) throws IOException {
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(socket));
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (SocketChannel guest : guests) {
            guest.close();
        }
    }
}
