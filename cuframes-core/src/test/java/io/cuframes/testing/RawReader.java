// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.cuframes.SubscriberMode;
import io.cuframes.Transport;
import io.cuframes.ffm.Libc;
import io.cuframes.ffm.SocketMessage;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.os.UnixAddress;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.MessageDescriptor;
import io.cuframes.internal.protocol.Shared;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A subscriber that has shaken hands and mapped its control page, and reads nothing: what it says of itself is the test's choice. */
public final class RawReader implements AutoCloseable {
    private static final int CONTROL_PAGE = 1; // the place of its descriptor in WELCOME

    private final Arena arena = Arena.ofShared();
    private final SocketMessage message = new SocketMessage(MessageDescriptor.MAX_LENGTH, arena);
    private final Descriptor socket;
    private final List<Descriptor> descriptors = new ArrayList<>();
    private final MemorySegment control;

    /** Connects to the publisher of a host ring, and takes the WELCOME. */
    public RawReader(Path address, SubscriberMode mode) {
        this(address, mode, Transport.HOST);
    }

    /** Connects, and takes the WELCOME. */
    public RawReader(Path address, SubscriberMode mode, Transport transport) {
        socket = new Descriptor(
                Posix.check(Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0), "socket"));
        Posix.check(new UnixAddress(address).connect(socket), "connect");
        begin(MessageDescriptor.HELLO, MessageDescriptor.HELLO_LENGTH);
        MemorySegment hello = message.payload();
        hello.set(JAVA_INT, MessageDescriptor.HELLO_MAGIC_OFFSET, MessageDescriptor.HELLO_MAGIC);
        hello.set(JAVA_SHORT, MessageDescriptor.HELLO_MAJOR_OFFSET, (short) 1);
        hello.set(JAVA_INT, MessageDescriptor.HELLO_TRANSPORTS_OFFSET, 1 << transport.code());
        hello.set(JAVA_INT, MessageDescriptor.HELLO_MODE_OFFSET, mode.code());
        send(MessageDescriptor.HELLO_LENGTH);
        require(receive(MessageDescriptor.WELCOME_LENGTH) == MessageDescriptor.WELCOME, "no WELCOME");
        control = mapControl();
    }

    private MemorySegment mapControl() {
        while (message.descriptorCount() > 0) {
            descriptors.add(new Descriptor(message.takeDescriptor()));
        }
        return Posix.map(descriptors.get(CONTROL_PAGE), ControlDescriptor.LENGTH, true, arena, "a control page");
    }

    /** What came with the WELCOME: the segment, the control page, the ring. */
    public Descriptor descriptor(int place) {
        return descriptors.get(place);
    }

    private void begin(int type, int length) {
        message.payload().fill((byte) 0);
        message.payload().set(JAVA_INT, MessageDescriptor.LENGTH_OFFSET, length);
        message.payload().set(JAVA_SHORT, MessageDescriptor.TYPE_OFFSET, (short) type);
    }

    private void send(int length) {
        require(message.send(socket.fd(), 0, length, 0) == length, "the publisher takes nothing");
    }

    /** Waits for a message of that length; returns its type, or 0 at the end. */
    private int receive(int length) {
        long received = Posix.check(message.receive(socket.fd(), 0, length, 0), "receive");
        require(received == 0 || received == length, received + " bytes came");
        return received == 0 ? 0 : message.payload().get(JAVA_SHORT, MessageDescriptor.TYPE_OFFSET);
    }

    private static void require(boolean condition, String what) {
        if (!condition) {
            throw new AssertionError(what);
        }
    }

    public void sayReady() {
        begin(MessageDescriptor.READY, MessageDescriptor.READY_LENGTH);
        send(MessageDescriptor.READY_LENGTH);
    }

    public void sayCursor(long seq) {
        Shared.setLongRelease(control, ControlDescriptor.CURSOR_OFFSET, seq);
    }

    public void sayLease(int slot, long seq) {
        Shared.setLongRelease(control, ControlDescriptor.leaseOffset(slot), seq);
    }

    /** Waits for the publisher's farewell; returns its reason, or 0 if the connection ends without one. */
    public int awaitBye() {
        int type = receive(MessageDescriptor.BYE_LENGTH);
        require(type == 0 || type == MessageDescriptor.BYE, "type " + type + " instead of BYE");
        return type == 0 ? 0 : message.payload().get(JAVA_INT, MessageDescriptor.BYE_REASON_OFFSET);
    }

    @Override
    public void close() {
        message.close();
        descriptors.forEach(Descriptor::close);
        socket.close();
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
