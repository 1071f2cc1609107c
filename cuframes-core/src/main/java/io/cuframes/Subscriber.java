// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.internal.connect.Connection;
import io.cuframes.internal.connect.Connector;
import io.cuframes.internal.connect.StreamKey;
import io.cuframes.internal.cuda.DeviceReads;
import io.cuframes.internal.memory.RingView;
import io.cuframes.internal.protocol.HeadWord;
import io.cuframes.internal.ring.HeadWaiter;
import io.cuframes.internal.ring.RingReader;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

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
 * <p>One thread at a time calls {@link #next}; frames may be closed on other threads; {@link #close()} may be called from any thread and
 * ends a {@code next} that waits.
 */
public final class Subscriber implements AutoCloseable {
    /** How often a waiting reader looks whether its publisher lives: docs/protocol.md, section 9. */
    private static final long LIVENESS_NANOS = 50_000_000;

    /** How often a close wakes a {@code next} that was not asleep yet. */
    private static final long CLOSE_RETRY_NANOS = 100_000;

    private static final int CLOSED = 1;
    private static final int ENTERED = 2;

    private final StreamKey key;
    private final Connection connection;
    private final DeviceReads deviceReads;
    private final RingReader reader;
    private final HeadWaiter waiter;
    private final Frame[] frames;
    private final AtomicInteger held = new AtomicInteger();

    /** Bit 0: closed; above it, the number of threads inside a method that uses the mappings. */
    private final AtomicInteger gate = new AtomicInteger();

    private PublisherGoneException.Reason gone;
    private long lastLook = System.nanoTime();

    private Subscriber(Builder builder, StreamKey key, Connection connection) {
        this.key = key;
        this.connection = connection;
        RingView view = connection.ring();
        FrameFormat format = connection.header().format();
        this.frames = new Frame[connection.header().slots()];
        for (int slot = 0; slot < frames.length; slot++) {
            frames[slot] = new Frame(this, slot, Plane.of(format, view.address(slot), view.host(slot)));
        }
        this.deviceReads = transport().isDevice()
                ? new DeviceReads(connection.device(), connection.control(), builder.stream)
                : null;
        this.reader = new RingReader(connection.segment(), connection.control(), frames.length, builder.mode);
        this.waiter = new HeadWaiter(connection.segment(), connection.control(), builder.waitStrategy);
        connection.ready(); // the reader has its place: whoever counts this subscriber now may publish for it
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
     * @param timeout how long to wait at most; zero looks once
     * @return the frame, to be closed; or null if none came in time, or the thread was interrupted, which it then still is
     * @throws PublisherGoneException if the publisher ended or died and no frame is left
     * @throws CuframesException code NO_SLOT if this subscriber holds as many frames as it may, PROTOCOL if the segment is damaged
     * @throws IllegalStateException if the subscriber is closed
     */
    public Frame next(Duration timeout) {
        enter();
        try {
            return await(timeout.toNanos());
        } finally {
            leave();
        }
    }

    private Frame await(long timeoutNanos) {
        if (held.get() >= connection.maxLeases()) {
            throw new CuframesException(
                    ErrorCode.NO_SLOT,
                    "this subscriber of \"" + key + "\" holds " + held.get()
                            + " frames, as many as it may: close one first");
        }
        long start = System.nanoTime();
        long now = start;
        while (true) {
            long seen = reader.head();
            long word = reader.take();
            if (word != RingReader.NOTHING) {
                return open(word);
            }
            if (isGone(now)) {
                word = reader.take(); // announced between the look at the ring and the end
                if (word != RingReader.NOTHING) {
                    return open(word);
                }
                throw goneException();
            }
            long left = timeoutNanos - (now - start);
            if (left <= 0) {
                reader.countTimeout();
                return null;
            }
            if (Thread.currentThread().isInterrupted()) {
                return null;
            }
            waiter.await(seen, Math.min(left, LIVENESS_NANOS));
            requireNotClosed();
            now = System.nanoTime();
        }
    }

    private Frame open(long word) {
        int slot = HeadWord.slot(word);
        held.incrementAndGet();
        return frames[slot].begin(
                HeadWord.seq(word), reader.ptsNanos(slot), reader.publishTimeNanos(slot), reader.missedBefore());
    }

    /** Whether the publisher has ended or died; asks the socket only so often, since that is a call into the kernel. */
    private boolean isGone(long now) {
        if (gone == null && reader.ended()) {
            gone = PublisherGoneException.Reason.ENDED;
        }
        if (gone == null && now - lastLook >= LIVENESS_NANOS / 2) {
            lastLook = now;
            if (connection.isCut()) {
                gone = reader.ended() ? PublisherGoneException.Reason.ENDED : PublisherGoneException.Reason.DIED;
            }
        }
        return gone != null;
    }

    private PublisherGoneException goneException() {
        String how = gone == PublisherGoneException.Reason.ENDED
                ? "its publisher (process " + connection.header().pid() + ") ended it"
                : "its publisher (process " + connection.header().pid() + ") died or cut this subscriber off";
        return new PublisherGoneException(gone, "\"" + key + "\" is over after frame " + reader.cursor() + ": " + how);
    }

    void copyFrame(int slot, MemorySegment target) {
        if (target.isReadOnly() || (deviceReads != null && !target.isNative())) {
            throw new IllegalArgumentException(
                    "a frame can be copied to writable memory, and from the GPU to native memory only: " + target);
        }
        enter();
        try {
            if (deviceReads != null) {
                deviceReads.copy(connection.ring().address(slot), target);
            } else {
                MemorySegment.copy(connection.ring().host(slot), 0, target, 0, target.byteSize());
            }
        } finally {
            leave();
        }
    }

    void release(int slot) {
        if (tryEnter()) {
            try {
                reader.release(slot);
            } finally {
                leave();
            }
        }
        held.decrementAndGet();
    }

    void releaseOn(int slot, long stream) {
        if (deviceReads == null) {
            release(slot);
            return;
        }
        if (tryEnter()) {
            try {
                deviceReads.release(slot, stream);
            } finally {
                leave();
            }
        }
        held.decrementAndGet();
    }

    private void enter() {
        if (!tryEnter()) {
            throw closedException();
        }
    }

    private boolean tryEnter() {
        if ((gate.getAndAdd(ENTERED) & CLOSED) != 0) {
            leave();
            return false;
        }
        return true;
    }

    private void leave() {
        gate.getAndAdd(-ENTERED);
    }

    private void requireNotClosed() {
        if ((gate.get() & CLOSED) != 0) {
            throw closedException();
        }
    }

    private IllegalStateException closedException() {
        return new IllegalStateException("the subscriber of \"" + key + "\" is closed");
    }

    /**
     * The stream's name.
     *
     * @return the key
     */
    public String key() {
        return key.name();
    }

    /**
     * The geometry of every frame.
     *
     * @return the format, with its planes
     */
    public FrameFormat format() {
        return connection.header().format();
    }

    /**
     * Where the pixels live.
     *
     * @return never {@link Transport#AUTO}
     */
    public Transport transport() {
        return connection.header().transport();
    }

    /**
     * The number that names the publisher's incarnation.
     *
     * @return random, not 0
     */
    public long epoch() {
        return connection.header().epoch();
    }

    /**
     * The publisher's process id, in its own pid namespace.
     *
     * @return a pid
     */
    public long publisherPid() {
        return connection.header().pid();
    }

    /**
     * The slots of the ring.
     *
     * @return 2 to 64
     */
    public int slots() {
        return frames.length;
    }

    /**
     * Frames given so far.
     *
     * @return a count
     */
    public long received() {
        return reader.received();
    }

    /**
     * Frames published since the subscriber connected, up to the last one given, and never given: skipped in newest mode, lost in strict mode.
     *
     * @return a count
     */
    public long missed() {
        return reader.missed();
    }

    /**
     * Waits that ended without a frame.
     *
     * @return a count
     */
    public long timeouts() {
        return reader.timeouts();
    }

    /**
     * Frees the leases and unmaps the ring. A {@link #next} that waits in another thread ends with an IllegalStateException. Frames still open
     * are closed; leases that a GPU is to end are waited for. Closing twice closes once.
     */
    @Override
    public void close() {
        if ((gate.getAndUpdate(state -> state | CLOSED) & CLOSED) != 0) {
            return;
        }
        while (gate.get() != CLOSED) {
            waiter.wake();
            LockSupport.parkNanos(CLOSE_RETRY_NANOS);
        }
        for (int slot = 0; slot < frames.length; slot++) {
            if (frames[slot].forget()) {
                reader.release(slot); // what is leased after this, a GPU is to release
            }
        }
        try {
            if (deviceReads != null) {
                deviceReads.close();
            }
        } finally {
            connection.close();
        }
    }

    /** Says what a subscriber is to be; {@link #open()} connects. Not thread-safe. */
    public static final class Builder {
        private final StreamKey key;
        private SubscriberMode mode = SubscriberMode.NEWEST_ONLY;
        private WaitStrategy waitStrategy = WaitStrategy.ADAPTIVE;
        private long stream;
        private Path socketDirectory;
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
         * The consumer stream: the CUDA stream that {@link Frame#copyTo} copies on. Unless said, the subscriber makes one of its own.
         *
         * @param handle a {@code cudaStream_t} of the ring's device, which must outlive the subscriber
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
        public Builder socketDirectory(Path directory) {
            socketDirectory = directory;
            return this;
        }

        /**
         * How long {@link #open()} waits for a publisher; 5 s unless said. Zero tries once.
         *
         * @param timeout not negative
         * @return this
         */
        public Builder connectTimeout(Duration timeout) {
            connectTimeout = Objects.requireNonNull(timeout);
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
         *     not make sense, NO_SLOT if it admits no more subscribers, ACCESS_DENIED if it does not admit this user, CUDA if its ring cannot
         *     be mapped here, INVALID_ARGUMENT for an illegal name
         */
        public Subscriber open() {
            Connection connection = new Connector(key, socketDirectory, mode, name).connect(connectTimeout);
            try {
                return new Subscriber(this, key, connection);
            } catch (RuntimeException e) {
                connection.close();
                throw e;
            }
        }
    }
}
