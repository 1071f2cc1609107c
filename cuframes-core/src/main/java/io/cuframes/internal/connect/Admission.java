// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.cuframes.SubscriberMode;
import io.cuframes.ffm.Libc;
import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import io.cuframes.internal.os.Closing;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.PeerCredentials;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.RejectCode;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.SegmentHeader;
import io.cuframes.internal.ring.ControlPage;
import io.cuframes.internal.ring.ReaderSet;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Who is let in, and what they are given (docs/protocol.md, sections 4, 6.2 and 6.6). For the server thread. */
final class Admission {
    private final StreamKey key;
    private final SegmentHeader header;
    private final SegmentFile segment;
    private final Descriptor ring;
    private final ReaderSet readers;
    private final PublisherServer.Limits limits;
    private int lastSubscriber;
    private int admitted;

    Admission(
            StreamKey key,
            SegmentHeader header,
            SegmentFile segment,
            Descriptor ring,
            ReaderSet readers,
            PublisherServer.Limits limits) {
        this.key = key;
        this.header = header;
        this.segment = segment;
        this.ring = ring;
        this.readers = readers;
        this.limits = limits;
    }

    /** Subscribers that hold a control page. */
    int admitted() {
        return admitted;
    }

    /** Why a peer is not let in, whatever it may have to say; null if that may be heard. */
    Messages.Reject refusal(Peer peer) {
        PeerCredentials who = peer.credentials();
        return limits.access().admits(who, peer.socket())
                ? null
                : Messages.reject(RejectCode.ACCESS, limits.access().refusal(who));
    }

    /** Why a subscriber that speaks the protocol is not let in; null if it is. */
    Messages.Reject refusal(Messages.Hello hello) {
        if ((hello.transports() & 1 << header.ring().transport().code()) == 0) {
            return Messages.reject(
                    RejectCode.TRANSPORT,
                    "the frames go through " + header.ring().transport() + ", which the subscriber cannot read");
        }
        if (admitted >= limits.maxSubscribers()) {
            return Messages.reject(
                    RejectCode.FULL,
                    admitted + " subscribers are connected, as many as this publisher admits: close one, or raise its"
                            + " maxSubscribers (rtsp-source --max-subscribers)");
        }
        return null;
    }

    /**
     * Gives a subscriber its control page and the descriptors.
     *
     * @return false if it did not take them; it is admitted all the same, and to be released
     */
    boolean admit(Peer peer, Messages.Hello hello) {
        int number = ++lastSubscriber;
        try (Descriptor control = Posix.memfd("cuframes-control-" + key + "-" + number)) {
            String name = hello.name().isEmpty() ? "" : hello.name() + ", ";
            String title = number + " (" + name + peer.credentials().describe() + ")";
            ControlPage page = makeControlPage(control, ownerOf(number, peer, hello));
            try {
                readers.add(page); // before the subscriber can take its first lease
            } catch (Throwable e) {
                Closing.undo(e, page);
                throw e;
            }
            admitted++;
            peer.admit(page, title);
            Faults.reach(FaultPoint.CONTROL_PAGE_COUNTED);
            boolean taken = welcome(peer, number, control);
            Faults.reach(FaultPoint.WELCOME_SENT);
            return taken;
        }
    }

    /** Forgets an admitted subscriber's leases. */
    void release(Peer peer) {
        readers.remove(peer.page());
        peer.page().close();
        admitted--;
    }

    private ControlPage.Owner ownerOf(int number, Peer peer, Messages.Hello hello) {
        SubscriberMode mode = hello.mode() == SubscriberMode.STRICT_ORDER.code()
                ? SubscriberMode.STRICT_ORDER
                : SubscriberMode.NEWEST_ONLY;
        return new ControlPage.Owner(number, hello.name(), peer.credentials().pid(), mode, limits.maxLeases());
    }

    private ControlPage makeControlPage(Descriptor control, ControlPage.Owner owner) {
        Posix.reserve(control, ControlDescriptor.LENGTH, "a control page");
        Posix.seal(control, Libc.F_SEAL_SHRINK | Libc.F_SEAL_GROW | Libc.F_SEAL_SEAL);
        Faults.reach(FaultPoint.CONTROL_PAGE_MADE);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = Posix.map(control, ControlDescriptor.LENGTH, true, arena, "a control page");
            memory.set(JAVA_LONG, ControlDescriptor.MAGIC_OFFSET, ControlDescriptor.MAGIC);
            memory.set(JAVA_SHORT, ControlDescriptor.MAJOR_OFFSET, (short) SegmentDescriptor.MAJOR);
            memory.set(JAVA_SHORT, ControlDescriptor.MINOR_OFFSET, (short) SegmentDescriptor.MINOR);
            memory.set(JAVA_INT, ControlDescriptor.SUBSCRIBER_OFFSET, owner.number());
            memory.set(JAVA_LONG, ControlDescriptor.EPOCH_OFFSET, header.epoch());
        }
        Arena arena = Arena.ofShared();
        try {
            return new ControlPage(
                    arena, Posix.map(control, ControlDescriptor.LENGTH, false, arena, "a control page"), owner);
        } catch (Throwable e) {
            Closing.undo(e, arena);
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
                header.ring().length(),
                header.ring().transport().code(),
                descriptors.length,
                limits.maxLeases());
        return peer.send(Messages.encode(welcome, peer.message().payload()), descriptors);
    }
}
