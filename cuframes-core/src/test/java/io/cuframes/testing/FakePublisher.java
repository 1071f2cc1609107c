// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.ColorInfo;
import io.cuframes.FrameFormat;
import io.cuframes.Ownership;
import io.cuframes.PixelFormat;
import io.cuframes.PublishPolicy;
import io.cuframes.TimeBase;
import io.cuframes.Transport;
import io.cuframes.ffm.Libc;
import io.cuframes.ffm.Pollfd;
import io.cuframes.ffm.SocketMessage;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.os.UnixAddress;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.DeviceUuid;
import io.cuframes.internal.protocol.HeadWord;
import io.cuframes.internal.protocol.MessageDescriptor;
import io.cuframes.internal.protocol.RingLayout;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.SegmentHeader;
import io.cuframes.internal.protocol.Shared;
import io.cuframes.internal.protocol.SlotDescriptor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** Speaks a publisher's part of the protocol by hand: the test decides what a subscriber is told, and when. One epoch of a ring in host memory. */
public final class FakePublisher implements AutoCloseable {
    public static final long EPOCH = 99;
    public static final int SLOTS = 4;

    private static final FrameFormat FORMAT = FrameFormat.of(PixelFormat.NV12, 64, 64, ColorInfo.UNKNOWN);
    private static final long STRIDE = SegmentDescriptor.pageAligned(FORMAT.frameBytes());
    private static final long RING = SLOTS * STRIDE;
    private static final int PATIENCE_MILLIS = 10_000;

    private final StreamFixture stream;
    private final Arena arena = Arena.ofShared();
    private final Descriptor listener;
    private final Descriptor segment = Posix.memfd("fake-segment");
    private final Descriptor ring = Posix.memfd("fake-ring");
    private final MemorySegment bytes;

    private final int minor;

    /** Listens; nobody is answered yet. */
    public FakePublisher(StreamFixture stream) {
        this(stream, SegmentDescriptor.MINOR);
    }

    /** Listens as a publisher of another minor version of the protocol. */
    public FakePublisher(StreamFixture stream, int minor) {
        this.stream = stream;
        this.minor = minor;
        long length = SegmentDescriptor.length(SLOTS);
        Posix.reserve(segment, length, "segment");
        Posix.reserve(ring, RING, "ring");
        Posix.seal(ring, Libc.F_SEAL_SHRINK);
        bytes = Posix.map(segment, length, true, arena, "segment");
        describe();
        listener = new Descriptor(
                Posix.check(Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0), "socket"));
        Posix.unlink(stream.socket());
        Posix.check(new UnixAddress(stream.socket()).bind(listener), "bind");
        Posix.check(Libc.listen(listener.fd(), 4), "listen");
    }

    private void describe() {
        RingLayout layout = new RingLayout(Transport.HOST, Ownership.LIBRARY, SLOTS, STRIDE, RING, DeviceUuid.NONE);
        new SegmentHeader(stream.key(), EPOCH, 1, 1, 0, PublishPolicy.DROP_OLDEST, TimeBase.UNKNOWN, FORMAT, layout)
                .write(bytes);
        bytes.set(ValueLayout.JAVA_SHORT, SegmentDescriptor.MINOR_OFFSET, (short) minor);
        for (int slot = 0; slot < SLOTS; slot++) {
            long at = SegmentDescriptor.slotOffset(slot);
            bytes.set(ValueLayout.JAVA_LONG, at + SlotDescriptor.OFFSET_OFFSET, slot * STRIDE);
            bytes.set(ValueLayout.JAVA_LONG, at + SlotDescriptor.LENGTH_OFFSET, STRIDE);
            bytes.set(ValueLayout.JAVA_LONG, at + SlotDescriptor.ALLOCATION_LENGTH_OFFSET, RING);
        }
        bytes.set(ValueLayout.JAVA_INT, SegmentDescriptor.STATE_OFFSET, SegmentDescriptor.STATE_READY);
    }

    /** Announces a frame with flags. */
    public void announce(long seq, int slot, int flags) {
        Shared.setIntOpaque(bytes, SegmentDescriptor.slotOffset(slot) + SlotDescriptor.FLAGS_OFFSET, flags);
        announce(seq, slot);
    }

    /** Announces a frame, whoever leases the slot. */
    public void announce(long seq, int slot) {
        Shared.setLongRelease(bytes, SegmentDescriptor.slotOffset(slot) + SlotDescriptor.SEQ_OFFSET, seq);
        Shared.setLongRelease(bytes, SegmentDescriptor.indexOffset(seq), HeadWord.of(seq, slot));
        Shared.setLongRelease(bytes, SegmentDescriptor.HEAD_OFFSET, HeadWord.of(seq, slot));
    }

    /** Names a frame in the head that is in no slot. */
    public void announceNothing(long seq, int slot) {
        Shared.setLongRelease(bytes, SegmentDescriptor.indexOffset(seq), HeadWord.of(seq, slot));
        Shared.setLongRelease(bytes, SegmentDescriptor.HEAD_OFFSET, HeadWord.of(seq, slot));
    }

    /** Cuts the segment's file to nothing under its readers. */
    public void truncate() {
        Posix.check(Libc.ftruncate(segment.fd(), 0), "truncating");
    }

    /** Ends the stream, and says so in the segment alone. */
    public void end() {
        Shared.setIntRelease(bytes, SegmentDescriptor.STATE_OFFSET, SegmentDescriptor.STATE_ENDED);
    }

    /** Waits for the next subscriber's HELLO. */
    public Guest accept() {
        if (!isSomebodyThere(PATIENCE_MILLIS)) {
            throw new AssertionError("nobody connects");
        }
        int fd = Posix.check(
                Libc.accept4(listener.fd(), MemorySegment.NULL, MemorySegment.NULL, Libc.SOCK_CLOEXEC), "accept");
        return new Guest(new Descriptor(fd));
    }

    /** Whether a subscriber waits to be accepted, or comes in that time. */
    public boolean isSomebodyThere(int millis) {
        try (Arena local = Arena.ofConfined()) {
            MemorySegment poll = local.allocate(Pollfd.LAYOUT);
            poll.set(ValueLayout.JAVA_INT, Pollfd.FD_OFFSET, listener.fd());
            poll.set(ValueLayout.JAVA_SHORT, Pollfd.EVENTS_OFFSET, (short) Libc.POLLIN);
            return Libc.poll(poll.address(), 1, millis) > 0;
        }
    }

    /** Stops listening, as a process does that dies: the name stays. */
    @Override
    public void close() {
        listener.close();
        segment.close();
        ring.close();
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    /** One connection. */
    public final class Guest implements AutoCloseable {
        private final Descriptor socket;
        private final SocketMessage message = new SocketMessage(MessageDescriptor.MAX_LENGTH, arena);

        private Guest(Descriptor socket) {
            this.socket = socket;
            long received = message.receive(socket.fd(), 0, MessageDescriptor.HELLO_LENGTH, 0);
            if (received != MessageDescriptor.HELLO_LENGTH) {
                throw new AssertionError("a HELLO of " + received + " bytes");
            }
        }

        private MemorySegment begin(int type, int length) {
            MemorySegment payload = message.payload();
            payload.fill((byte) 0);
            payload.set(ValueLayout.JAVA_INT, MessageDescriptor.LENGTH_OFFSET, length);
            payload.set(ValueLayout.JAVA_SHORT, MessageDescriptor.TYPE_OFFSET, (short) type);
            return payload;
        }

        /** Lets the subscriber in, and waits for its READY unless its control page is not to be good. */
        public void welcome(int maxLeases, boolean goodControlPage) {
            try (Arena local = Arena.ofConfined();
                    Descriptor control = Posix.memfd("fake-control")) {
                Posix.reserve(control, ControlDescriptor.LENGTH, "control");
                MemorySegment page = Posix.map(control, ControlDescriptor.LENGTH, true, local, "control");
                page.set(ValueLayout.JAVA_LONG, ControlDescriptor.MAGIC_OFFSET, ControlDescriptor.MAGIC);
                page.set(ValueLayout.JAVA_SHORT, ControlDescriptor.MAJOR_OFFSET, (short) SegmentDescriptor.MAJOR);
                page.set(ValueLayout.JAVA_SHORT, ControlDescriptor.MINOR_OFFSET, (short) minor);
                page.set(ValueLayout.JAVA_LONG, ControlDescriptor.EPOCH_OFFSET, EPOCH);
                if (goodControlPage) {
                    Posix.seal(control, Libc.F_SEAL_SHRINK);
                }
                MemorySegment welcome = begin(MessageDescriptor.WELCOME, MessageDescriptor.WELCOME_LENGTH);
                welcome.set(ValueLayout.JAVA_SHORT, MessageDescriptor.WELCOME_MAJOR_OFFSET, (short) 1);
                welcome.set(ValueLayout.JAVA_SHORT, MessageDescriptor.WELCOME_MINOR_OFFSET, (short) minor);
                welcome.set(ValueLayout.JAVA_INT, MessageDescriptor.WELCOME_SUBSCRIBER_OFFSET, 1);
                welcome.set(ValueLayout.JAVA_LONG, MessageDescriptor.WELCOME_EPOCH_OFFSET, EPOCH);
                welcome.set(ValueLayout.JAVA_LONG, MessageDescriptor.WELCOME_SEGMENT_LENGTH_OFFSET, bytes.byteSize());
                welcome.set(ValueLayout.JAVA_LONG, MessageDescriptor.WELCOME_RING_LENGTH_OFFSET, RING);
                welcome.set(ValueLayout.JAVA_INT, MessageDescriptor.WELCOME_TRANSPORT_OFFSET, 1);
                welcome.set(ValueLayout.JAVA_INT, MessageDescriptor.WELCOME_DESCRIPTORS_OFFSET, 3);
                welcome.set(ValueLayout.JAVA_INT, MessageDescriptor.WELCOME_MAX_LEASES_OFFSET, maxLeases);
                message.send(
                        socket.fd(), 0, MessageDescriptor.WELCOME_LENGTH, 0, segment.fd(), control.fd(), ring.fd());
            }
            if (goodControlPage) {
                message.receive(socket.fd(), 0, MessageDescriptor.READY_LENGTH, 0);
            }
        }

        /** Turns the subscriber away. */
        public void reject(int code, String text) {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            int length = MessageDescriptor.REJECT_FIXED_LENGTH + utf8.length;
            MemorySegment reject = begin(MessageDescriptor.REJECT, length);
            reject.set(ValueLayout.JAVA_INT, MessageDescriptor.REJECT_CODE_OFFSET, code);
            reject.set(ValueLayout.JAVA_INT, MessageDescriptor.REJECT_TEXT_LENGTH_OFFSET, utf8.length);
            MemorySegment.copy(
                    utf8, 0, reject, ValueLayout.JAVA_BYTE, MessageDescriptor.REJECT_TEXT_OFFSET, utf8.length);
            message.send(socket.fd(), 0, length, 0);
        }

        /** Says goodbye, for one of the reasons of BYE. */
        public void bye(int reason) {
            begin(MessageDescriptor.BYE, MessageDescriptor.BYE_LENGTH)
                    .set(ValueLayout.JAVA_INT, MessageDescriptor.BYE_REASON_OFFSET, reason);
            message.send(socket.fd(), 0, MessageDescriptor.BYE_LENGTH, 0);
        }

        /** Returns once the subscriber has closed its end. */
        public void awaitEnd() {
            while (message.receive(socket.fd(), 0, 1, 0) > 0) {
                Thread.onSpinWait();
            }
        }

        @Override
        public void close() {
            socket.close();
        }
    }
}
