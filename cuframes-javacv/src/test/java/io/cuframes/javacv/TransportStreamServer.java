// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.util.List;
import java.util.function.IntFunction;

/** Sends a transport stream over plain TCP at its pace, and then ends the connection. */
final class TransportStreamServer implements AutoCloseable {
    private static final long SECOND = 1_000_000_000;

    private final LoopbackListener listener = new LoopbackListener("transport stream", false);
    private final IntFunction<TransportStream> streams;
    private final double fps;

    /** A stream for each connection, which count from 1. */
    TransportStreamServer(double fps, IntFunction<TransportStream> streams) {
        this.fps = fps;
        this.streams = streams;
        listener.begin(this::send);
    }

    private void send(Socket client, int number) throws IOException, InterruptedException {
        List<byte[]> pictures = streams.apply(number).pictures();
        OutputStream out = client.getOutputStream();
        long start = System.nanoTime();
        for (int i = 0; i < pictures.size(); i++) {
            if (listener.closesBefore(start + Math.round(i * SECOND / fps))) {
                return;
            }
            out.write(pictures.get(i));
        }
    }

    String url() {
        return "tcp://127.0.0.1:" + listener.port();
    }

    /** How many connections came so far. */
    int connections() {
        return listener.connections();
    }

    @Override
    public void close() {
        listener.close();
    }
}
