// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static io.cuframes.ffm.ErrnoException.check;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class SharedMemoryTest {
    private static final int READ_WRITE = Libc.PROT_READ | Libc.PROT_WRITE;

    private final Arena arena = Arena.ofShared();

    @TempDir
    private Path directory;

    @AfterEach
    void close() {
        arena.close();
    }

    @Test
    void twoMappingsOfOneFileShareTheirBytesAndAReadOnlyOneRefusesWrites() {
        int fd = memory(4096);
        MemorySegment writer = map(fd, READ_WRITE);
        MemorySegment reader = map(fd, Libc.PROT_READ);
        Libc.close(fd);
        writer.set(JAVA_LONG, 8, 42);
        assertEquals(42, reader.get(JAVA_LONG, 8));
        assertThrows(IllegalArgumentException.class, () -> reader.set(JAVA_LONG, 8, 1));
    }

    @Test
    void closingTheArenaUnmaps() throws IOException {
        int fd = memory(4096);
        String range;
        try (Arena own = Arena.ofConfined()) {
            MemorySegment mapped = MappedMemory.map(4096, READ_WRITE, Libc.MAP_SHARED, fd, 0, own);
            range = Long.toHexString(mapped.address()) + "-";
            assertTrue(Files.readString(Path.of("/proc/self/maps")).contains(range));
        }
        assertFalse(Files.readString(Path.of("/proc/self/maps")).contains(range));
        Libc.close(fd);
    }

    @Test
    void aFailedMappingThrowsItsErrno() {
        ErrnoException e = assertThrows(ErrnoException.class, () -> map(-1, READ_WRITE));
        assertEquals(Errno.EBADF, e.errno());
        assertTrue(e.getMessage().contains("EBADF (Bad file descriptor)"), e.getMessage());
    }

    @Test
    void aSealedFileCannotShrinkGrowOrLoseItsSeals() {
        int fd = memory(4096);
        int seals = Libc.F_SEAL_SHRINK | Libc.F_SEAL_GROW | Libc.F_SEAL_SEAL;
        check(Libc.fcntl(fd, Libc.F_ADD_SEALS, seals), "fcntl");
        assertEquals(seals, Libc.fcntl(fd, Libc.F_GET_SEALS, 0));
        assertEquals(-Errno.EPERM, Libc.ftruncate(fd, 0));
        assertEquals(-Errno.EPERM, Libc.ftruncate(fd, 8192));
        assertEquals(-Errno.EPERM, Libc.fcntl(fd, Libc.F_ADD_SEALS, Libc.F_SEAL_WRITE));
        Libc.close(fd);
    }

    @Test
    void theFutureWriteSealKeepsTheFirstWriterAndStopsASecond() {
        int fd = memory(4096);
        MemorySegment first = map(fd, READ_WRITE);
        check(Libc.fcntl(fd, Libc.F_ADD_SEALS, Libc.F_SEAL_FUTURE_WRITE), "fcntl");
        assertEquals(
                Errno.EPERM,
                assertThrows(ErrnoException.class, () -> map(fd, READ_WRITE)).errno());
        first.set(JAVA_INT, 0, 5);
        assertEquals(5, map(fd, Libc.PROT_READ).get(JAVA_INT, 0));
        Libc.close(fd);
    }

    @Test
    void anExclusiveLockIsRefusedToASecondDescriptorAndToAReadOnlyOne() {
        Path file = directory.resolve("lock");
        int first = open(file, Libc.O_RDWR | Libc.O_CREAT);
        int second = open(file, Libc.O_RDWR);
        int readOnly = open(file, Libc.O_RDONLY);
        check(lock(first, Libc.F_WRLCK), "fcntl");
        assertEquals(-Errno.EAGAIN, lock(second, Libc.F_WRLCK));
        assertEquals(-Errno.EBADF, lock(readOnly, Libc.F_WRLCK));

        MemorySegment query = arena.allocate(Flock.LAYOUT);
        query.set(JAVA_SHORT, Flock.L_TYPE_OFFSET, (short) Libc.F_RDLCK);
        check(Libc.fcntl(readOnly, Libc.F_OFD_GETLK, query), "fcntl");
        assertEquals(Libc.F_WRLCK, query.get(JAVA_SHORT, Flock.L_TYPE_OFFSET));

        Libc.close(first);
        assertEquals(0, lock(second, Libc.F_WRLCK));
        Libc.close(second);
        Libc.close(readOnly);
    }

    @Test
    void anExclusiveLockIsRefusedWhileAnotherProcessLivesAndFreeOnceItIsKilled() throws Exception {
        Path file = directory.resolve("lock");
        int fd = open(file, Libc.O_RDWR | Libc.O_CREAT);
        Process holder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        LockHolder.class.getName(),
                        file.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try {
            assertEquals('0', holder.getInputStream().read());
            assertEquals(-Errno.EAGAIN, lock(fd, Libc.F_WRLCK));
        } finally {
            holder.destroyForcibly().waitFor();
        }
        assertEquals(0, lock(fd, Libc.F_WRLCK));
        Libc.close(fd);
    }

    /** Takes the lock, says so, and keeps it until killed. */
    static final class LockHolder {
        private LockHolder() {}

        public static void main(String[] arguments) throws IOException {
            int result = lock(open(Path.of(arguments[0]), Libc.O_RDWR), Libc.F_WRLCK);
            System.out.print(result);
            System.out.flush();
            System.in.read();
        }
    }

    @Test
    void aFileGetsItsNameOnlyOnceItIsReady() throws IOException {
        String name = "/dev/shm/cuframes-test-" + Libc.getpid();
        int fd = check(
                Libc.open(arena.allocateFrom("/dev/shm"), Libc.O_TMPFILE | Libc.O_RDWR | Libc.O_CLOEXEC, 0600), "open");
        check(Libc.fallocate(fd, 0, 0, 8192), "fallocate");
        check(Libc.fchmod(fd, 0640), "fchmod");
        MemorySegment from = arena.allocateFrom("/proc/self/fd/" + fd);
        MemorySegment to = arena.allocateFrom(name);
        check(Libc.linkat(Libc.AT_FDCWD, from, Libc.AT_FDCWD, to, Libc.AT_SYMLINK_FOLLOW), "linkat");
        assertEquals(-Errno.EEXIST, Libc.linkat(Libc.AT_FDCWD, from, Libc.AT_FDCWD, to, Libc.AT_SYMLINK_FOLLOW));

        MemorySegment status = arena.allocate(Statx.LAYOUT);
        check(Libc.statx(fd, arena.allocateFrom(""), Libc.AT_EMPTY_PATH, Libc.STATX_BASIC_STATS, status), "statx");
        assertEquals(0640, status.get(JAVA_SHORT, Statx.STX_MODE_OFFSET) & 0777);
        assertEquals(8192, status.get(JAVA_LONG, Statx.STX_SIZE_OFFSET));
        assertEquals(1, status.get(JAVA_INT, Statx.STX_NLINK_OFFSET));
        assertEquals(Libc.geteuid(), status.get(JAVA_INT, Statx.STX_UID_OFFSET));
        long inode = (long) Files.getAttribute(Path.of(name), "unix:ino");
        assertEquals(inode, status.get(JAVA_LONG, Statx.STX_INO_OFFSET));

        check(Libc.unlink(to), "unlink");
        assertFalse(Files.exists(Path.of(name)));
        Libc.close(fd);
    }

    @Test
    void aWaiterOnAReadOnlyMappingIsWokenThroughAnotherMapping() throws Exception {
        int fd = memory(4096);
        MemorySegment writer = map(fd, READ_WRITE);
        MemorySegment reader = map(fd, Libc.PROT_READ);
        CompletableFuture<Integer> waiter = new CompletableFuture<>();
        Thread thread = new Thread(() -> waiter.complete(Libc.futexWait(reader.address(), 0, 20_000_000_000L)));
        thread.start();
        int woken = 0;
        while (woken == 0) {
            Thread.onSpinWait();
            woken = check(Libc.futexWake(writer.address(), Integer.MAX_VALUE), "futex");
        }
        assertEquals(1, woken);
        assertEquals(0, waiter.get(20, TimeUnit.SECONDS));
        thread.join();
        Libc.close(fd);
    }

    @Test
    void aWaitEndsAtItsTimeoutAndDoesNotBeginOnAnotherValue() {
        MemorySegment word = map(memory(4096), READ_WRITE);
        long start = System.nanoTime();
        assertEquals(-Errno.ETIMEDOUT, Libc.futexWait(word.address(), 0, 20_000_000));
        assertTrue(System.nanoTime() - start >= 20_000_000);
        assertEquals(-Errno.EAGAIN, Libc.futexWait(word.address(), 1, 20_000_000_000L));
    }

    @Test
    void everyErrorNumberHasItsNameAndItsText() throws IllegalAccessException {
        for (var constant : Bindings.constants(Errno.class).entrySet()) {
            assertEquals(constant.getKey(), Errno.name(constant.getValue().intValue()));
        }
        assertEquals("errno 4095", Errno.name(4095));
        assertEquals("Address already in use", Errno.text(Errno.EADDRINUSE));
    }

    private int memory(long length) {
        int fd = check(
                Libc.memfd_create(arena.allocateFrom("test"), Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING),
                "memfd_create");
        check(Libc.ftruncate(fd, length), "ftruncate");
        return fd;
    }

    private MemorySegment map(int fd, int protection) {
        return MappedMemory.map(4096, protection, Libc.MAP_SHARED, fd, 0, arena);
    }

    private static int open(Path file, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            return check(Libc.open(arena.allocateFrom(file.toString()), flags | Libc.O_CLOEXEC, 0600), "open");
        }
    }

    private static int lock(int fd, int type) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment lock = arena.allocate(Flock.LAYOUT);
            lock.set(JAVA_SHORT, Flock.L_TYPE_OFFSET, (short) type);
            return Libc.fcntl(fd, Libc.F_OFD_SETLK, lock);
        }
    }
}
