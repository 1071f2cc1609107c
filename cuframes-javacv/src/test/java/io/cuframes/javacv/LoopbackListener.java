// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Accepts connections of the loopback interface, each on a thread of its own, until it is closed. Safe from any thread. */
final class LoopbackListener implements AutoCloseable {
    /** What is done with a connection, which is closed afterwards. An IOException means that the client went. */
    @FunctionalInterface
    interface Handler {
        /** Connections count from 1. */
        void handle(Socket client, int number) throws IOException, InterruptedException;
    }

    /** A part of the work. An IOException means that the client went. */
    @FunctionalInterface
    interface Task {
        void run() throws IOException, InterruptedException;
    }

    private static final int BACKLOG = 50;
    private static final long JOIN_MILLIS = 10_000;

    private final String name;
    private final ServerSocket server;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final List<Thread> threads = new ArrayList<>();
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final AtomicInteger connections = new AtomicInteger();
    private final AtomicReference<RuntimeException> failure = new AtomicReference<>();

    /** Takes a port of 127.0.0.1, or of ::1; accepts nothing yet. */
    LoopbackListener(String name, boolean ipv6) {
        try {
            server = new ServerSocket(0, BACKLOG, InetAddress.getByName(ipv6 ? "::1" : "127.0.0.1"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        this.name = name + " " + server.getLocalPort();
    }

    /** Accepts from now on. */
    void begin(Handler handler) {
        run("accept", () -> {
            while (true) {
                accept(handler); // fails once the listener is closed
            }
        });
    }

    private void accept(Handler handler) throws IOException {
        Socket client = server.accept();
        client.setTcpNoDelay(true);
        sockets.add(client);
        if (server.isClosed()) {
            client.close();
        }
        int number = connections.incrementAndGet();
        run("connection " + number, () -> {
            try (client) {
                handler.handle(client, number);
            } finally {
                sockets.remove(client);
            }
        });
    }

    /** Runs a part of the work on a thread of its own. */
    void run(String what, Task task) {
        Thread thread = new Thread(() -> attempt(task), name + " " + what);
        synchronized (threads) {
            if (closing.getCount() > 0) {
                threads.add(thread);
                thread.start();
            }
        }
    }

    private void attempt(Task task) {
        try {
            task.run();
        } catch (IOException e) {
            return; // the client went, or the listener is closed
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            failure.compareAndSet(null, e);
        }
    }

    /** Waits until a {@link System#nanoTime()}; true at once if the listener is closed. */
    boolean closesBefore(long due) throws InterruptedException {
        return closing.await(due - System.nanoTime(), TimeUnit.NANOSECONDS);
    }

    int port() {
        return server.getLocalPort();
    }

    /** How many connections came so far. */
    int connections() {
        return connections.get();
    }

    /**
     * Ends all connections and threads.
     *
     * @throws IllegalStateException if a part of the work failed for another reason than a client that went
     */
    @Override
    public void close() {
        closing.countDown();
        try {
            server.close();
            for (Socket socket : sockets) {
                socket.close();
            }
            List<Thread> running;
            synchronized (threads) {
                running = List.copyOf(threads);
            }
            for (Thread thread : running) {
                thread.join(JOIN_MILLIS);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (failure.get() != null) {
            throw new IllegalStateException(name + " failed", failure.get());
        }
    }
}
