// SPDX-License-Identifier: Apache-2.0
package io.cuframes.fuzz;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.cuframes.ffm.Cmsghdr;
import io.cuframes.ffm.Iovec;
import io.cuframes.ffm.Libc;
import io.cuframes.ffm.Msghdr;
import io.cuframes.ffm.Pollfd;
import io.cuframes.internal.os.Descriptor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Sends what the library would not: any number of descriptors with any bytes. */
public final class RawSocket {
    private RawSocket() {}

    /** Sends bytes with descriptors; what the other end does not take is lost. */
    public static void send(Descriptor socket, byte[] bytes, int... descriptors) {
        if (bytes.length == 0) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment vector = arena.allocate(Iovec.LAYOUT);
            MemorySegment payload = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
            vector.set(JAVA_LONG, Iovec.IOV_BASE_OFFSET, payload.address());
            vector.set(JAVA_LONG, Iovec.IOV_LEN_OFFSET, bytes.length);
            MemorySegment header = arena.allocate(Msghdr.LAYOUT);
            header.set(JAVA_LONG, Msghdr.MSG_IOV_OFFSET, vector.address());
            header.set(JAVA_LONG, Msghdr.MSG_IOVLEN_OFFSET, 1);
            if (descriptors.length > 0) {
                long length = Cmsghdr.LENGTH + descriptors.length * (long) Integer.BYTES;
                MemorySegment control = arena.allocate(length + Long.BYTES, 8);
                control.set(JAVA_LONG, Cmsghdr.CMSG_LEN_OFFSET, length);
                control.set(JAVA_INT, Cmsghdr.CMSG_LEVEL_OFFSET, Libc.SOL_SOCKET);
                control.set(JAVA_INT, Cmsghdr.CMSG_TYPE_OFFSET, Libc.SCM_RIGHTS);
                MemorySegment.copy(descriptors, 0, control, JAVA_INT, Cmsghdr.LENGTH, descriptors.length);
                header.set(JAVA_LONG, Msghdr.MSG_CONTROL_OFFSET, control.address());
                header.set(JAVA_LONG, Msghdr.MSG_CONTROLLEN_OFFSET, length);
            }
            Libc.sendmsg(socket.fd(), header, Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT);
        }
    }

    /** Waits until there is something to read, or the end. */
    public static boolean isReadable(Descriptor socket, int millis) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment poll = arena.allocate(Pollfd.LAYOUT);
            poll.set(JAVA_INT, Pollfd.FD_OFFSET, socket.fd());
            poll.set(JAVA_SHORT, Pollfd.EVENTS_OFFSET, (short) Libc.POLLIN);
            return Libc.poll(poll.address(), 1, millis) > 0;
        }
    }
}
