// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static io.cuframes.ffm.ErrnoException.check;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SocketMessageTest {
    private final Arena arena = Arena.ofConfined();
    private final SocketMessage out = new SocketMessage(64, arena);
    private final SocketMessage in = new SocketMessage(64, arena);

    @TempDir
    private Path directory;

    private int listener;
    private int client;
    private int server;

    @BeforeEach
    void connect() {
        MemorySegment address = arena.allocate(SockaddrUn.LAYOUT);
        address.set(JAVA_SHORT, 0, (short) Libc.AF_UNIX);
        address.setString(SockaddrUn.SUN_PATH_OFFSET, directory.resolve("s").toString());
        int type = Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC;
        listener = check(Libc.socket(Libc.AF_UNIX, type, 0), "socket");
        check(Libc.bind(listener, address, (int) SockaddrUn.LENGTH), "bind");
        check(Libc.listen(listener, 1), "listen");
        client = check(Libc.socket(Libc.AF_UNIX, type, 0), "socket");
        check(Libc.connect(client, address, (int) SockaddrUn.LENGTH), "connect");
        server = check(Libc.accept4(listener, MemorySegment.NULL, MemorySegment.NULL, Libc.SOCK_CLOEXEC), "accept4");
    }

    @AfterEach
    void close() {
        in.close();
        Libc.close(server);
        Libc.close(client);
        Libc.close(listener);
        arena.close();
    }

    @Test
    void descriptorsTravelWithTheBytesAndCloseOnExec() {
        int counter = check(Libc.eventfd(41, Libc.EFD_CLOEXEC), "eventfd");
        out.payload().set(JAVA_LONG, 0, 7);
        assertEquals(8, out.send(client, 0, 8, 0, counter, counter));
        Libc.close(counter);

        assertEquals(8, in.receive(server, 16, 48, 0));
        assertEquals(7, in.payload().get(JAVA_LONG, 16));
        assertEquals(2, in.descriptorCount());
        int received = in.takeDescriptor();
        assertEquals(Libc.FD_CLOEXEC, Libc.fcntl(received, Libc.F_GETFD, 0));
        MemorySegment value = arena.allocate(JAVA_LONG);
        assertEquals(8, Libc.read(received, value.address(), 8));
        assertEquals(41, value.get(JAVA_LONG, 0));
        Libc.close(received);
    }

    @Test
    void descriptorsThatNobodyTakesAreClosed() throws IOException {
        long before = openDescriptors();
        assertEquals(1, out.send(client, 0, 1, 0, listener, listener, listener));
        assertEquals(1, in.receive(server, 0, 64, 0));
        assertEquals(before + 3, openDescriptors());
        in.close();
        assertEquals(before, openDescriptors());
        assertEquals(-1, in.takeDescriptor());
    }

    @Test
    void moreDescriptorsThanCanBeHeldAreRefusedAndAllClosed() throws IOException {
        long before = openDescriptors();
        assertEquals(1, out.send(client, 0, 1, 0, listener, listener, listener, listener, listener));
        assertEquals(1, in.receive(server, 0, 1, 0));
        assertEquals(1, out.send(client, 0, 1, 0, listener, listener, listener, listener));
        assertEquals(-Errno.EMSGSIZE, in.receive(server, 0, 1, 0));
        assertEquals(before, openDescriptors());
    }

    @Test
    void ancillaryDataCutOffByTheKernelIsRefusedAndAllClosed() throws IOException {
        long before = openDescriptors();
        int count = SocketMessage.MAX_DESCRIPTORS + 3;
        MemorySegment control = arena.allocate(Cmsghdr.LENGTH + count * 4L + 4, 8);
        control.set(JAVA_LONG, Cmsghdr.CMSG_LEN_OFFSET, Cmsghdr.LENGTH + count * 4L);
        control.set(JAVA_INT, Cmsghdr.CMSG_LEVEL_OFFSET, Libc.SOL_SOCKET);
        control.set(JAVA_INT, Cmsghdr.CMSG_TYPE_OFFSET, Libc.SCM_RIGHTS);
        for (int i = 0; i < count; i++) {
            control.set(JAVA_INT, Cmsghdr.LENGTH + i * 4L, listener);
        }
        MemorySegment vector = arena.allocate(Iovec.LAYOUT);
        vector.set(JAVA_LONG, Iovec.IOV_BASE_OFFSET, out.payload().address());
        vector.set(JAVA_LONG, Iovec.IOV_LEN_OFFSET, 1);
        MemorySegment message = arena.allocate(Msghdr.LAYOUT);
        message.set(JAVA_LONG, Msghdr.MSG_IOV_OFFSET, vector.address());
        message.set(JAVA_LONG, Msghdr.MSG_IOVLEN_OFFSET, 1);
        message.set(JAVA_LONG, Msghdr.MSG_CONTROL_OFFSET, control.address());
        message.set(JAVA_LONG, Msghdr.MSG_CONTROLLEN_OFFSET, control.byteSize());
        assertEquals(1, Libc.sendmsg(client, message, 0));

        assertEquals(-Errno.EMSGSIZE, in.receive(server, 0, 64, 0));
        assertEquals(before, openDescriptors());
    }

    @Test
    void endOfStreamIsZeroAndABrokenPipeAnErrnoNotASignal() {
        Libc.close(server);
        assertEquals(0, in.receive(client, 0, 64, 0));
        assertEquals(-Errno.EPIPE, out.send(client, 0, 1, 0));
        server = -1;
    }

    @Test
    void anEmptySocketDoesNotBlockWhereAskedNotTo() {
        assertEquals(-Errno.EAGAIN, in.receive(server, 0, 64, Libc.MSG_DONTWAIT));
    }

    @Test
    void theKernelTellsWhoIsAtTheOtherEnd() {
        MemorySegment credentials = arena.allocate(Ucred.LAYOUT);
        MemorySegment length = arena.allocateFrom(JAVA_INT, (int) Ucred.LENGTH);
        check(Libc.getsockopt(server, Libc.SOL_SOCKET, Libc.SO_PEERCRED, credentials, length), "getsockopt");
        assertEquals(Libc.getpid(), credentials.get(JAVA_INT, Ucred.PID_OFFSET));
        assertEquals(Libc.geteuid(), credentials.get(JAVA_INT, Ucred.UID_OFFSET));
        assertEquals(Libc.getegid(), credentials.get(JAVA_INT, Ucred.GID_OFFSET));
        assertEquals(ProcessHandle.current().pid(), Libc.getpid());
    }

    @Test
    void pollReportsACountedEventAndAHangup() {
        int counter = check(Libc.eventfd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK), "eventfd");
        MemorySegment polled = arena.allocate(Pollfd.LAYOUT, 2);
        polled.set(JAVA_INT, Pollfd.FD_OFFSET, counter);
        polled.set(JAVA_SHORT, Pollfd.EVENTS_OFFSET, (short) Libc.POLLIN);
        polled.set(JAVA_INT, Pollfd.LENGTH + Pollfd.FD_OFFSET, client);
        polled.set(JAVA_SHORT, Pollfd.LENGTH + Pollfd.EVENTS_OFFSET, (short) Libc.POLLRDHUP);
        assertEquals(0, Libc.poll(polled.address(), 2, 1));

        MemorySegment one = arena.allocateFrom(JAVA_LONG, 1);
        assertEquals(8, Libc.write(counter, one.address(), 8));
        check(Libc.shutdown(server, Libc.SHUT_WR), "shutdown");
        assertEquals(2, Libc.poll(polled.address(), 2, 1000));
        assertEquals(Libc.POLLIN, polled.get(JAVA_SHORT, Pollfd.REVENTS_OFFSET));
        assertTrue((polled.get(JAVA_SHORT, Pollfd.LENGTH + Pollfd.REVENTS_OFFSET) & Libc.POLLRDHUP) != 0);
        Libc.close(counter);
    }

    @Test
    void aBadRangeIsRefusedBeforeTheKernelSeesIt() {
        assertThrows(IndexOutOfBoundsException.class, () -> in.receive(server, 60, 8, 0));
        assertEquals(0, in.payload().get(JAVA_BYTE, 0));
    }

    private static long openDescriptors() throws IOException {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            return open.count();
        }
    }
}
