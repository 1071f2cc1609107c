// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.cuframes.CuframesException;
import io.cuframes.ffm.Errno;
import io.cuframes.ffm.Libc;
import io.cuframes.ffm.Pollfd;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.PeerCredentials;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.MessageDescriptor;
import io.cuframes.internal.protocol.RejectCode;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.SegmentHeader;
import io.cuframes.internal.protocol.Shared;
import io.cuframes.internal.ring.ControlPage;
import io.cuframes.internal.ring.ReaderSet;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Lets subscribers in and notices when they go (docs/protocol.md, section 6): one platform thread that polls the listening socket and every
 * connection, and never blocks on one of them.
 */
public final class PublisherServer implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(PublisherServer.class.getName());

    private static final long HANDSHAKE_NANOS = 2_000_000_000;

    /** Handshakes under way at a time; further ones wait in the socket's backlog. */
    private static final int MAX_GREETING = 32;

    /** How long accepting pauses after it failed, for want of descriptors for example. */
    private static final long ACCEPT_PAUSE_NANOS = 100_000_000;

    /**
     * What a publisher grants.
     *
     * @param maxSubscribers admitted at a time
     * @param maxLeases frames that one subscriber may hold
     */
    public record Limits(int maxSubscribers, int maxLeases) {}

    private final StreamKey key;
    private final SegmentHeader header;
    private final SegmentFile segment;
    private final Descriptor ring;
    private final ReaderSet readers;
    private final Limits limits;
    private final ListeningSocket listener;
    private final Descriptor wake;
    private final Thread thread;
    private final List<Peer> peers = new ArrayList<>();
    private final int uid = Libc.geteuid();
    private final int gid = Libc.getegid();

    private int lastSubscriber;
    private int admitted;
    private long acceptAgain = System.nanoTime();
    private volatile int subscribers;
    private volatile long drainNanos = -1;

    private PublisherServer(
            StreamKey key,
            SegmentHeader header,
            SegmentFile segment,
            Descriptor ring,
            ReaderSet readers,
            Limits limits,
            ListeningSocket listener,
            Descriptor wake) {
        this.key = key;
        this.header = header;
        this.segment = segment;
        this.ring = ring;
        this.readers = readers;
        this.limits = limits;
        this.listener = listener;
        this.wake = wake;
        this.thread =
                Thread.ofPlatform().daemon().name("cuframes-" + key + "-server").unstarted(this::run);
    }

    /**
     * Binds the key's socket and serves it.
     *
     * @param key the stream
     * @param socketDirectory where, or null for the usual places
     * @param header the segment's
     * @param segment sent to subscribers
     * @param ring sent to subscribers, or null if they open the memory by handle
     * @param readers told of those who come and go
     * @param limits what is granted
     */
    public static PublisherServer start(
            StreamKey key,
            Path socketDirectory,
            SegmentHeader header,
            SegmentFile segment,
            Descriptor ring,
            ReaderSet readers,
            Limits limits) {
        ListeningSocket listener = ListeningSocket.open(key, SocketDirectory.forPublisher(socketDirectory));
        try {
            Descriptor wake =
                    new Descriptor(Posix.check(Libc.eventfd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK), "eventfd"));
            PublisherServer server = new PublisherServer(key, header, segment, ring, readers, limits, listener, wake);
            server.thread.start();
            return server;
        } catch (RuntimeException e) {
            listener.close();
            throw e;
        }
    }

    /** Subscribers that read now. */
    public int subscribers() {
        return subscribers;
    }

    /** The socket's name. */
    public Path socketPath() {
        return listener.name();
    }

    private void run() {
        try (Arena arena = Arena.ofConfined()) {
            Polled polled = new Polled(arena, 2 + MAX_GREETING + limits.maxSubscribers());
            while (drainNanos < 0) {
                serveOnce(polled, true, -1);
            }
            sayGoodbye(polled);
            List.copyOf(peers).forEach(this::drop);
        } catch (RuntimeException e) {
            LOG.log(
                    System.Logger.Level.ERROR,
                    () -> "the server of \"" + key + "\" failed: its subscribers are cut off, and no others are let in",
                    e);
            // Their control pages stay with the writer: what they still hold must not be overwritten.
            peers.forEach(Peer::close);
            listener.close();
        }
    }

    /** Tells everyone that the stream is over, and gives them the time to let go of the ring. */
    private void sayGoodbye(Polled polled) {
        listener.close();
        long deadline = System.nanoTime() + drainNanos;
        for (Peer peer : List.copyOf(peers)) {
            boolean told = peer.isAdmitted()
                    && peer.send(Messages.encodeBye(
                            MessageDescriptor.BYE_ENDED, peer.message().payload()));
            if (!told) {
                drop(peer);
            }
        }
        long left = deadline - System.nanoTime();
        while (!peers.isEmpty() && left > 0) {
            serveOnce(polled, false, left);
            left = deadline - System.nanoTime();
        }
        if (!peers.isEmpty() && ring == null) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    () -> "freeing the ring of \"" + key + "\" while " + peers.size()
                            + " subscriber(s) still have it open");
        }
    }

    /** The array that poll reads, and who stands in each of its places. */
    private static final class Polled {
        private final MemorySegment array;
        private final List<Peer> order = new ArrayList<>();
        private int count;

        Polled(Arena arena, int capacity) {
            array = arena.allocate(Pollfd.LAYOUT.byteSize() * capacity, Pollfd.LAYOUT.byteAlignment());
        }

        void clear() {
            count = 0;
            order.clear();
        }

        void add(int fd) {
            long at = count++ * Pollfd.LENGTH;
            array.set(JAVA_INT, at + Pollfd.FD_OFFSET, fd);
            array.set(JAVA_SHORT, at + Pollfd.EVENTS_OFFSET, (short) Libc.POLLIN);
            array.set(JAVA_SHORT, at + Pollfd.REVENTS_OFFSET, (short) 0);
        }

        boolean isReady(int index) {
            return array.get(JAVA_SHORT, index * Pollfd.LENGTH + Pollfd.REVENTS_OFFSET) != 0;
        }
    }

    private void serveOnce(Polled polled, boolean accepting, long atMostNanos) {
        long now = System.nanoTime();
        polled.clear();
        polled.add(wake.fd());
        polled.add(
                accepting && now - acceptAgain >= 0 && greeting() < MAX_GREETING ? listener.fd() : -1); // poll skips -1
        for (Peer peer : peers) {
            polled.add(peer.fd());
            polled.order.add(peer);
        }
        int result = Libc.poll(polled.array.address(), polled.count, timeoutMillis(now, atMostNanos));
        if (result != -Errno.EINTR) {
            Posix.check(result, "poll");
        }
        if (polled.isReady(0)) {
            clearWake();
        }
        for (int i = 0; i < polled.order.size(); i++) {
            if (polled.isReady(2 + i)) {
                serveSafely(polled.order.get(i));
            }
        }
        if (polled.isReady(1)) {
            accept();
        }
        dropSlow();
    }

    private int greeting() {
        return peers.size() - admitted;
    }

    private int timeoutMillis(long now, long atMostNanos) {
        long nanos = atMostNanos < 0 ? Long.MAX_VALUE : atMostNanos;
        if (now - acceptAgain < 0) {
            nanos = Math.min(nanos, acceptAgain - now);
        }
        for (Peer peer : peers) {
            if (!peer.isAdmitted()) {
                nanos = Math.min(nanos, Math.max(0, peer.deadline() - now));
            }
        }
        return nanos == Long.MAX_VALUE ? -1 : (int) Math.min(Integer.MAX_VALUE, nanos / 1_000_000 + 1);
    }

    private void clearWake() {
        try (Arena arena = Arena.ofConfined()) {
            Libc.read(wake.fd(), arena.allocate(JAVA_LONG).address(), Long.BYTES);
        }
    }

    private void accept() {
        while (greeting() < MAX_GREETING) {
            int fd = Libc.accept4(
                    listener.fd(), MemorySegment.NULL, MemorySegment.NULL, Libc.SOCK_CLOEXEC | Libc.SOCK_NONBLOCK);
            if (fd >= 0) {
                Descriptor socket = new Descriptor(fd);
                peers.add(new Peer(socket, Posix.peer(socket), System.nanoTime() + HANDSHAKE_NANOS));
            } else if (fd == -Errno.EAGAIN) {
                return;
            } else if (fd != -Errno.EINTR && fd != -Errno.ECONNABORTED) {
                acceptAgain = System.nanoTime() + ACCEPT_PAUSE_NANOS;
                LOG.log(
                        System.Logger.Level.WARNING,
                        () -> "no subscriber can be let in to \"" + key + "\": "
                                + Posix.failure("accept", -fd).getMessage());
                return;
            }
        }
    }

    /** What goes wrong with one peer, for want of descriptors or memory for example, ends that peer alone. */
    private void serveSafely(Peer peer) {
        try {
            serve(peer);
        } catch (CuframesException e) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    () -> "\"" + key + "\" cannot serve process "
                            + peer.credentials().pid() + ": " + e.getMessage());
            drop(peer);
        }
    }

    private void serve(Peer peer) {
        if (peer.isAdmitted()) {
            hear(peer);
            return;
        }
        switch (peer.read()) {
            case PARTIAL -> {}
            case ENDED -> drop(peer);
            case BAD_LENGTH ->
                reject(
                        peer,
                        Messages.reject(
                                RejectCode.MALFORMED,
                                "the first message claims "
                                        + Integer.toUnsignedString(
                                                Messages.length(peer.message().payload())) + " bytes"));
            case COMPLETE -> greet(peer);
        }
    }

    /** An admitted subscriber says READY once and nothing else: otherwise it is gone, or breaks the protocol. */
    private void hear(Peer peer) {
        Peer.Progress progress = peer.isReady() ? Peer.Progress.ENDED : peer.read();
        if (progress == Peer.Progress.PARTIAL) {
            return;
        }
        MemorySegment message = peer.message().payload();
        if (progress != Peer.Progress.COMPLETE
                || Messages.type(message) != MessageDescriptor.READY
                || Messages.length(message) != MessageDescriptor.READY_LENGTH) {
            drop(peer);
            return;
        }
        peer.setReady();
        setSubscribers(subscribers + 1);
        LOG.log(System.Logger.Level.INFO, () -> "\"" + key + "\": subscriber " + peer.title() + " is here");
    }

    private void greet(Peer peer) {
        MemorySegment message = peer.message().payload();
        Messages.Greeting greeting = Messages.decodeHello(message, Messages.length(message));
        if (greeting instanceof Messages.Hello hello) {
            Messages.Reject reject = refusal(peer, hello);
            if (reject == null) {
                admit(peer, hello);
            } else {
                reject(peer, reject);
            }
        } else if (greeting instanceof Messages.Reject reject) {
            reject(peer, reject);
        }
    }

    /** Why a subscriber that speaks the protocol is not let in; null if it is. */
    private Messages.Reject refusal(Peer peer, Messages.Hello hello) {
        PeerCredentials who = peer.credentials();
        if (who.uid() != 0 && who.uid() != uid && who.gid() != gid) {
            return Messages.reject(
                    RejectCode.ACCESS,
                    "user " + who.uid() + " (group " + who.gid() + ") may not read the frames of user " + uid
                            + " (group " + gid + "): run the subscriber as that user or with that primary group");
        }
        if ((hello.transports() & 1 << header.transport().code()) == 0) {
            return Messages.reject(
                    RejectCode.TRANSPORT,
                    "the frames go through " + header.transport() + ", which the subscriber cannot read");
        }
        if (admitted >= limits.maxSubscribers()) {
            return Messages.reject(
                    RejectCode.FULL, admitted + " subscribers are connected, as many as this publisher admits");
        }
        return null;
    }

    private void reject(Peer peer, Messages.Reject reject) {
        LOG.log(
                System.Logger.Level.INFO,
                () -> "\"" + key + "\" turned process " + peer.credentials().pid() + " away: " + reject.code() + ", "
                        + reject.text());
        peer.send(Messages.encode(reject, peer.message().payload()));
        drop(peer);
    }

    private void admit(Peer peer, Messages.Hello hello) {
        int number = ++lastSubscriber;
        try (Descriptor control = Posix.memfd("cuframes-control-" + key + "-" + number)) {
            ControlPage page = makeControlPage(control, number);
            readers.add(page); // before the subscriber can take its first lease
            peer.admit(
                    page,
                    number + " (" + (hello.name().isEmpty() ? "" : hello.name() + ", ") + "process "
                            + peer.credentials().pid() + ")");
            admitted++;
            if (!welcome(peer, number, control)) {
                drop(peer);
            }
        }
    }

    private ControlPage makeControlPage(Descriptor control, int number) {
        Posix.reserve(control, ControlDescriptor.LENGTH, "a control page");
        Posix.seal(control, Libc.F_SEAL_SHRINK | Libc.F_SEAL_GROW | Libc.F_SEAL_SEAL);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = Posix.map(control, ControlDescriptor.LENGTH, true, arena, "a control page");
            memory.set(JAVA_LONG, ControlDescriptor.MAGIC_OFFSET, ControlDescriptor.MAGIC);
            memory.set(JAVA_SHORT, ControlDescriptor.MAJOR_OFFSET, (short) SegmentDescriptor.MAJOR);
            memory.set(JAVA_SHORT, ControlDescriptor.MINOR_OFFSET, (short) SegmentDescriptor.MINOR);
            memory.set(JAVA_INT, ControlDescriptor.SUBSCRIBER_OFFSET, number);
            memory.set(JAVA_LONG, ControlDescriptor.EPOCH_OFFSET, header.epoch());
        }
        Arena arena = Arena.ofShared();
        try {
            return new ControlPage(arena, Posix.map(control, ControlDescriptor.LENGTH, false, arena, "a control page"));
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    private boolean welcome(Peer peer, int number, Descriptor control) {
        int[] descriptors = ring == null
                ? new int[] {segment.readOnly().fd(), control.fd()}
                : new int[] {segment.readOnly().fd(), control.fd(), ring.fd()};
        Messages.Welcome welcome = new Messages.Welcome(
                SegmentDescriptor.MAJOR,
                SegmentDescriptor.MINOR,
                number,
                header.epoch(),
                segment.memory().byteSize(),
                header.ringLength(),
                header.transport().code(),
                descriptors.length,
                limits.maxLeases());
        return peer.send(Messages.encode(welcome, peer.message().payload()), descriptors);
    }

    private void drop(Peer peer) {
        peers.remove(peer);
        if (peer.isAdmitted()) {
            readers.remove(peer.page());
            peer.page().close();
            admitted--;
        }
        if (peer.isReady()) {
            setSubscribers(subscribers - 1);
            LOG.log(System.Logger.Level.INFO, () -> "\"" + key + "\": subscriber " + peer.title() + " is gone");
        }
        peer.close();
    }

    private void setSubscribers(int count) {
        subscribers = count;
        Shared.setIntRelease(segment.memory(), SegmentDescriptor.SUBSCRIBERS_OFFSET, count);
    }

    private void dropSlow() {
        long now = System.nanoTime();
        for (Peer peer : List.copyOf(peers)) {
            if (!peer.isAdmitted() && now - peer.deadline() > 0) {
                LOG.log(
                        System.Logger.Level.INFO,
                        () -> "\"" + key + "\" gave process "
                                + peer.credentials().pid() + " up: it did not finish its handshake within 2 s");
                drop(peer);
            }
        }
    }

    /**
     * Removes the socket, tells subscribers that the stream is over, and waits until they are gone or the time is up. Once only.
     *
     * @param drain how long subscribers have to let go
     */
    public void end(Duration drain) {
        if (drainNanos >= 0) {
            return;
        }
        drainNanos = drain.toNanos();
        try (Arena arena = Arena.ofConfined()) {
            Libc.write(wake.fd(), arena.allocateFrom(JAVA_LONG, 1).address(), Long.BYTES);
        }
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true; // the drain is bounded, and the thread uses memory that is freed next
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        end(Duration.ZERO);
        wake.close();
    }
}
