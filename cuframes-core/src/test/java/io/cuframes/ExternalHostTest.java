// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ffm.Libc;
import io.cuframes.ffm.MappedMemory;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.Posix;
import io.cuframes.testing.Child;
import io.cuframes.testing.FramePattern;
import io.cuframes.testing.OwnBuffers;
import io.cuframes.testing.StreamFixture;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Own buffers in host memory. */
class ExternalHostTest extends ExternalConformance {
    ExternalHostTest() {
        super(Transport.HOST);
    }

    @Override
    void requireUsable(OwnBuffers own) {
        for (MemorySegment buffer : own.host()) {
            buffer.fill((byte) 7);
            assertEquals(7, buffer.get(ValueLayout.JAVA_BYTE, buffer.byteSize() - 1));
        }
    }

    /** Registers buffers of which number 1 is another. */
    private void refusedBuffer(UnaryOperator<MemorySegment> another, String... fragments) {
        OwnBuffers own = own(3);
        List<MemorySegment> buffers = new ArrayList<>(own.host());
        buffers.set(1, another.apply(buffers.get(1)));
        List<String> all = new ArrayList<>(List.of("slot 1: the buffer is "));
        all.addAll(List.of(fragments));
        refused(b -> b.externalHost(own.layout(), buffers), all.toArray(String[]::new));
    }

    @Test
    void whatIsWrittenToAnOwnBufferIsWhatAReaderProcessSees() {
        OwnBuffers own = own(3);
        try (Publisher publisher = own.register(publisher()).open()) {
            Child reader = subscriberProcess(SubscriberMode.NEWEST_ONLY);
            publish(publisher, 1);
            assertEquals("read 1 0 1 0 true", reader.ask("hold 1"));
            MemorySegment buffer = own.host().get(0);
            long at = own.layout().planes().get(0).offset();
            byte was = buffer.get(ValueLayout.JAVA_BYTE, at);
            buffer.set(ValueLayout.JAVA_BYTE, at, (byte) ~was); // what a leased frame is never to see: it is in place
            assertEquals("read 1 0 1 1 true", reader.ask("check"));
        }
    }

    @Test
    void buffersMayBeInSeveralMappingsOfPartsOfOneMemfd() {
        try (Arena arena = Arena.ofConfined();
                Descriptor memfd = Posix.memfd("cuframes-test-parts")) {
            Posix.reserve(memfd, 1 << 20, "test");
            List<MemorySegment> buffers = new ArrayList<>();
            for (long offset : new long[] {768 << 10, 0, 512 << 10}) {
                MemorySegment part = MappedMemory.map(
                        256 << 10, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_SHARED, memfd.fd(), offset, arena);
                buffers.add(part.asSlice(4100));
            }
            FrameFormat layout = OwnBuffers.layout(WIDTH, HEIGHT);
            try (Publisher publisher = publisher().externalHost(layout, buffers).open();
                    Subscriber subscriber =
                            subscriber().mode(SubscriberMode.STRICT_ORDER).open()) {
                for (int i = 1; i <= 3; i++) {
                    publish(publisher, i);
                }
                for (int i = 1; i <= 3; i++) {
                    try (Frame frame = subscriber.next(PATIENCE)) {
                        assertEquals(-1, new FramePattern(layout).firstFault(frame, i));
                    }
                }
            }
        }
    }

    @Test
    void aBufferMayLieAcrossMappingsThatTheKernelHasSplit() throws Throwable {
        OwnBuffers own = own(3);
        long page = (own.host().get(1).address() + 4096) & -4096;
        int mappings = StreamFixture.mappings().size();
        dontFork(page, 4096);
        assertEquals(mappings + 2, StreamFixture.mappings().size(), "before, with, and behind that page");
        try (Publisher publisher = own.register(publisher()).open();
                Subscriber subscriber = subscriber().open()) {
            try (WritableFrame frame = publisher.acquire(1)) {
                publish(publisher, frame, 1);
            }
            try (Frame frame = subscriber.next(PATIENCE)) {
                assertEquals(-1, new FramePattern(own.layout()).firstFault(frame, 1));
            }
        }
    }

    /** Gives pages a property of their own. */
    @SuppressWarnings("restricted") // linking a function of the C library
    private static void dontFork(long address, long length) throws Throwable {
        int dontFork = 10; // MADV_DONTFORK
        int result = (int) Linker.nativeLinker()
                .downcallHandle(
                        Linker.nativeLinker().defaultLookup().find("madvise").orElseThrow(),
                        FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT))
                .invokeExact(address, length, dontFork);
        assertEquals(0, result);
    }

    @Test
    void readersCannotMapOwnBuffersForWriting() {
        OwnBuffers own = own(3);
        try (Publisher publisher = own.register(publisher()).open();
                Arena arena = Arena.ofConfined()) {
            assertEquals(0, publisher.published());
            Descriptor again = openAgain("/memfd:cuframes-buffer-test");
            CuframesException refused = assertThrows(
                    CuframesException.class, () -> Posix.map(again, 4096, true, arena, "the buffers once more"));
            assertTrue(refused.getMessage().contains("EPERM"), refused.getMessage());
            assertEquals(
                    Libc.F_SEAL_SHRINK | Libc.F_SEAL_GROW | Libc.F_SEAL_FUTURE_WRITE | Libc.F_SEAL_SEAL,
                    Posix.seals(again));
            again.close();
        }
    }

    /** The first descriptor of this process that leads to such a file, opened once more. */
    private static Descriptor openAgain(String name) {
        try (var links = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path link : links) {
                if (Files.isSymbolicLink(link)
                        && Files.readSymbolicLink(link).toString().startsWith(name)) {
                    return Posix.open(link, Libc.O_RDWR, 0);
                }
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        throw new AssertionError("no descriptor of " + name);
    }

    @Test
    void memoryThatOnlyThisProcessHasIsRefused() {
        refusedBuffer(
                buffer -> MemorySegment.ofArray(new byte[(int) buffer.byteSize()]), "on the Java heap", "SharedBuffer");
        try (Arena arena = Arena.ofConfined()) {
            refusedBuffer(buffer -> arena.allocate(buffer.byteSize(), 256), "of this process alone", "SharedBuffer");
        }
    }

    @Test
    void aPrivateMappingOfAMemfdIsRefused() {
        try (Arena arena = Arena.ofConfined();
                Descriptor memfd = Posix.memfd("cuframes-test-private")) {
            Posix.reserve(memfd, 1 << 20, "test");
            MemorySegment mapped =
                    MappedMemory.map(1 << 20, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_PRIVATE, memfd.fd(), 0, arena);
            refusedBuffer(buffer -> mapped, "of this process alone", "/memfd:cuframes-test-private");
        }
    }

    @Test
    void aMappingOfAFileIsRefusedByItsName() throws IOException {
        for (Path directory : List.of(stream.directory(), Path.of("/dev/shm"))) {
            Path file = Files.createTempFile(directory, "buffers", "");
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
                    Arena arena = Arena.ofShared()) {
                MemorySegment mapped = channel.map(FileChannel.MapMode.READ_WRITE, 0, 1 << 20, arena);
                Files.delete(file); // before what remains is looked at
                refusedBuffer(buffer -> mapped, file.toString(), "not a memfd", "SharedBuffer");
            }
        }
    }

    @Test
    void aBufferThatCannotHoldAFrameIsRefused() {
        refusedBuffer(buffer -> buffer.asSlice(0, buffer.byteSize() - 1), "bytes long, and a frame takes ");
        refusedBuffer(MemorySegment::asReadOnly, "read-only");
        SharedBuffer freed = SharedBuffer.allocate("freed", 1 << 20);
        freed.close();
        refusedBuffer(buffer -> freed.segment(), "freed");
    }

    @Test
    @SuppressWarnings("restricted") // a segment that is not what it says is what is tested
    void aReadOnlyMappingIsRefused() {
        try (Arena arena = Arena.ofConfined();
                Descriptor memfd = Posix.memfd("cuframes-test-read-only")) {
            Posix.reserve(memfd, 1 << 20, "test");
            MemorySegment mapped = Posix.map(memfd, 1 << 20, false, arena, "test");
            refusedBuffer(buffer -> MemorySegment.ofAddress(mapped.address()).reinterpret(1 << 20), "not writable");
        }
    }

    @Test
    void buffersThatOverlapAreRefused() {
        OwnBuffers own = own(3);
        MemorySegment first = own.host().get(2); // the lowest
        SharedBuffer pool = SharedBuffer.allocate("overlap", 3 * own.layout().frameBytes());
        try (pool) {
            long bytes = own.layout().frameBytes();
            List<MemorySegment> buffers = List.of(
                    pool.segment().asSlice(0, bytes),
                    pool.segment().asSlice(bytes, bytes),
                    pool.segment().asSlice(2 * bytes - 1, bytes));
            refused(b -> b.externalHost(own.layout(), buffers), "slot 2", "slot 1", "overlap");
            refused(b -> b.externalHost(own.layout(), List.of(first, first)), "slot 1", "slot 0", "overlap");
        }
    }

    @Test
    void theSameBytesMappedTwiceAreAnOverlap() {
        try (Arena arena = Arena.ofConfined();
                Descriptor memfd = Posix.memfd("cuframes-test-twice")) {
            Posix.reserve(memfd, 1 << 20, "test");
            MemorySegment once = Posix.map(memfd, 1 << 20, true, arena, "test");
            MemorySegment twice = Posix.map(memfd, 1 << 20, true, arena, "test");
            assertNotEquals(once.address(), twice.address());
            refused(b -> b.externalHost(OwnBuffers.layout(WIDTH, HEIGHT), List.of(once, twice)), "overlap");
        }
    }

    @Test
    void buffersInTwoMemfdsAreRefused() {
        try (SharedBuffer other = SharedBuffer.allocate("other", 1 << 20)) {
            refusedBuffer(
                    buffer -> other.segment(),
                    "/memfd:cuframes-buffer-other",
                    "/memfd:cuframes-buffer-test",
                    "one memfd");
        }
    }

    @Test
    void aMemfdThatCannotBeSealedIsRefused() {
        try (Arena arena = Arena.ofConfined();
                Descriptor memfd = Posix.memfd("cuframes-test-unsealed")) {
            Posix.reserve(memfd, 1 << 20, "test");
            Posix.seal(memfd, Libc.F_SEAL_SHRINK | Libc.F_SEAL_SEAL);
            MemorySegment mapped = Posix.map(memfd, 1 << 20, true, arena, "test");
            refused(
                    b -> b.externalHost(OwnBuffers.layout(WIDTH, HEIGHT), List.of(mapped, mapped.asSlice(1 << 19))),
                    "slot 0",
                    "F_SEAL_FUTURE_WRITE");
        }
    }

    @Test
    void aMemfdWithoutADescriptorIsFoundByItsMappingOrRefused() {
        FrameFormat layout = OwnBuffers.layout(WIDTH, HEIGHT);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mapped;
            try (Descriptor memfd = Posix.memfd("cuframes-test-closed")) {
                Posix.reserve(memfd, 1 << 20, "test");
                mapped = Posix.map(memfd, 1 << 20, true, arena, "test");
            }
            List<MemorySegment> buffers = List.of(mapped, mapped.asSlice(1 << 19));
            String range = Long.toHexString(mapped.address()) + "-" + Long.toHexString(mapped.address() + (1 << 20));
            int leads = Posix.tryOpen(Path.of("/proc/self/map_files/" + range), Libc.O_RDWR, 0);
            if (leads < 0) { // as for any process without privileges
                refused(b -> b.externalHost(layout, buffers), "slot 0", "no descriptor is open");
                return;
            }
            new Descriptor(leads).close();
            try (Publisher publisher = publisher().externalHost(layout, buffers).open()) {
                assertEquals(Ownership.EXTERNAL, publisher.ownership());
            }
        }
    }

    @Test
    void aMappingBeyondTheEndOfItsMemfdIsRefused() {
        try (Arena arena = Arena.ofConfined();
                Descriptor memfd = Posix.memfd("cuframes-test-short")) {
            Posix.reserve(memfd, 100_000, "test");
            MemorySegment mapped = Posix.map(memfd, 1 << 20, true, arena, "test");
            refused(
                    b -> b.externalHost(OwnBuffers.layout(WIDTH, HEIGHT), List.of(mapped, mapped.asSlice(1 << 19))),
                    "slot 1",
                    "a memfd of 100000 bytes");
        }
    }

    @Test
    void aSharedBufferIsZeroedPageAlignedAndClosedOnce() {
        SharedBuffer buffer = SharedBuffer.allocate("buffer", 10_000);
        assertEquals(0, buffer.segment().address() % 4096);
        assertEquals(10_000, buffer.segment().byteSize());
        assertEquals(-1, MemorySegment.ofArray(new byte[10_000]).mismatch(buffer.segment()));
        buffer.close();
        buffer.close();
        assertThrows(IllegalStateException.class, () -> buffer.segment().fill((byte) 1));
    }

    @Test
    void aSharedBufferOfNoUseIsRefused() {
        for (String name : List.of("x".repeat(64), "tab\t")) {
            assertEquals(
                    ErrorCode.INVALID_ARGUMENT,
                    assertThrows(CuframesException.class, () -> SharedBuffer.allocate(name, 4096))
                            .code());
        }
        assertEquals(
                ErrorCode.INVALID_ARGUMENT,
                assertThrows(CuframesException.class, () -> SharedBuffer.allocate("empty", 0))
                        .code());
        assertEquals(
                ErrorCode.SYSTEM,
                assertThrows(CuframesException.class, () -> SharedBuffer.allocate("large", 1L << 50))
                        .code());
    }
}
