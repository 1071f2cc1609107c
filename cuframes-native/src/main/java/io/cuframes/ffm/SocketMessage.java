// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Sends and receives bytes together with descriptors over a local stream socket, through buffers made once.
 *
 * <p>Received descriptors close on exec. Each belongs to this object until {@link #takeDescriptor()} hands it out;
 * {@link #closeDescriptors()} and {@link #close()} close the others. For one thread at a time.
 */
public final class SocketMessage implements AutoCloseable {
    /** The most descriptors that one message carries and that can wait to be taken. */
    public static final int MAX_DESCRIPTORS = 8;

    private static final long CONTROL_LENGTH = Cmsghdr.LENGTH + MAX_DESCRIPTORS * (long) Integer.BYTES;

    private final MemorySegment payload;
    private final MemorySegment header;
    private final MemorySegment vector;
    private final MemorySegment control;
    private final int[] descriptors = new int[MAX_DESCRIPTORS];
    private int taken;
    private int held;

    /**
     * Makes the buffers.
     *
     * @param capacity bytes of the payload buffer
     * @param arena their lifetime; must outlive the use of this object
     */
    public SocketMessage(long capacity, Arena arena) {
        payload = arena.allocate(capacity, Long.BYTES);
        header = arena.allocate(Msghdr.LAYOUT);
        vector = arena.allocate(Iovec.LAYOUT);
        control = arena.allocate(CONTROL_LENGTH, Cmsghdr.LAYOUT.byteAlignment());
        header.set(JAVA_LONG, Msghdr.MSG_IOV_OFFSET, vector.address());
        header.set(JAVA_LONG, Msghdr.MSG_IOVLEN_OFFSET, 1);
    }

    /**
     * The buffer that is sent from and received into.
     *
     * @return the segment, aligned to 8 bytes
     */
    public MemorySegment payload() {
        return payload;
    }

    /**
     * Sends bytes of the payload; the descriptors go with the first of them and stay the caller's. A short count means
     * that the rest is still to be sent, without the descriptors.
     *
     * @param socket the socket
     * @param offset first byte of the payload
     * @param length bytes, at least 1
     * @param flags {@code MSG} bits; {@link Libc#MSG_NOSIGNAL} is added
     * @param descriptors at most {@link #MAX_DESCRIPTORS}
     * @return bytes sent, or the negative errno
     */
    public long send(int socket, long offset, long length, int flags, int... descriptors) {
        if (descriptors.length > MAX_DESCRIPTORS) {
            throw new IllegalArgumentException(descriptors.length + " descriptors in one message");
        }
        long controlLength = 0;
        if (descriptors.length > 0) {
            controlLength = Cmsghdr.LENGTH + descriptors.length * (long) Integer.BYTES;
            control.set(JAVA_LONG, Cmsghdr.CMSG_LEN_OFFSET, controlLength);
            control.set(JAVA_INT, Cmsghdr.CMSG_LEVEL_OFFSET, Libc.SOL_SOCKET);
            control.set(JAVA_INT, Cmsghdr.CMSG_TYPE_OFFSET, Libc.SCM_RIGHTS);
            MemorySegment.copy(descriptors, 0, control, JAVA_INT, Cmsghdr.LENGTH, descriptors.length);
        }
        prepare(offset, length, controlLength);
        return Libc.sendmsg(socket, header, flags | Libc.MSG_NOSIGNAL);
    }

    /**
     * Receives bytes into the payload, and the descriptors that came with them. More descriptors than fit are an error:
     * then all that are held are closed.
     *
     * @param socket the socket
     * @param offset where in the payload
     * @param length at most this many bytes, at least 1
     * @param flags {@code MSG} bits; {@link Libc#MSG_CMSG_CLOEXEC} is added; {@link Libc#MSG_PEEK} would duplicate
     *     descriptors
     * @return bytes received, 0 at the end of the stream, {@code -Errno.EMSGSIZE} for too many descriptors, {@code
     *     -Errno.EMFILE} where this process cannot have so many more, or another negative errno
     */
    public long receive(int socket, long offset, long length, int flags) {
        prepare(offset, length, CONTROL_LENGTH);
        long received = Libc.recvmsg(socket, header, flags | Libc.MSG_CMSG_CLOEXEC);
        if (received < 0) {
            return received;
        }
        int before = descriptorCount();
        boolean room = collectDescriptors();
        boolean truncated = (header.get(JAVA_INT, Msghdr.MSG_FLAGS_OFFSET) & Libc.MSG_CTRUNC) != 0;
        if (room && !truncated) {
            return received;
        }
        // The kernel cuts off what the buffer has no room for, and what this process may not have: then some room is
        // left.
        boolean full = !room || descriptorCount() - before == MAX_DESCRIPTORS;
        closeDescriptors();
        return full ? -Errno.EMSGSIZE : -Errno.EMFILE;
    }

    /**
     * How many received descriptors wait to be taken.
     *
     * @return the number
     */
    public int descriptorCount() {
        return held - taken;
    }

    /**
     * Hands out the oldest received descriptor, which is the caller's from then on.
     *
     * @return the descriptor, or -1 where none waits
     */
    public int takeDescriptor() {
        return taken == held ? -1 : descriptors[taken++];
    }

    /** Closes every received descriptor that was not taken. */
    public void closeDescriptors() {
        while (taken < held) {
            Libc.close(descriptors[taken++]);
        }
        taken = 0;
        held = 0;
    }

    /** Closes every received descriptor that was not taken; the buffers go with their arena. */
    @Override
    public void close() {
        closeDescriptors();
    }

    private void prepare(long offset, long length, long controlLength) {
        MemorySegment part = payload.asSlice(offset, length); // checks the bounds
        vector.set(JAVA_LONG, Iovec.IOV_BASE_OFFSET, part.address());
        vector.set(JAVA_LONG, Iovec.IOV_LEN_OFFSET, length);
        header.set(JAVA_LONG, Msghdr.MSG_CONTROL_OFFSET, controlLength == 0 ? 0 : control.address());
        header.set(JAVA_LONG, Msghdr.MSG_CONTROLLEN_OFFSET, controlLength);
        header.set(JAVA_INT, Msghdr.MSG_FLAGS_OFFSET, 0);
    }

    /** Takes over what the kernel put into the control buffer; false where it was more than can be held. */
    private boolean collectDescriptors() {
        boolean room = true;
        long end = header.get(JAVA_LONG, Msghdr.MSG_CONTROLLEN_OFFSET);
        long item = 0;
        while (end - item >= Cmsghdr.LENGTH) {
            long length = control.get(JAVA_LONG, item + Cmsghdr.CMSG_LEN_OFFSET);
            if (control.get(JAVA_INT, item + Cmsghdr.CMSG_LEVEL_OFFSET) == Libc.SOL_SOCKET
                    && control.get(JAVA_INT, item + Cmsghdr.CMSG_TYPE_OFFSET) == Libc.SCM_RIGHTS) {
                for (long at = item + Cmsghdr.LENGTH; at < item + length; at += Integer.BYTES) {
                    room &= hold(control.get(JAVA_INT, at));
                }
            }
            item += (length + Long.BYTES - 1) & -Long.BYTES;
        }
        return room;
    }

    private boolean hold(int descriptor) {
        if (taken > 0) {
            System.arraycopy(descriptors, taken, descriptors, 0, held - taken);
            held -= taken;
            taken = 0;
        }
        if (held == MAX_DESCRIPTORS) {
            Libc.close(descriptor);
            return false;
        }
        descriptors[held++] = descriptor;
        return true;
    }
}
