// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.Transport;
import io.cuframes.ffm.Libc;
import io.cuframes.testing.Await;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** FIFOs, sockets and open descriptors play to their end, can be stopped while their writer says nothing, and leave nothing behind. */
@Timeout(120)
class PipeInputTest {
    private static final int FRAMES = 30;

    @TempDir
    private Path directory;

    private Path fifo;
    private byte[] clip;
    private Set<String> before;

    /** The JDK keeps a socket of its own, once channels have been closed. */
    @BeforeAll
    static void useSockets(@TempDir Path place) throws IOException {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(place.resolve("first.sock"));
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(address);
            SocketChannel client = SocketChannel.open(address);
            server.accept().close();
            client.close();
        }
    }

    @BeforeEach
    void makeFifo() throws Exception {
        fifo = directory.resolve("video.fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        clip = Files.readAllBytes(Clips.make(directory.resolve("clip.ts"), "libx264", FRAMES));
        before = descriptors();
    }

    @AfterEach
    void nothingIsLeft() {
        assertEquals(0, PipeInput.count(), "inputs that a callback still finds");
        Await.await(
                () -> before.containsAll(descriptors()),
                "descriptors of the FIFO or a socket are left"); // a ring's end later
    }

    /** What leads to this test's files, or to sockets. */
    private Set<String> descriptors() {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return all.map(PipeInputTest::target)
                    .filter(target -> target.startsWith(directory.toString()) || target.startsWith("socket:"))
                    .collect(Collectors.toSet());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException e) {
            return ""; // that of the listing itself
        }
    }

    /** Writes on a thread of its own; a FIFO blocks its writer until it is read. Says nothing more until it is closed. */
    private final class Writer implements AutoCloseable {
        private final CountDownLatch end = new CountDownLatch(1);
        private final Path to;
        private final Thread thread;

        Writer(byte[] bytes) {
            this(fifo, bytes);
        }

        Writer(Path to, byte[] bytes) {
            this.to = to;
            thread = new Thread(() -> write(bytes), "writer");
            thread.setDaemon(true);
            thread.start();
        }

        private void write(byte[] bytes) {
            try (OutputStream out = Files.newOutputStream(to)) {
                out.write(bytes);
                end.await();
            } catch (IOException | InterruptedException e) {
                return; // the reader went first
            }
        }

        @Override
        public void close() throws InterruptedException {
            end.countDown();
            while (!thread.join(Duration.ofMillis(100))) {
                Libc.close(openRaw(to, Libc.O_RDONLY)); // it waits for a reader that has come and gone
            }
        }
    }

    private static int openRaw(Path path, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            int fd = Libc.open(arena.allocateFrom(path.toString()), flags | Libc.O_NONBLOCK, 0);
            assertTrue(fd >= 0);
            return fd;
        }
    }

    private static VideoSource.Builder cpu(String address) {
        return VideoSource.builder(address).decoder(VideoSource.Decoder.CPU).openTimeout(Duration.ofSeconds(60));
    }

    private void assertPlays(VideoSource source) {
        try (Playback playback = new Playback(source, directory, Transport.HOST)) {
            for (int number = 0; number < FRAMES; number++) {
                assertEquals(VideoSource.Status.PUBLISHED, playback.play());
                assertEquals(number, playback.number());
            }
            assertEquals(VideoSource.Status.END, playback.play());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "file:"})
    void aFifoPlaysUntilItsWriterIsGone(String prefix) throws Exception {
        Writer writer = new Writer(clip);
        writer.end.countDown();
        try (VideoSource source = cpu(prefix + fifo).open()) {
            assertPlays(source);
        }
        writer.close();
    }

    @Test
    void aFifoWhoseWriterComesLateIsWaitedFor() throws Exception {
        AtomicReference<VideoSource> opened = new AtomicReference<>();
        Thread opener = new Thread(() -> opened.set(cpu(fifo.toString()).open()), "opener");
        opener.start();
        Await.await(() -> PipeInput.count() == 1, "it does not read");
        try (Writer writer = new Writer(clip)) {
            opener.join();
            writer.end.countDown();
            try (VideoSource source = opened.get()) {
                assertPlays(source);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aWriterThatStallsDoesNotKeepInterruptOrClose(boolean close) throws Exception {
        try (Writer writer = new Writer(clip)) {
            VideoSource source = cpu(fifo.toString()).open();
            AtomicReference<Object> last = new AtomicReference<>();
            Thread player = new Thread(() -> last.set(playOn(source)), "player");
            player.start();
            Await.await(() -> isIn(player, "poll"), "it does not wait for the writer");
            if (close) {
                source.close();
            } else {
                source.interrupt();
            }
            player.join();
            if (!(close && last.get() instanceof IllegalStateException)) { // closed between two frames
                assertEquals(VideoSource.Status.END, last.get());
            }
            source.close();
            assertTrue(writer.thread.isAlive(), "the writer went, and there was nothing to wait for");
        }
    }

    /** What ends the play, a status or an exception. */
    private Object playOn(VideoSource source) {
        try (Playback playback = new Playback(source, directory, Transport.HOST)) {
            VideoSource.Status status = playback.play();
            while (status == VideoSource.Status.PUBLISHED) {
                status = playback.play();
            }
            return status;
        } catch (RuntimeException e) {
            return e;
        }
    }

    private static boolean isIn(Thread thread, String method) {
        return Stream.of(thread.getStackTrace())
                .anyMatch(frame -> frame.getMethodName().equals(method));
    }

    @Test
    void aFifoWithoutAWriterIsWaitedForUntilTheTimeout() {
        CuframesException error = assertThrows(
                CuframesException.class,
                () -> cpu(fifo.toString()).openTimeout(Duration.ofMillis(300)).open());
        assertEquals(ErrorCode.TIMEOUT, error.code(), error.getMessage());
    }

    @Test
    void openingAFifoWithoutAWriterEndsWhenNobodyWantsIt() throws Exception {
        AtomicBoolean wanted = new AtomicBoolean(true);
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread opener = new Thread(
                () -> thrown.set(assertThrows(
                        CuframesException.class,
                        () -> cpu(fifo.toString()).demand(wanted::get).open())),
                "opener");
        opener.start();
        Await.await(() -> isIn(opener, "poll"), "it does not wait");
        wanted.set(false);
        opener.join();
        assertTrue(
                thrown.get().getMessage().contains("interrupted"), thrown.get().getMessage());
    }

    @Test
    void silenceEndsItOnlyWhereATimeoutIsGiven() throws Exception {
        try (Writer writer = new Writer(clip);
                VideoSource source =
                        cpu(fifo.toString()).readTimeout(Duration.ofMillis(300)).open()) {
            Object end = playOn(source);
            assertTrue(end instanceof CuframesException, () -> "it ended with " + end);
            assertTrue(((Exception) end).getMessage().contains("no video came for 300 ms"), () -> end.toString());
            assertTrue(writer.thread.isAlive());
        }
    }

    @Test
    void aUnixSocketPlaysToItsEnd() throws Exception {
        Path path = directory.resolve("video.sock");
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(path));
            Thread sender = new Thread(() -> send(server), "sender");
            sender.start();
            try (VideoSource source = cpu(path.toString()).open()) {
                assertPlays(source);
            }
            sender.join();
        }
        CuframesException error =
                assertThrows(CuframesException.class, () -> cpu(path.toString()).open());
        assertTrue(error.getMessage().contains("Connection refused"), error.getMessage());
    }

    private void send(ServerSocketChannel server) {
        try (SocketChannel socket = server.accept()) {
            ByteBuffer bytes = ByteBuffer.wrap(clip);
            while (bytes.hasRemaining()) {
                socket.write(bytes);
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"pipe:", "fd:", "/proc/self/fd/", "/dev/fd/"})
    void anOpenDescriptorPlaysAndStaysOpen(String prefix) throws Exception {
        int fd = openRaw(fifo, Libc.O_RDONLY);
        Writer writer = new Writer(clip);
        writer.end.countDown();
        try (VideoSource source = cpu(prefix + fd).open()) {
            assertPlays(source);
        }
        writer.close();
        assertEquals(0, Libc.close(fd));
    }

    @Test
    void aDescriptorThatIsNotOpenIsNotFound() {
        CuframesException error =
                assertThrows(CuframesException.class, () -> cpu("pipe:99999").open());
        assertEquals(ErrorCode.NOT_FOUND, error.code(), error.getMessage());
    }

    @Test
    void aDescriptorOfARegularFileIsThatFile() throws Exception {
        int fd = openRaw(directory.resolve("clip.ts"), Libc.O_RDONLY);
        assertEquals(InputKind.FILE, new SourceUrl("pipe:" + fd).kind());
        try (VideoSource source = cpu("pipe:" + fd).open()) {
            assertPlays(source);
        }
        assertEquals(0, Libc.close(fd));
    }

    @Test
    void aDeviceThatEndsAtOnceIsNoMedia() {
        CuframesException error =
                assertThrows(CuframesException.class, () -> cpu("/dev/null").open());
        assertFalse(error.isPassing(), error.getMessage());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"concat:%s|x.ts", "cache:%s", "async:file:%s", "cache:async:%s", "subfile,,start,0,end,9,,:%s"})
    void aFifoWithinAnotherProtocolIsRefusedRatherThanNotToBeStopped(String address) {
        CuframesException error = assertThrows(
                CuframesException.class, () -> cpu(address.formatted(fifo)).open());
        assertEquals(ErrorCode.UNSUPPORTED, error.code(), error.getMessage());
        assertTrue(error.getMessage().contains("give its name alone"), error.getMessage());
    }

    @Test
    void anErrorWhileItIsReadDoesNotCrossNativeCode() throws Exception {
        BooleanSupplier broken = () -> {
            if (StackWalker.getInstance()
                    .walk(frames ->
                            frames.anyMatch(frame -> frame.getClassName().equals(PipeInput.class.getName())
                                    && frame.getMethodName().equals("read")))) {
                throw new AssertionError("broken on purpose");
            }
            return true;
        };
        AssertionError error = assertThrows(
                AssertionError.class, () -> cpu(fifo.toString()).demand(broken).open());
        assertEquals("broken on purpose", error.getMessage());
    }

    @Test
    void anErrorOfTheQuestionAboutDemandDoesNotCrossNativeCode() {
        BooleanSupplier broken = () -> {
            if (StackWalker.getInstance()
                    .walk(frames ->
                            frames.anyMatch(frame -> frame.getClassName().contains("InterruptGate$Callback")))) {
                throw new AssertionError("broken on purpose");
            }
            return true;
        };
        AssertionError error = assertThrows(
                AssertionError.class,
                () -> cpu(directory.resolve("clip.ts").toString())
                        .demand(broken)
                        .open());
        assertEquals("broken on purpose", error.getMessage());
    }

    @Test
    void moreInputsThanJavacppHasCallbacksWorkAtATime() throws Exception {
        List<AutoCloseable> open = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            Path path = directory.resolve(i + ".fifo");
            assertEquals(
                    0, new ProcessBuilder("mkfifo", path.toString()).start().waitFor());
            open.add(new Writer(path, clip));
            open.add(cpu(path.toString()).open());
        }
        assertEquals(12, PipeInput.count());
        for (AutoCloseable each : open.reversed()) {
            each.close();
        }
    }

    @Test
    void manyThatFailLeaveNothing() {
        for (int i = 0; i < 20; i++) {
            assertThrows(
                    CuframesException.class,
                    () -> cpu(fifo.toString())
                            .openTimeout(Duration.ofMillis(20))
                            .open());
        }
    }
}
