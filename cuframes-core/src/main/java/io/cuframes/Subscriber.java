// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.internal.connect.Connection;
import io.cuframes.internal.connect.Connector;
import io.cuframes.internal.connect.StreamKey;
import io.cuframes.internal.cuda.CudaDevice;
import io.cuframes.internal.cuda.DeviceStreams;
import io.cuframes.internal.cuda.ReaderDevice;
import io.cuframes.internal.events.ConnectEvent;
import io.cuframes.internal.events.DisconnectEvent;
import io.cuframes.internal.events.EpochEvent;
import io.cuframes.internal.events.Recordings;
import io.cuframes.internal.events.Side;
import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import io.cuframes.internal.os.Closing;
import io.cuframes.internal.os.NativeCalls;
import io.cuframes.internal.os.Timeout;
import io.cuframes.internal.protocol.SegmentHeader;
import io.cuframes.internal.ring.ReadTally;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A reader of a stream: leases frames of the publisher's ring and reads them in place.
 *
 * <pre>{@code
 * try (Subscriber subscriber = Subscriber.builder("cam1").open()) {
 *     while (true) {
 *         try (Frame frame = subscriber.next(Duration.ofSeconds(1))) {
 *             if (frame != null) {
 *                 use(frame.plane(0).pointer(), frame.plane(0).pitch());
 *             }
 *         }
 *     }
 * }
 * }</pre>
 *
 * <p>{@link Builder#start} has a thread call a handler with each frame instead, {@link Builder#toFlowPublisher} sends frames to receivers on
 * demand.
 *
 * <p>With {@link Builder#reconnect} it survives its publisher: when that ends, dies, or goes on with another format, {@link #next} finds the
 * one that follows, and gives frames of a new epoch.
 *
 * <p>One thread at a time calls {@link #next}; frames may be closed on other threads; {@link #close()} may be called from any thread and
 * ends a {@code next} that waits; the plain accessors are safe from any thread.
 */
public final class Subscriber implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Subscriber.class.getName());

    /** How long a close waits for what the GPU still does, and for threads that copy a frame. */
    private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(2);

    /**
     * What a subscriber is to be.
     *
     * @param stream a cudaStream_t or {@link DeviceStreams#OWN_STREAM}
     * @param stallNanos how long a connected publisher may announce nothing before it is called stalled
     * @param backoff null if it does not reconnect
     */
    record Options(
            StreamKey key,
            Connector connector,
            Duration connectTimeout,
            SubscriberMode mode,
            WaitStrategy waitStrategy,
            long stream,
            long stallNanos,
            Backoff backoff,
            Listener listener) {}

    /**
     * Hears what happens to the connection of a subscriber that reconnects. Called on the thread that calls {@link #next}, which throws what the
     * listener throws; the call after that goes on where this one was.
     */
    public interface Listener {
        /**
         * The publisher is gone. Frames of its epoch that are still held stay valid until they are closed.
         *
         * @param epoch that is over
         * @param reason how the publisher went
         * @param text the same in words
         */
        default void disconnected(long epoch, PublisherGoneException.Reason reason, String text) {}

        /**
         * An attempt to connect has failed, and another follows.
         *
         * @param attempt its number since the publisher went, from 1
         * @param retryIn when the next one comes
         * @param reason why it failed, in words
         */
        default void attemptFailed(int attempt, Duration retryIn, String reason) {}

        /**
         * A publisher is there again.
         *
         * @param epoch the new one; after {@link PublisherGoneException.Reason#STALLED} perhaps that of before, and no frame is given twice
         * @param attempts how many attempts it took
         * @param format of the frames that follow
         */
        default void reconnected(long epoch, int attempts, FrameFormat format) {}
    }

    private final Options options;

    /** Whose frames go to a handler or a receiver alone; null if they are for whoever calls {@link #next}. */
    private final String owner;

    private final ReadTally tally = new ReadTally();

    /** Nothing more is taken. */
    private volatile boolean retired;

    private final AtomicBoolean closed = new AtomicBoolean();

    /** Sessions of epochs that are over and of which frames are held. Guarded by itself. */
    private final List<Session> past = new ArrayList<>();

    /** Of the epoch that was connected last; changed by the thread that calls {@link #next}. */
    private volatile Session session;

    /** What is to be done about a publisher that is gone; null while there is one. */
    private volatile Reconnection reconnection;

    private final AtomicInteger reconnects = new AtomicInteger();

    /** The search for a publisher, for a flight recording; for the thread that calls {@link #next}. */
    private ConnectEvent search;

    private final long openedNanos = System.nanoTime();

    /** 0 while it is open. */
    private volatile long closedNanos;

    private Subscriber(Options options, String owner, Connection connection, ConnectEvent search) {
        this.options = options;
        this.owner = owner;
        this.search = search;
        this.session = new Session(key(), connection, options, tally, null);
    }

    /**
     * Connects.
     *
     * @param owner what its frames go to, or null
     * @param cancelled asked now and then: give up, with a NOT_FOUND
     */
    static Subscriber open(Options options, String owner, BooleanSupplier cancelled) {
        ConnectEvent search = beginSearch();
        Connection connection = options.connector().connect(options.connectTimeout(), cancelled);
        Subscriber subscriber;
        try {
            subscriber = new Subscriber(options, owner, connection, search);
        } catch (Throwable e) {
            Closing.undo(e, connection);
            throw e;
        }
        try {
            subscriber.recordConnected(subscriber.session, 0);
        } catch (Throwable e) {
            Closing.undo(e, subscriber::release);
            throw e;
        }
        return subscriber;
    }

    /**
     * Begins a subscriber.
     *
     * @param key the stream's name on this host
     * @return a builder
     * @throws CuframesException code INVALID_ARGUMENT if the key is illegal
     */
    public static Builder builder(String key) {
        return new Builder(key);
    }

    /**
     * Waits for the next frame: in {@link SubscriberMode#NEWEST_ONLY} the newest not yet given, in {@link SubscriberMode#STRICT_ORDER} the one
     * after the last.
     *
     * @param timeout how long to wait at most; zero, or less, looks once. A subscriber that reconnects may take the time of a handshake and of mapping the
     *     ring longer
     * @return the frame, to be closed; or null if none came in time, or the thread was interrupted, which it then still is
     * @throws PublisherGoneException if the publisher ended or died and no frame is left, and the subscriber does not reconnect, or has given up
     * @throws CudaException if the CUDA context is lost, within 100 ms also where nothing is published: from then on each call throws it, and what is left
     *     to do is to close this subscriber
     * @throws CuframesException code NO_SLOT if this subscriber holds as many frames as it may, PROTOCOL if the segment is damaged; with
     *     reconnection, as {@link Builder#open()} for what another attempt would not change
     * @throws IllegalStateException if the subscriber is closed, or its frames go to a {@link FrameHandler}
     */
    public @Nullable Frame next(Duration timeout) {
        if (owner != null) {
            throw new IllegalStateException("the frames of this subscriber of \"" + key() + "\" go to its " + owner);
        }
        requireOpen();
        Frame frame = take(Timeout.nanos(timeout), false);
        if (frame == null) {
            requireOpen();
        }
        return frame;
    }

    /**
     * Waits for the next frame.
     *
     * @param patient whether to wait for a frame to be closed where as many are held as may be, rather than throw
     * @return the frame; or null if the time is over, the thread was interrupted, or this is retired
     */
    Frame take(long timeoutNanos, boolean patient) {
        try {
            return takeOrReconnect(timeoutNanos, patient);
        } catch (PublisherGoneException e) {
            throw e;
        } catch (CuframesException e) {
            tally.countError();
            throw e;
        }
    }

    private Frame takeOrReconnect(long timeoutNanos, boolean patient) {
        long left = timeoutNanos;
        long start = 0; // known once there is something to wait for
        boolean waits = false;
        while (!retired) {
            if (reconnection == null) {
                Session current = session;
                Frame frame = current.next(left, patient);
                if (frame != null || current.gone() == null) {
                    return frame;
                }
                start = waits ? start : current.waitBeganNanos();
                waits = true;
                lose(current);
            } else if (!waits) {
                start = System.nanoTime();
                waits = true;
            }
            left = Math.max(0, timeoutNanos - (System.nanoTime() - start));
            if (!reconnect(left)) {
                return null;
            }
            left = Math.max(0, timeoutNanos - (System.nanoTime() - start));
        }
        return null;
    }

    /** The publisher is gone: the end of this subscriber, or the beginning of a search for the next. */
    private void lose(Session lost) {
        Faults.reach(FaultPoint.PUBLISHER_LOST);
        PublisherGoneException.Reason reason = lost.gone();
        search = beginSearch();
        if (Recordings.possible()) {
            DisconnectEvent.record(key(), lost.header().epoch(), Side.SUBSCRIBER, "", reason.name());
        }
        synchronized (past) {
            past.removeIf(Session::isReleased);
            past.add(lost);
        }
        reconnection = new Reconnection(options.backoff(), reason, lost.farewell());
        try {
            if (options.backoff() != null) {
                options.listener().disconnected(lost.header().epoch(), reason, lost.farewell());
            }
        } finally {
            lost.retire();
        }
    }

    /** Makes the attempts that are due, one if the time is over already; whether one succeeded. */
    private boolean reconnect(long timeoutNanos) {
        Reconnection attempts = reconnection;
        long deadline = System.nanoTime() + timeoutNanos;
        while (attempts.awaitNext(deadline, this::isSearchOver)) {
            Session found = attempts.attempt(this::connectAgain, this::isSearchOver, options.listener());
            if (found != null) {
                adopt(found, attempts);
                return true;
            }
            if (System.nanoTime() - deadline >= 0) {
                break;
            }
        }
        if (!isSearchOver()) {
            tally.countTimeout();
        }
        return false;
    }

    private boolean isSearchOver() {
        return retired || Thread.currentThread().isInterrupted();
    }

    /** One attempt to find a publisher and to begin to read what it publishes. */
    private Session connectAgain() {
        Connection connection = options.connector().reconnect(this::isSearchOver);
        Session begun;
        try {
            begun = new Session(key(), connection, options, tally, session);
        } catch (Throwable e) {
            Closing.undo(e, connection);
            throw e;
        }
        try {
            Faults.reach(FaultPoint.EPOCH_BEGUN);
        } catch (Throwable e) {
            Closing.undo(e, begun::retire);
            throw e;
        }
        return begun;
    }

    private void adopt(Session next, Reconnection attempts) {
        long lostEpoch = session.header().epoch();
        session = next;
        reconnection = null;
        reconnects.incrementAndGet();
        recordConnected(next, lostEpoch);
        if (retired) {
            next.retire(); // who retires this subscriber may have seen the session before
            return;
        }
        options.listener().reconnected(next.header().epoch(), attempts.attempts(), next.format());
    }

    /** An event that begins now; null if nobody records. */
    private static ConnectEvent beginSearch() {
        return Recordings.possible() ? ConnectEvent.begun() : null;
    }

    /** Tells a flight recording, if there is one. */
    private void recordConnected(Session connected, long previousEpoch) {
        SegmentHeader header = connected.header();
        if (search != null) {
            search.end(key(), header.epoch(), header.pid());
        }
        if (header.epoch() != previousEpoch
                && Recordings.possible()) { // a publisher that cut this subscriber off may be found again
            EpochEvent.record(key(), header.epoch(), Side.SUBSCRIBER, previousEpoch, header.format());
        }
    }

    /** Whether no frame will come any more, and nobody looks for the next publisher. For the thread that calls {@link #next}; takes nothing. */
    boolean isOver() {
        return options.backoff() == null && session.isOver();
    }

    /** Whether this is no more than what was to be expected: the publisher ended the stream, and nobody was to look for another. */
    static boolean isPlainEnd(Options options, Throwable end) {
        return options.backoff() == null
                && end instanceof PublisherGoneException gone
                && gone.reason() == PublisherGoneException.Reason.ENDED
                && gone.getSuppressed().length == 0;
    }

    /** Whether no more frames are taken, because of somebody's close. */
    boolean isRetired() {
        return retired;
    }

    /** Ends a {@link #take} that waits, and every later one; frames held stay valid. From any thread; returns at once. */
    void stop() {
        retired = true;
        session.stop();
    }

    /** Takes no more frames; those held stay valid, and the last one closed takes its mappings with it. */
    void retire() {
        retired = true;
        session.retire();
    }

    private void requireOpen() {
        if (retired) {
            throw new IllegalStateException("the subscriber of \"" + key() + "\" is closed");
        }
    }

    /**
     * The stream's name.
     *
     * @return the key
     */
    public String key() {
        return options.key().name();
    }

    /**
     * The geometry of every frame of the epoch that was connected last. A frame still held may be of an older one: {@link Frame#format()}.
     *
     * @return the format, with its planes
     */
    public FrameFormat format() {
        return session.format();
    }

    /**
     * Where the pixels live.
     *
     * @return never {@link Transport#AUTO}
     */
    public Transport transport() {
        return session.transport();
    }

    /**
     * Who made the ring's buffers.
     *
     * @return EXTERNAL if they are those of the publisher's application
     */
    public Ownership ownership() {
        return session.header().ring().ownership();
    }

    /**
     * Whether this subscriber is closed, or is being closed by another thread: tells an end that was asked for from a mistake, where {@link #next} throws
     * an IllegalStateException.
     *
     * @return true from the beginning of {@link #close()} on
     */
    public boolean isClosed() {
        return closed.get();
    }

    /**
     * The GPU that frames are read on: addresses of planes and streams for them are of this one. It need not be the GPU that holds the ring.
     *
     * @return its ordinal as this process counts its devices; -1 in host memory
     */
    public int deviceOrdinal() {
        CudaDevice device = session.device();
        return device == null ? -1 : device.ordinal();
    }

    /**
     * The way that frames come in words.
     *
     * @return transport, and in device memory the GPU that reads, and the one that holds the ring where that is another
     */
    public String describe() {
        return session.describe();
    }

    /**
     * The number that names the publisher's incarnation.
     *
     * @return random, not 0
     */
    public long epoch() {
        return session.header().epoch();
    }

    /**
     * The publisher's process id, in its own pid namespace.
     *
     * @return a pid
     */
    public long publisherPid() {
        return session.header().pid();
    }

    /**
     * The slots of the ring.
     *
     * @return 2 to 64
     */
    public int slots() {
        return session.slotCount();
    }

    /**
     * Frames given so far.
     *
     * @return a count
     */
    public long received() {
        return tally.received();
    }

    /**
     * Frames given so far that the publisher marked as damaged ({@link Frame#isDamaged}).
     *
     * @return a count, at most {@link #received()}
     */
    public long damaged() {
        return tally.damaged();
    }

    /**
     * Frames published since the subscriber connected, up to the last one given, and never given: skipped in newest mode, lost in strict mode.
     *
     * @return a count
     */
    public long missed() {
        return tally.missed();
    }

    /**
     * Waits that ended without a frame.
     *
     * @return a count
     */
    public long timeouts() {
        return tally.timeouts();
    }

    /**
     * What the publisher does when a slot is needed that strict subscribers have not read.
     *
     * @return its policy
     */
    public PublishPolicy policy() {
        return session.header().policy();
    }

    /**
     * What the source's timestamps were counted in before they became nanoseconds.
     *
     * @return the time base, or {@link TimeBase#UNKNOWN}
     */
    public TimeBase timeBase() {
        return session.header().timeBase();
    }

    /**
     * The consumer stream: the one given, or the subscriber's own.
     *
     * @return a {@code cudaStream_t}; 0 in host memory
     */
    public long stream() {
        return session.stream();
    }

    /**
     * Whether there is a publisher, as far as {@link #next} has seen.
     *
     * @return false once the publisher is gone, until a subscriber that reconnects has found the next one; false once this is closed
     */
    public boolean isConnected() {
        return reconnection == null && !retired;
    }

    /**
     * Publishers found after the first.
     *
     * @return a count
     */
    public int reconnects() {
        return reconnects.get();
    }

    /**
     * Attempts to connect since the publisher went.
     *
     * @return 0 while there is one
     */
    public int attempts() {
        Reconnection attempts = reconnection;
        return attempts == null ? 0 : attempts.attempts();
    }

    /**
     * Why there is no publisher.
     *
     * @return how the last one went; null while there is one
     */
    public PublisherGoneException.@Nullable Reason disconnectReason() {
        Reconnection attempts = reconnection;
        return attempts == null ? null : attempts.reason();
    }

    /**
     * What this subscriber has counted so far, and what it holds. From any thread, at any time, also once it is closed; the thread that takes
     * frames is not slowed down.
     *
     * @return a snapshot; {@link SubscriberStats#toJson()} makes a health report of it
     */
    public SubscriberStats stats() {
        Session current = session;
        ReadTally.Counts counts = tally.counts();
        long now = System.nanoTime();
        long closedAt = closedNanos;
        boolean connected = isConnected();
        long silent = connected ? current.silentNanos() : 0;
        return new SubscriberStats(
                key(),
                current.header().epoch(),
                current.transport(),
                options.mode(),
                connected,
                (closedAt == 0 ? now : closedAt) - openedNanos,
                counts.received(),
                counts.damaged(),
                counts.missed(),
                counts.gaps(),
                counts.timeouts(),
                tally.errors(),
                counts.lastSeq(),
                counts.lastPtsNanos(),
                connected ? current.lag() : 0,
                current.leases() + pastLeases(current),
                reconnects.get(),
                counts.lastSeq() == 0 ? -1 : now - counts.lastNanos(),
                stalledFor(silent),
                tally.latency());
    }

    /**
     * For how long the publisher has been stalled: it is connected, no frame is left to take, and none has come for {@link Builder#stallAfter} or longer.
     * Its process may be stopped, or hang, or its camera sends nothing: from here they look alike. Nothing is lost by it, and it ends with the
     * next frame; {@link #next} gives null meanwhile. From any thread; allocates nothing.
     *
     * @return nanoseconds since this subscriber was given the newest frame, or since it connected, by its own clock; 0 if the publisher is not stalled,
     *     {@linkplain #isPublisherIdle() idles on purpose}, or there is none
     */
    public long publisherStalledNanos() {
        return isConnected() ? stalledFor(session.silentNanos()) : 0;
    }

    /**
     * Whether the publisher says that it publishes nothing on purpose: it decodes on demand, and its source is only being opened, for this reader
     * perhaps. It is not called stalled then. From any thread; allocates nothing.
     *
     * @return false also while there is no publisher
     */
    public boolean isPublisherIdle() {
        return isConnected() && session.isPublisherIdle();
    }

    private long stalledFor(long silentNanos) {
        return silentNanos >= options.stallNanos() ? silentNanos : 0;
    }

    /** The current session is among the past ones as soon as its publisher is gone. */
    private int pastLeases(Session current) {
        synchronized (past) {
            return past.stream()
                    .filter(each -> each != current)
                    .mapToInt(Session::leases)
                    .sum();
        }
    }

    /**
     * Frees the leases and unmaps the ring. A {@link #next} that waits in another thread ends with an IllegalStateException. Frames still open
     * are closed. Closing twice closes once. Where the frames go to a handler, this only stops it.
     *
     * <p>This waits up to 2 s for its GPU: for leases that it is to end, and for CUDA to unmap what it uses. Where it takes longer, the leases count
     * until the GPU has ended them, the mappings are released then, and a warning is logged: streams that frames were closed on must not be
     * destroyed before. Where the CUDA context is lost, the leases end at once, those of exported tensors too.
     *
     * <p>A plane in host memory may be in a native call of another thread that has not ended, such as a write to a channel that blocks. This returns all
     * the same; frames, leases and the connection are kept until that call ends, so that the publisher does not overwrite what is being written. With
     * tensors exported and not given back, the frames are closed at once.
     *
     * @throws CuframesException if something cannot be released, which is not for the CUDA context's being lost; the rest is released all the same
     */
    @Override
    public void close() {
        if (owner == null) {
            release();
        } else {
            stop();
        }
    }

    /** Lets go of everything. */
    void release() {
        retired = true;
        if (closed.getAndSet(true)) {
            return;
        }
        closedNanos = System.nanoTime();
        if (reconnection == null) {
            if (Recordings.possible()) {
                DisconnectEvent.record(key(), epoch(), Side.SUBSCRIBER, "", DisconnectEvent.CLOSED);
            }
        }
        long deadline = System.nanoTime() + CLOSE_PATIENCE.toNanos();
        List<Session> sessions = new ArrayList<>();
        sessions.add(session);
        synchronized (past) {
            past.stream().filter(each -> each != session).forEach(sessions::add);
        }
        AutoCloseable[] closes = new AutoCloseable[sessions.size()];
        Arrays.setAll(closes, i -> () -> sessions.get(i).close(deadline));
        AutoCloseable[] waits = new AutoCloseable[sessions.size()];
        Arrays.setAll(waits, i -> () -> awaitReleased(sessions.get(i), deadline));
        Closing.all(() -> Closing.all(closes), () -> Closing.all(waits));
    }

    private static void awaitReleased(Session closed, long deadline) {
        if (!closed.awaitReleased(deadline)) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    () -> "what a subscriber of \"" + closed.key()
                            + "\" has mapped is released later: a frame is being copied, or its GPU"
                            + " has not done within 2 s what is queued there");
        }
    }

    /** Says what a subscriber is to be; {@link #open()} connects. Not thread-safe. */
    public static final class Builder {
        private int device = ReaderDevice.AUTOMATIC;
        private final StreamKey key;
        private SubscriberMode mode = SubscriberMode.NEWEST_ONLY;
        private WaitStrategy waitStrategy = WaitStrategy.ADAPTIVE;
        private long stream = DeviceStreams.OWN_STREAM;
        private Backoff backoff;
        private Listener listener = new Listener() {};
        private Path socketDirectory;
        private long stallNanos = TimeUnit.SECONDS.toNanos(1);
        private Duration connectTimeout = Duration.ofSeconds(5);
        private String name = "";

        private Builder(String key) {
            this.key = new StreamKey(key);
        }

        /**
         * Which frames to give; {@link SubscriberMode#NEWEST_ONLY} unless said.
         *
         * @param newMode the mode
         * @return this
         */
        public Builder mode(SubscriberMode newMode) {
            mode = Objects.requireNonNull(newMode);
            return this;
        }

        /**
         * How to wait; {@link WaitStrategy#ADAPTIVE} unless said.
         *
         * @param newStrategy the strategy
         * @return this
         */
        public Builder waitStrategy(WaitStrategy newStrategy) {
            waitStrategy = Objects.requireNonNull(newStrategy);
            return this;
        }

        /**
         * The GPU to read on. Default: the one that holds the ring, or, where this process does not see that one, the only one that it sees. Planes
         * are addresses for the GPU that reads, which reaches frames on another one over NVLink or PCIe. Another GPU than the ring's is for transport
         * {@link Transport#CUDA_VMM}; opening tries it, and fails with the reason on a machine that cannot do it.
         *
         * @param ordinal as this process counts its devices
         * @return this
         */
        public Builder device(int ordinal) {
            if (ordinal < 0) {
                throw new CuframesException(ErrorCode.INVALID_ARGUMENT, "device " + ordinal + ": it must be 0 or more");
            }
            device = ordinal;
            return this;
        }

        /**
         * The consumer stream: the CUDA stream that {@link Frame#copyTo} copies on. Unless said, the subscriber makes one of its own.
         *
         * @param handle a {@code cudaStream_t} of the device that is read on, which must outlive the subscriber and is not destroyed by it; 0 or 1
         *     for the legacy default stream, 2 for the per-thread default stream, that of the thread which copies
         * @return this
         */
        public Builder stream(long handle) {
            stream = handle;
            return this;
        }

        /**
         * Where to look for the socket, instead of the usual places (docs/protocol.md, section 2).
         *
         * @param directory the directory, or null for the usual places
         * @return this
         */
        public Builder socketDirectory(@Nullable Path directory) {
            socketDirectory = directory;
            return this;
        }

        /**
         * How long {@link #open()} waits for a publisher. Default: 5 s. Zero, or less, tries once.
         *
         * @param timeout of any length
         * @return this
         */
        public Builder connectTimeout(Duration timeout) {
            connectTimeout = Objects.requireNonNull(timeout);
            return this;
        }

        /**
         * How long a connected publisher may announce no frame before it counts as stalled ({@link Subscriber#publisherStalledNanos()}); 1 s unless said. At
         * least a few times what its camera takes for a frame.
         *
         * @param silence more than zero
         * @return this
         * @throws CuframesException code INVALID_ARGUMENT if it is not
         */
        public Builder stallAfter(Duration silence) {
            if (silence.isNegative() || silence.isZero()) {
                throw new CuframesException(
                        ErrorCode.INVALID_ARGUMENT,
                        "stallAfter is " + silence
                                + ": a publisher that is between two frames is not stalled, say more than" + " zero");
            }
            stallNanos = TimeUnit.NANOSECONDS.convert(silence);
            return this;
        }

        /**
         * Look for the next publisher of the key when this one ends, dies or goes on with another format, and connect to the same one anew when it
         * has waited too long for this subscriber. Unless said, {@link Subscriber#next} then
         * throws a {@link PublisherGoneException}. Attempts are made by {@link Subscriber#next}, as long as its timeout lasts.
         *
         * @param newBackoff how long to wait between attempts, and how often to try
         * @return this
         */
        public Builder reconnect(Backoff newBackoff) {
            backoff = Objects.requireNonNull(newBackoff);
            return this;
        }

        /**
         * Who hears of lost publishers and new ones; nobody unless said.
         *
         * @param newListener the listener
         * @return this
         */
        public Builder listener(Listener newListener) {
            listener = Objects.requireNonNull(newListener);
            return this;
        }

        /**
         * What the publisher's log and statistics call this subscriber.
         *
         * @param newName at most 63 printable ASCII characters
         * @return this
         */
        public Builder name(String newName) {
            name = Objects.requireNonNull(newName);
            return this;
        }

        /**
         * Connects and maps the ring.
         *
         * @return the subscriber
         * @throws CuframesException code NOT_FOUND if no publisher answers in time, PROTOCOL if it speaks another version or sends what does
         *     not make sense, UNSUPPORTED if its frames are of a pixel format that this release does not know or the JVM's flags deny native access,
         *     NO_SLOT if it admits no more subscribers, ACCESS_DENIED if it does not admit this user, CUDA if its ring cannot be mapped here,
         *     INVALID_ARGUMENT for an illegal name, or a stream of another device than the ring's
         */
        public Subscriber open() {
            return Subscriber.open(options(), null, () -> false);
        }

        /**
         * Connects, maps the ring and hands every frame to a handler, on a thread of its own.
         *
         * @param handler called with each frame, and once when there are no more
         * @return what reads; to be closed
         * @throws CuframesException as {@link #open()}; the handler is then not called
         */
        public AsyncSubscriber start(FrameHandler handler) {
            return AsyncSubscriber.start(options(), handler);
        }

        /**
         * The stream as a {@link java.util.concurrent.Flow.Publisher}: each of its receivers connects by itself, as this builder says now.
         *
         * @return a publisher that nothing is connected for yet
         * @throws CuframesException code INVALID_ARGUMENT for an illegal name, UNSUPPORTED if the JVM's flags deny native access
         */
        public FramePublisher toFlowPublisher() {
            return new FramePublisher(options());
        }

        private Options options() {
            NativeCalls.require();
            Connector connector = new Connector(key, socketDirectory, mode, name, device);
            return new Options(
                    key, connector, connectTimeout, mode, waitStrategy, stream, stallNanos, backoff, listener);
        }
    }
}
