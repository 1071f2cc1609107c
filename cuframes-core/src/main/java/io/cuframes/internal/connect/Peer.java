// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import io.cuframes.ffm.Errno;
import io.cuframes.ffm.Libc;
import io.cuframes.ffm.SocketMessage;
import io.cuframes.internal.os.Closing;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.PeerCredentials;
import io.cuframes.internal.protocol.MessageDescriptor;
import io.cuframes.internal.ring.ControlPage;
import java.lang.foreign.Arena;

/** One connection of a publisher's server, from its being accepted to its end. For the server thread. */
final class Peer implements AutoCloseable {
    /** What reading brought. */
    enum Progress {
        /** More is to come. */
        PARTIAL,
        /** A message is there, whole. */
        COMPLETE,
        /** The length it claims is out of bounds. */
        BAD_LENGTH,
        /** More descriptors came than any message has. */
        BAD_DESCRIPTORS,
        /** The other end is gone. */
        ENDED
    }

    private final Descriptor socket;
    private final PeerCredentials credentials;
    private final long deadline;
    private final Arena arena;
    private final SocketMessage message;
    private int filled;
    private ControlPage page;
    private boolean ready;
    private boolean dismissed;
    private String title = "";

    Peer(Descriptor socket, PeerCredentials credentials, long deadline) {
        this.socket = socket;
        this.credentials = credentials;
        this.deadline = deadline;
        this.arena = Arena.ofConfined();
        try {
            this.message = new SocketMessage(MessageDescriptor.MAX_LENGTH, arena);
        } catch (Throwable e) {
            Closing.undo(e, arena);
            throw e;
        }
    }

    int fd() {
        return socket.fd();
    }

    Descriptor socket() {
        return socket;
    }

    PeerCredentials credentials() {
        return credentials;
    }

    SocketMessage message() {
        return message;
    }

    boolean isAdmitted() {
        return page != null;
    }

    /** Whether it has mapped everything and begun to read. */
    boolean isReady() {
        return ready;
    }

    /** From here on it counts as a reader, and a strict one is waited for. */
    void setReady() {
        ready = true;
        page.setReady();
    }

    /** Whether it reads, and every frame that is published is meant for it. */
    boolean isCounted() {
        return ready && !dismissed;
    }

    /** Whether the writer has given it up and it has not been told so. */
    boolean isToBeDismissed() {
        return isCounted() && page.hasStalled();
    }

    /** Whether the writer has found it to hold more than it may. */
    boolean isToBeCutOff() {
        return isAdmitted() && page.isOverdrawn();
    }

    /** It counts no longer, but its leases do. */
    void dismiss() {
        dismissed = true;
    }

    boolean isDismissed() {
        return dismissed;
    }

    ControlPage page() {
        return page;
    }

    /** What to call the subscriber in a log line. */
    String title() {
        return title;
    }

    /** From here on its leases count. */
    void admit(ControlPage itsPage, String itsTitle) {
        page = itsPage;
        title = itsTitle;
        filled = 0; // the next message begins
    }

    /** When the handshake must be over. */
    long deadline() {
        return deadline;
    }

    /** Reads what there is of the message that is due, and not a byte more. Descriptors sent along are closed: a subscriber has none to send. */
    Progress read() {
        while (true) {
            int wanted = filled < MessageDescriptor.HEADER_LENGTH
                    ? MessageDescriptor.HEADER_LENGTH
                    : Messages.length(message.payload());
            if (filled >= MessageDescriptor.HEADER_LENGTH) {
                if (!Messages.isLegalLength(wanted)) {
                    return Progress.BAD_LENGTH;
                }
                if (filled == wanted) {
                    return Progress.COMPLETE;
                }
            }
            long received = message.receive(socket.fd(), filled, wanted - filled, Libc.MSG_DONTWAIT);
            message.closeDescriptors();
            if (received == -Errno.EAGAIN || received == -Errno.EINTR) {
                return Progress.PARTIAL;
            }
            if (received == -Errno.EMSGSIZE || received == -Errno.EMFILE) {
                return Progress.BAD_DESCRIPTORS;
            }
            if (received <= 0) {
                return Progress.ENDED;
            }
            filled += (int) received;
        }
    }

    /** Sends the first bytes of the message buffer, all of them or none that count: a peer that does not take them is given up. */
    boolean send(int length, int... descriptors) {
        return message.send(socket.fd(), 0, length, Libc.MSG_DONTWAIT, descriptors) == length;
    }

    @Override
    public void close() {
        Closing.all(message, arena, socket);
    }
}
