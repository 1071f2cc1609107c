// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cuframes.CuframesException;
import io.cuframes.ffm.Errno;
import io.cuframes.ffm.Libc;
import io.cuframes.internal.events.ConnectEvent;
import io.cuframes.internal.events.DisconnectEvent;
import io.cuframes.internal.events.Recordings;
import io.cuframes.internal.events.Side;
import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import io.cuframes.internal.os.Closing;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.os.ThreadEnd;
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

    /** Handshakes under way at a time; a further one takes the place of the one that has been at it for longest. */
    private static final int MAX_GREETING = 32;

    /** How long accepting pauses after it failed, for want of descriptors for example. */
    private static final long ACCEPT_PAUSE_NANOS = 100_000_000;

    /** How often it is worth saying who holds the slots that frames do not find. */
    public static final long HOLDERS_PERIOD_NANOS = HolderReport.PERIOD_NANOS;

    /**
     * What a publisher grants.
     *
     * @param maxSubscribers admitted at a time
     * @param maxLeases frames that one subscriber may hold
     * @param access who is admitted
     */
    public record Limits(int maxSubscribers, int maxLeases, Access access) {}

    private final StreamKey key;
    private final long epoch;
    private final SegmentFile segment;
    private final Descriptor ring;
    private final ReaderSet readers;
    private final Limits limits;
    private final Admission admission;
    private final ObservationAnswer observation;
    private final Path socketPath;
    private final List<String> passedOver;
    private final SocketWatch watch;
    private final Descriptor wake;
    private final Thread thread;

    /** What peers can bring about as often as they like is logged by these alone. */
    private final LogLimit trouble = new LogLimit(LOG, "peers");

    private final LogLimit arrivals = new LogLimit(LOG, "subscribers that come and go");
    private final LogLimit dismissals = new LogLimit(LOG, "subscribers that are not waited for or are cut off");
    private final List<LogLimit> limited = List.of(trouble, arrivals, dismissals);
    private final HolderReport holders;

    /** In the order in which they were accepted. */
    private final List<Peer> peers = new ArrayList<>();

    /** Replaced when its name is lost; of the server's thread, once that runs. */
    private ListeningSocket listener;

    private long acceptAgain = System.nanoTime();
    private volatile int subscribers;
    private volatile Throwable failure;
    private int endReason; // before drainNanos
    private volatile long drainNanos = -1;

    private PublisherServer(
            StreamKey key,
            SegmentHeader header,
            SegmentFile segment,
            Descriptor ring,
            ReaderSet readers,
            Limits limits,
            ListeningSocket listener,
            List<String> passedOver,
            Descriptor wake) {
        this.key = key;
        this.epoch = header.epoch();
        this.segment = segment;
        this.ring = ring;
        this.readers = readers;
        this.limits = limits;
        this.admission = new Admission(key, header, segment, ring, readers, limits);
        this.observation = new ObservationAnswer(header, segment.memory(), readers, limits);
        this.holders = new HolderReport(key, segment.memory(), header.ring().slots(), readers, LOG);
        this.listener = listener;
        this.socketPath = listener.name();
        this.passedOver = passedOver;
        this.watch = new SocketWatch(key, limits.access());
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
        SocketDirectory.Choice choice = SocketDirectory.forPublisher(socketDirectory, limits.access());
        ListeningSocket listener = ListeningSocket.open(key, choice.place(), limits.access());
        Descriptor wake = null;
        try {
            if (!choice.passedOver().isEmpty()) {
                LOG.log(
                        System.Logger.Level.INFO,
                        () -> "the socket of \"" + key + "\" is in "
                                + listener.name().getParent()
                                + ", where readers of other users do not look, for better places are not to be had: "
                                + String.join("; ", choice.passedOver()));
            }
            wake = new Descriptor(Posix.check(Libc.eventfd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK), "eventfd"));
            PublisherServer server = new PublisherServer(
                    key, header, segment, ring, readers, limits, listener, choice.passedOver(), wake);
            server.thread.start();
            return server;
        } catch (Throwable e) { // also where no thread can be made
            Closing.undo(e, listener, wake);
            throw e;
        }
    }

    /** Subscribers that read now. */
    public int subscribers() {
        return subscribers;
    }

    /** The socket's name. */
    public Path socketPath() {
        return socketPath;
    }

    /** The usual places that would have been better, each with the reason why the socket is not there. */
    public List<String> passedOver() {
        return passedOver;
    }

    private void run() {
        try (Arena arena = Arena.ofConfined()) {
            PollSet polled = new PollSet(arena, 2 + MAX_GREETING + limits.maxSubscribers());
            while (drainNanos < 0) {
                serveOnce(polled, true, watch.nanosLeft(System.nanoTime()));
                keepName();
            }
            sayGoodbye(polled);
            List.copyOf(peers).forEach(this::drop);
            limited.forEach(LogLimit::finish);
        } catch (Throwable e) { // no memory, for example: a door that nobody answers must not look open
            try {
                LOG.log(
                        System.Logger.Level.ERROR,
                        () -> "the server of \"" + key
                                + "\" failed: its subscribers are cut off, and no others are let in. Close the publisher, and open another",
                        e);
            } catch (Throwable alsoFailed) {
                e.addSuppressed(alsoFailed);
            }
            endAbruptly(e);
        }
    }

    /** Where the name was lost and is made again, who came by it before is let in first. */
    private void keepName() {
        ListeningSocket again = watch.look(listener);
        if (again == null) {
            return;
        }
        ListeningSocket before = listener;
        accept();
        listener = again;
        try {
            before.closeAtOnce();
        } catch (CuframesException e) { // its directory is locked: what is left of it there leads nowhere
            LOG.log(System.Logger.Level.DEBUG, () -> "closing a socket of \"" + key + "\" that was replaced: " + e);
        }
    }

    /**
     * Shows everybody that this thread is gone: the publisher at its next call, readers and those who would connect at once. The control pages stay with
     * the writer: what readers still hold must not be overwritten. Nobody waits for them any more.
     */
    private void endAbruptly(Throwable cause) {
        failure = cause;
        subscribers = 0;
        for (Peer peer : peers) {
            if (peer.isAdmitted()) {
                peer.page().setCutOff();
            }
        }
        Closing.undo(cause, this::closePeers, this::closeListener);
    }

    /** Of those whose pages the thread could not release because it failed. The thread is gone, and the writer looks at no page any more. */
    private void releasePages() {
        for (ControlPage page : readers.snapshot()) {
            readers.remove(page);
            page.close();
        }
    }

    private void closePeers() {
        Closing.all(peers.toArray(AutoCloseable[]::new));
    }

    /** What the server's thread ended with before its time; null as long as it serves, and once it has ended in due form. */
    public Throwable failure() {
        return failure;
    }

    /** The name may stay behind, where somebody keeps the directory locked; the next publisher of the key takes it over. */
    private void closeListener() {
        try {
            listener.close();
        } catch (CuframesException e) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    () -> "the socket " + socketPath + " is left behind: " + e.getMessage());
        }
    }

    /** Tells everyone that the stream is over, and gives them the time to let go of the ring. */
    private void sayGoodbye(PollSet polled) {
        closeListener();
        segment.unlockKey(); // neither name is left: a successor need not wait for what follows
        long deadline = System.nanoTime() + drainNanos;
        for (Peer peer : List.copyOf(peers)) {
            MemorySegment message = peer.message().payload();
            if (!peer.isAdmitted()) {
                peer.send(Messages.encode(Messages.reject(RejectCode.ENDING, "the stream is ending"), message));
                drop(peer);
            } else if (!peer.isDismissed() && !peer.send(Messages.encodeBye(endReason, message))) {
                drop(peer);
            }
        }
        Faults.reach(FaultPoint.BYE_SENT);
        long left = deadline - System.nanoTime();
        while (!peers.isEmpty() && left > 0) {
            serveOnce(polled, false, left);
            left = deadline - System.nanoTime();
        }
        if (!peers.isEmpty() && ring == null) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    () -> "letting go of the ring of \"" + key + "\" while " + peers.size()
                            + " subscriber(s) still have it open");
        }
    }

    private void serveOnce(PollSet polled, boolean accepting, long atMostNanos) {
        long now = System.nanoTime();
        boolean open = accepting && now - acceptAgain >= 0;
        List<Peer> order = List.copyOf(peers);
        polled.clear();
        polled.add(wake.fd());
        polled.add(open ? listener.fd() : PollSet.NOBODY);
        order.forEach(peer -> polled.add(peer.fd()));
        polled.await(timeoutMillis(now, atMostNanos));
        if (polled.isReady(0)) {
            clearWake();
            if (accepting) { // otherwise all have been told that the stream is over
                dismissStalled();
                cutOverdrawn();
                holders.report();
            }
        }
        for (int i = 0; i < order.size(); i++) {
            if (polled.isReady(2 + i) && peers.contains(order.get(i))) { // unless it has just been cut off
                serveSafely(order.get(i));
            }
        }
        if (polled.isReady(1)) {
            accept();
        }
        dropSlow();
        limited.forEach(LogLimit::report);
    }

    /** Tells those whom the writer has given up. Their leases count until their connections end: they may only be asleep. */
    private void dismissStalled() {
        for (Peer peer : peers) {
            if (!peer.isToBeDismissed()) {
                continue;
            }
            // One that does not take the message is gone, or finds out by missing frames.
            peer.send(Messages.encodeBye(
                    MessageDescriptor.BYE_STALLED, peer.message().payload()));
            peer.dismiss();
            setSubscribers(subscribers - 1);
            dismissals.log(
                    System.Logger.Level.WARNING,
                    () -> "\"" + key + "\" waits for subscriber " + peer.title()
                            + " no longer: it has taken no frame after "
                            + Long.toUnsignedString(peer.page().stalledAt()) + " for "
                            + peer.page().stalledForNanos() / 1_000_000
                            + " ms, and the slots are needed; those that it holds stay its own");
        }
    }

    /** Cuts off those who hold more than they may, and with that frees what they hold. */
    private void cutOverdrawn() {
        for (Peer peer : List.copyOf(peers)) {
            if (!peer.isToBeCutOff()) {
                continue;
            }
            peer.send(Messages.encodeBye(
                    MessageDescriptor.BYE_EVICTED, peer.message().payload()));
            dismissals.log(
                    System.Logger.Level.WARNING,
                    () -> "\"" + key + "\" cuts subscriber " + peer.title() + " off: it leases more than the "
                            + limits.maxLeases() + " slots that it may, and the slots are needed");
            drop(peer);
        }
    }

    private int greeting() {
        return peers.size() - admission.admitted();
    }

    private int timeoutMillis(long now, long atMostNanos) {
        long nanos = atMostNanos < 0 ? Long.MAX_VALUE : atMostNanos;
        if (now - acceptAgain < 0) {
            nanos = Math.min(nanos, acceptAgain - now);
        }
        for (LogLimit limit : limited) {
            nanos = Math.min(nanos, limit.nanosToReport());
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
        // As many as may shake hands, then those who have said something are heard: so one that says HELLO at once is
        // never the one that makes room for others.
        for (int i = 0; i < MAX_GREETING; i++) {
            int fd = Libc.accept4(
                    listener.fd(), MemorySegment.NULL, MemorySegment.NULL, Libc.SOCK_CLOEXEC | Libc.SOCK_NONBLOCK);
            if (fd >= 0) {
                receive(new Descriptor(fd));
                Faults.reach(FaultPoint.PEER_ACCEPTED);
            } else if (fd == -Errno.EAGAIN) {
                return;
            } else if (fd != -Errno.EINTR && fd != -Errno.ECONNABORTED) {
                acceptAgain = System.nanoTime() + ACCEPT_PAUSE_NANOS;
                trouble.log(
                        System.Logger.Level.WARNING,
                        () -> "no subscriber can be let in to \"" + key + "\" now: "
                                + Posix.failure("accept", -fd).getMessage());
                return;
            }
        }
    }

    /** Hears a new connection out, unless its user is not to be let in at all. */
    private void receive(Descriptor socket) {
        Peer peer = null;
        try {
            peer = new Peer(socket, Posix.peer(socket), System.nanoTime() + HANDSHAKE_NANOS);
            peers.add(peer);
        } catch (Throwable e) {
            Closing.undo(e, peer, socket);
            if (!(e instanceof CuframesException || e instanceof OutOfMemoryError)) {
                throw e;
            }
            trouble.log(System.Logger.Level.WARNING, () -> "\"" + key + "\" cannot serve a peer: " + e.getMessage());
            return;
        }
        try {
            Messages.Reject reject = admission.refusal(peer);
            if (reject != null) {
                reject(peer, reject);
            } else if (greeting() > MAX_GREETING) {
                reject(firstGreeting(), Messages.reject(RejectCode.BUSY, MAX_GREETING + " handshakes are under way"));
            }
        } catch (CuframesException | OutOfMemoryError e) {
            giveUp(peer, e);
        }
    }

    private Peer firstGreeting() {
        return peers.stream().filter(peer -> !peer.isAdmitted()).findFirst().orElseThrow();
    }

    /** What goes wrong with one peer, for want of descriptors or memory for example, ends that peer alone. */
    private void serveSafely(Peer peer) {
        try {
            serve(peer);
        } catch (CuframesException | OutOfMemoryError e) {
            giveUp(peer, e);
        }
    }

    private void giveUp(Peer peer, Throwable e) {
        trouble.log(
                System.Logger.Level.WARNING,
                () -> "\"" + key + "\" cannot serve " + peer.credentials().describe() + ": " + e.getMessage());
        if (!peer.isAdmitted()) {
            Messages.Reject busy =
                    Messages.reject(RejectCode.BUSY, "the publisher cannot admit anyone now: " + e.getMessage());
            peer.send(Messages.encode(busy, peer.message().payload()));
        }
        drop(peer);
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
            case BAD_DESCRIPTORS ->
                reject(
                        peer,
                        Messages.reject(
                                RejectCode.MALFORMED,
                                "more descriptors came than any message has, and a HELLO has none"));
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
        Faults.reach(FaultPoint.READY_READ);
        peer.setReady();
        if (Recordings.possible()) {
            ConnectEvent.record(key.name(), epoch, peer.credentials().pid(), peer.title());
        }
        setSubscribers(subscribers + 1);
        arrivals.log(System.Logger.Level.INFO, () -> "\"" + key + "\": subscriber " + peer.title() + " is here");
    }

    private void greet(Peer peer) {
        Faults.reach(FaultPoint.HELLO_READ);
        MemorySegment message = peer.message().payload();
        Messages.Greeting greeting = Messages.decodeHello(message, Messages.length(message));
        if (greeting instanceof Messages.Hello hello && hello.isObserver()) {
            observation.send(peer);
            drop(peer); // an observer that never goes away has nothing of this process
        } else if (greeting instanceof Messages.Hello hello) {
            Messages.Reject reject = admission.refusal(hello);
            if (reject != null) {
                reject(peer, reject);
            } else if (!admission.admit(peer, hello)) {
                drop(peer);
            }
        } else if (greeting instanceof Messages.Reject reject) {
            reject(peer, reject);
        }
    }

    private void reject(Peer peer, Messages.Reject reject) {
        trouble.log(
                System.Logger.Level.INFO,
                () -> "\"" + key + "\" turned " + peer.credentials().describe() + " away: " + reject.code() + ", "
                        + reject.text());
        peer.send(Messages.encode(reject, peer.message().payload()));
        drop(peer);
    }

    private void drop(Peer peer) {
        peers.remove(peer);
        try {
            forget(peer);
        } finally {
            peer.close();
        }
    }

    private void forget(Peer peer) {
        if (peer.isAdmitted()) {
            admission.release(peer);
            Faults.reach(FaultPoint.PEER_RELEASED);
        }
        if (peer.isCounted()) {
            setSubscribers(subscribers - 1);
        }
        if (peer.isReady()) {
            if (Recordings.possible()) {
                String reason = drainNanos < 0 ? DisconnectEvent.GONE : DisconnectEvent.ENDED;
                DisconnectEvent.record(key.name(), epoch, Side.PUBLISHER, peer.title(), reason);
            }
            arrivals.log(System.Logger.Level.INFO, () -> "\"" + key + "\": subscriber " + peer.title() + " is gone");
        }
    }

    private void setSubscribers(int count) {
        subscribers = count;
        Shared.setIntRelease(segment.memory(), SegmentDescriptor.SUBSCRIBERS_OFFSET, count);
    }

    private void dropSlow() {
        long now = System.nanoTime();
        for (Peer peer : List.copyOf(peers)) {
            if (!peer.isAdmitted() && now - peer.deadline() > 0) {
                trouble.log(
                        System.Logger.Level.INFO,
                        () -> "\"" + key + "\" gave up on " + peer.credentials().describe()
                                + ": it did not finish its handshake within 2 s");
                drop(peer);
            }
        }
    }

    /**
     * Has the server look at the readers: the writer has found one that is to be dismissed or cut off, or frames have found no slot. Allocates, since
     * that is rare.
     */
    public void noticeReaders() {
        wakeUp();
    }

    private void wakeUp() {
        try (Arena arena = Arena.ofConfined()) {
            Libc.write(wake.fd(), arena.allocateFrom(JAVA_LONG, 1).address(), Long.BYTES);
        }
    }

    /**
     * Removes the socket, tells subscribers that the stream is over, and waits until they are gone or the time is up. Once only.
     *
     * @param reason what BYE tells them
     * @param drain how long subscribers have to let go
     */
    public void end(int reason, Duration drain) {
        if (drainNanos >= 0) {
            return;
        }
        endReason = reason;
        drainNanos = drain.toNanos();
        wakeUp();
        ThreadEnd.await(thread); // the drain is bounded
    }

    @Override
    public void close() {
        Closing.all(() -> end(MessageDescriptor.BYE_ENDED, Duration.ZERO), this::releasePages, wake);
    }
}
