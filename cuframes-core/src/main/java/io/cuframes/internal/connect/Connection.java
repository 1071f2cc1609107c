// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.Transport;
import io.cuframes.ffm.Libc;
import io.cuframes.ffm.Pollfd;
import io.cuframes.ffm.SocketMessage;
import io.cuframes.internal.cuda.Cuda;
import io.cuframes.internal.cuda.CudaDevice;
import io.cuframes.internal.cuda.CudaIpcRingView;
import io.cuframes.internal.cuda.CudaVmmRingView;
import io.cuframes.internal.cuda.ReaderDevice;
import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import io.cuframes.internal.memory.HostRingView;
import io.cuframes.internal.memory.RingView;
import io.cuframes.internal.os.ArenaEnd;
import io.cuframes.internal.os.Closing;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.FileStatus;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.MessageDescriptor;
import io.cuframes.internal.protocol.RingLayout;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.SegmentHeader;
import io.cuframes.internal.protocol.Shared;
import io.cuframes.internal.protocol.SlotDescriptor;
import io.cuframes.internal.protocol.SlotPlace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** What a subscriber holds of its publisher: the socket, the segment, its own control page and the ring, all checked and mapped. */
public final class Connection implements AutoCloseable {
    private static final int DYING_MILLIS = 100;

    private final Descriptor socket;
    private final Arena arena;
    private final int maxLeases;
    private final MemorySegment segment;
    private final MemorySegment control;
    private final SegmentHeader header;
    private final CudaDevice device;
    private final RingView ring;
    private final MemorySegment poll;

    /** The fault point of the end is reached once. For the thread that closes. */
    private boolean disconnecting;

    /**
     * Maps what a WELCOME brought. Nothing of it is trusted.
     *
     * @param key what was asked for
     * @param socket the connection; this object's from now on, whatever happens
     * @param welcome the message
     * @param descriptors those that came with it, in its order; not kept
     * @param reader the GPU to read on, by its ordinal here, or {@link ReaderDevice#AUTOMATIC}
     * @throws PublisherLostException if it failed and the publisher is gone
     * @throws CuframesException code PROTOCOL if something does not fit, CUDA if the ring cannot be opened here
     */
    Connection(StreamKey key, Descriptor socket, Messages.Welcome welcome, Descriptor[] descriptors, int reader) {
        this.socket = socket;
        Arena mapped = null;
        RingView opened = null;
        try {
            mapped = Arena.ofShared();
            this.arena = mapped;
            String name = "of \"" + key + "\" (" + Posix.peer(socket).describe() + ")";
            this.segment = mapSegment(descriptors[0], welcome.segmentLength(), name);
            MemorySegment snapshot =
                    arena.allocate(segment.byteSize(), Long.BYTES).copyFrom(segment); // checked and used alike
            this.header = SegmentHeader.read(snapshot, name);
            checkAgainst(welcome, key, name);
            this.maxLeases = (int) Math.min(
                    Integer.toUnsignedLong(welcome.maxLeases()), header.ring().slots());
            Faults.reach(FaultPoint.SEGMENT_MAPPED);
            this.control = mapControl(descriptors[1], name);
            Faults.reach(FaultPoint.CONTROL_MAPPED);
            this.device = header.ring().transport().isDevice()
                    ? ReaderDevice.choose(
                            reader, header.ring().transport(), header.ring().device())
                    : null;
            opened = openRing(descriptors, snapshot, name);
            this.ring = opened;
            this.poll = arena.allocate(Pollfd.LAYOUT);
            poll.set(JAVA_INT, Pollfd.FD_OFFSET, socket.fd());
            poll.set(JAVA_SHORT, Pollfd.EVENTS_OFFSET, (short) (Libc.POLLIN | Libc.POLLRDHUP));
        } catch (Throwable e) {
            boolean gone = e instanceof RuntimeException && isPeerGone();
            Closing.undo(e, opened, mapped, socket);
            if (gone) {
                throw new PublisherLostException(e);
            }
            throw e;
        }
    }

    /** What is mapped is the publisher's: where it has just died or ended, that fails in many ways, none of them the cause. */
    static final class PublisherLostException extends CuframesException {
        private static final long serialVersionUID = 1L;

        PublisherLostException(Throwable cause) {
            super(ErrorCode.DISCONNECTED, "the publisher went while its ring was mapped: " + cause.getMessage(), cause);
        }
    }

    /** Whether the publisher has ended or died, as a mapping has failed: a dying process may let go of its memory a moment before its sockets. */
    private boolean isPeerGone() {
        try (Arena local = Arena.ofConfined()) {
            MemorySegment look = local.allocate(Pollfd.LAYOUT);
            look.set(JAVA_INT, Pollfd.FD_OFFSET, socket.fd());
            look.set(JAVA_SHORT, Pollfd.EVENTS_OFFSET, (short) (Libc.POLLIN | Libc.POLLRDHUP));
            return Libc.poll(look.address(), 1, DYING_MILLIS) > 0;
        }
    }

    private MemorySegment mapSegment(Descriptor descriptor, long length, String name) {
        FileStatus status = Posix.status(descriptor, "the segment " + name);
        long size = status.size();
        if (!status.isRegular()
                || size != length
                || size < SegmentDescriptor.length(SegmentDescriptor.MIN_SLOTS)
                || size > SegmentDescriptor.length(SegmentDescriptor.MAX_SLOTS)) {
            String kind = status.isRegular() ? "its file" : "what came for it is no regular file, and";
            throw protocol(name, kind + " has " + size + " bytes, the publisher said " + length);
        }
        return Posix.mapReceived(descriptor, size, false, arena, "the segment " + name);
    }

    private void checkAgainst(Messages.Welcome welcome, StreamKey key, String name) {
        if (!header.key().equals(key.name())) {
            throw protocol(name, "it is of key \"" + header.key() + "\"");
        }
        if (header.epoch() != welcome.epoch()
                || header.ring().length() != welcome.ringLength()
                || header.ring().transport().code() != welcome.transport()) {
            throw protocol(
                    name,
                    "epoch, ring length or transport differ from what the publisher said: " + header + ", " + welcome);
        }
        if (welcome.maxLeases() == 0) {
            throw protocol(name, "the publisher grants no lease");
        }
        int wanted = header.ring().transport() == Transport.CUDA_IPC ? 2 : 3;
        if (welcome.descriptors() != wanted) {
            throw protocol(
                    name,
                    welcome.descriptors() + " descriptors came, and "
                            + header.ring().transport() + " takes " + wanted);
        }
    }

    private MemorySegment mapControl(Descriptor descriptor, String name) {
        long size = Posix.status(descriptor, "the control page " + name).size();
        if (size != ControlDescriptor.LENGTH || (Posix.seals(descriptor) & Libc.F_SEAL_SHRINK) == 0) {
            throw protocol(
                    name,
                    "its control page is not a sealed memfd of " + ControlDescriptor.LENGTH + " bytes, but has "
                            + size);
        }
        MemorySegment page = Posix.mapReceived(descriptor, size, true, arena, "the control page " + name);
        if (page.get(JAVA_LONG, ControlDescriptor.MAGIC_OFFSET) != ControlDescriptor.MAGIC
                || page.get(JAVA_LONG, ControlDescriptor.EPOCH_OFFSET) != header.epoch()) {
            throw protocol(name, "its control page is not of this epoch");
        }
        return page;
    }

    private RingView openRing(Descriptor[] descriptors, MemorySegment snapshot, String name) {
        SlotPlace[] places = new SlotPlace[header.ring().slots()];
        Arrays.setAll(
                places,
                slot -> SlotPlace.read(snapshot.asSlice(SegmentDescriptor.slotOffset(slot), SlotDescriptor.LENGTH)));
        long[] offsets = Arrays.stream(places).mapToLong(SlotPlace::offset).toArray();
        RingLayout layout = header.ring();
        return switch (layout.transport()) {
            case HOST ->
                new HostRingView(
                        descriptors[2],
                        layout.length(),
                        offsets,
                        header.format().frameBytes());
            case CUDA_IPC -> new CudaIpcRingView(device, places, name);
            case CUDA_VMM ->
                new CudaVmmRingView(device, Cuda.visible(layout.device()), descriptors[2], layout, offsets);
            case AUTO -> throw new AssertionError(layout);
        };
    }

    private static CuframesException protocol(String name, String what) {
        return new CuframesException(ErrorCode.PROTOCOL, "bad segment " + name + ": " + what);
    }

    /** Whether the publisher has ended the stream already. */
    boolean isEnded() {
        return Shared.getIntAcquire(segment, SegmentDescriptor.STATE_OFFSET) == SegmentDescriptor.STATE_ENDED;
    }

    /** Tells the publisher that this subscriber reads from here on. If the publisher is gone, the next look at the socket tells. */
    public void ready() {
        try (Arena local = Arena.ofConfined();
                SocketMessage message = new SocketMessage(MessageDescriptor.READY_LENGTH, local)) {
            message.send(socket.fd(), 0, Messages.encodeReady(message.payload()), 0);
        }
    }

    /** Whether the publisher has said goodbye or its end of the socket is closed. A call into the kernel; allocates nothing. */
    public boolean isCut() {
        return Libc.poll(poll.address(), 1, 0) > 0;
    }

    /** The reason of the BYE that is there to be read; 0 if there is none. Once only. */
    public int farewell() {
        try (Arena local = Arena.ofConfined();
                SocketMessage message = new SocketMessage(MessageDescriptor.BYE_LENGTH, local)) {
            long received = message.receive(socket.fd(), 0, MessageDescriptor.BYE_LENGTH, Libc.MSG_DONTWAIT);
            return Messages.decodeBye(message.payload(), received);
        }
    }

    /** The segment, read-only. */
    public MemorySegment segment() {
        return segment;
    }

    /** This subscriber's control page, writable. */
    public MemorySegment control() {
        return control;
    }

    /** The segment's header, checked. */
    public SegmentHeader header() {
        return header;
    }

    /** The GPU that the ring is read on, as this process sees it; null for host memory. */
    public CudaDevice device() {
        return device;
    }

    /** The ring. */
    public RingView ring() {
        return ring;
    }

    /** Frames this subscriber may hold at a time. */
    public int maxLeases() {
        return maxLeases;
    }

    /**
     * Whether the publisher takes the end of this connection as the word that its memory is mapped no more. Memory by descriptors lives until its last
     * mapping is gone, whatever the publisher does.
     */
    public boolean outlivesRing() {
        return header.ring().transport() == Transport.CUDA_IPC;
    }

    /**
     * Closes the socket ahead of {@link #close}: the leases end with it. For a thread that knows that nobody reads the ring any more and that {@link
     * #isCut} is not called again. Closing twice closes once.
     */
    public void disconnect() {
        try {
            reachDisconnecting();
        } finally {
            socket.close();
        }
    }

    private void reachDisconnecting() {
        if (!disconnecting) {
            disconnecting = true;
            Faults.reach(FaultPoint.DISCONNECTING);
        }
    }

    /** Unmaps everything, and only then closes the socket, unless {@link #disconnect} did. */
    @Override
    public void close() {
        close(true);
    }

    /**
     * The same where the control page, or what lies in one arena with it, may have to stay mapped.
     *
     * @param pages whether segment and control page are unmapped, too; else they stay until the process ends
     */
    public void close(boolean pages) {
        // Whatever fails on the way, for a lost GPU or memory that a call still uses: the publisher must learn that
        // this subscriber is gone.
        Closing.all(
                this::reachDisconnecting,
                () -> {
                    ring.close();
                    Faults.reach(FaultPoint.RING_UNMAPPED);
                },
                () -> {
                    if (pages) {
                        ArenaEnd.close(
                                arena, "the segment of \"" + header.key() + "\""); // a frame's user data lies there
                        Faults.reach(FaultPoint.ALL_UNMAPPED);
                    }
                },
                socket);
    }
}
