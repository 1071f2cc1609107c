// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ffm.Dlpack;
import io.cuframes.testing.Needs;
import io.cuframes.testing.StreamFixture;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Frames in host memory as tensors, read by {@code src/test/c/dlpack_consumer.c}, which deletes them on threads of its own. */
@Timeout(60)
class DlpackFrameTest {
    /** Not a multiple of the pitch's alignment, so that rows are padded. */
    private static final int WIDTH = 322;

    private static final int HEIGHT = 48;
    private static final int PITCH = 512;

    @TempDir
    private static Path compiled;

    private static Consumer consumer;

    private final StreamFixture stream = new StreamFixture();
    private Publisher publisher;
    private Subscriber subscriber;

    @BeforeAll
    static void compile() throws IOException, InterruptedException {
        Path library = compiled.resolve("libdlpack_consumer.so");
        List<String> command = new ArrayList<>(List.of(
                "cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2", "-fPIC", "-shared", "-pthread"));
        command.add("-I" + Path.of("..", "cuframes-native", "src", "test", "c"));
        command.addAll(List.of(
                "-o",
                library.toString(),
                Path.of("src", "test", "c", "dlpack_consumer.c").toString()));
        Needs.compiler();
        Process compiler = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, compiler.waitFor(), output);
        consumer = new Consumer(library);
    }

    @AfterEach
    void close() {
        if (subscriber != null) {
            subscriber.close();
        }
        if (publisher != null) {
            publisher.close();
        }
        stream.close();
    }

    private void open(int slots) {
        publisher = Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .size(WIDTH, HEIGHT)
                .slots(slots)
                .open();
        subscriber = Subscriber.builder(stream.key())
                .socketDirectory(stream.directory())
                .open();
    }

    private Frame next(long seed) {
        try (WritableFrame frame = publisher.acquire()) {
            for (int i = 0; i < 2; i++) {
                frame.plane(i).segment().fill((byte) 0xee); // the padding
                frame.copyPlane(i, MemorySegment.ofArray(pattern(seed, i)), WIDTH);
            }
            frame.publish(seed);
        }
        return subscriber.next(Duration.ofSeconds(5));
    }

    /** The visible bytes of a plane, row after row. */
    private static byte[] pattern(long seed, int plane) {
        byte[] bytes = new byte[plane == 0 ? WIDTH * HEIGHT : WIDTH * HEIGHT / 2];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (seed * 31 + plane * 101L + i * 7L + i / WIDTH);
        }
        return bytes;
    }

    private static long checksum(byte[]... parts) {
        long sum = 0xcbf29ce484222325L;
        for (byte[] part : parts) {
            for (byte b : part) {
                sum = (sum ^ (b & 0xff)) * 0x100000001b3L;
            }
        }
        return sum;
    }

    /** How many slots the publisher finds free or readable; all are given back. */
    private int acquirable() {
        List<WritableFrame> taken = new ArrayList<>();
        for (WritableFrame frame = publisher.acquire(); frame != null; frame = publisher.acquire()) {
            taken.add(frame);
        }
        taken.forEach(WritableFrame::close);
        return taken.size();
    }

    private static void assertPlane(Report report, long device, List<Long> shape, List<Long> strides, long checksum) {
        assertEquals(device, report.value("device_type"));
        assertEquals(0, report.value("device_id"));
        assertEquals(Dlpack.kDLUInt, report.value("code"));
        assertEquals(8, report.value("bits"));
        assertEquals(1, report.value("lanes"));
        assertEquals(0, report.value("byte_offset"));
        assertEquals(0, report.value("data") % FrameFormat.PITCH_ALIGNMENT);
        assertEquals(shape, report.dimensions("shape"));
        assertEquals(strides, report.dimensions("strides"));
        assertEquals(checksum, report.value("checksum"));
    }

    @Test
    void aForeignConsumerReadsEveryPlaneInPlace() {
        open(3);
        try (Frame frame = next(7)) {
            long luma = frame.dlpackY().handOver(DlpackTensor.NO_STREAM);
            Report report = consumer.inspect("inspect_versioned", luma);
            assertEquals(1, report.value("major"));
            assertEquals(1, report.value("minor"));
            assertEquals(Dlpack.DLPACK_FLAG_BITMASK_READ_ONLY, report.value("flags"));
            assertEquals(frame.plane(0).segment().address(), report.value("data"));
            assertPlane(
                    report,
                    Dlpack.kDLCPU,
                    List.of((long) HEIGHT, (long) WIDTH),
                    List.of((long) PITCH, 1L),
                    checksum(pattern(7, 0)));
            consumer.delete("delete_versioned", luma);

            long chroma = frame.dlpackUv().handOverUnversioned(DlpackTensor.NO_STREAM);
            assertPlane(
                    consumer.inspect("inspect", chroma),
                    Dlpack.kDLCPU,
                    List.of(HEIGHT / 2L, WIDTH / 2L, 2L),
                    List.of((long) PITCH, 2L, 1L),
                    checksum(pattern(7, 1)));
            consumer.delete("delete_unversioned", chroma);
        }
    }

    @Test
    void theWholeFrameIsOneTensor() {
        open(3);
        try (Frame frame = next(9)) {
            long whole = frame.dlpack().handOver(DlpackTensor.NO_STREAM);
            assertPlane(
                    consumer.inspect("inspect_versioned", whole),
                    Dlpack.kDLCPU,
                    List.of(HEIGHT * 3L / 2, (long) WIDTH),
                    List.of((long) PITCH, 1L),
                    checksum(pattern(9, 0), pattern(9, 1)));
            consumer.delete("delete_versioned", whole);
        }
    }

    @Test
    void theLeaseEndsWithTheLastOfFrameAndTensors() {
        open(3);
        Frame frame = next(1);
        DlpackTensor kept = frame.dlpackY();
        long taken = frame.dlpackUv().handOver(DlpackTensor.NO_STREAM);
        frame.close();
        assertEquals(2, acquirable());
        kept.close();
        assertEquals(2, acquirable());
        consumer.delete("delete_versioned", taken);
        assertEquals(3, acquirable());
    }

    @Test
    void aTensorThatIsClosedLeavesTheFrameItsLease() {
        open(3);
        try (Frame frame = next(1)) {
            frame.dlpack(0).close();
            assertEquals(2, acquirable());
        }
        assertEquals(3, acquirable());
    }

    @Test
    void aTensorOutlivesFrameSubscriberAndPublisher() {
        int mappings = StreamFixture.mappings().size();
        open(3);
        Frame frame = next(5);
        long taken = frame.dlpackY().handOver(DlpackTensor.NO_STREAM);
        frame.close();
        subscriber.close();
        publisher.close();
        assertEquals(
                checksum(pattern(5, 0)),
                consumer.inspect("inspect_versioned", taken).value("checksum"));
        assertNotEquals(mappings, StreamFixture.mappings().size());
        consumer.delete("delete_versioned", taken);
        assertEquals(mappings, StreamFixture.mappings().size(), "the last lease takes the mappings with it");
    }

    @Test
    void whileATensorIsHeldItsPixelsDoNotChange() {
        open(4);
        Frame frame = next(5);
        long taken = frame.dlpackY().handOver(DlpackTensor.NO_STREAM);
        frame.close();
        for (int lap = 0; lap < 20; lap++) {
            next(100 + lap).close();
        }
        assertEquals(
                checksum(pattern(5, 0)),
                consumer.inspect("inspect_versioned", taken).value("checksum"));
        consumer.delete("delete_versioned", taken);
        assertEquals(0, publisher.dropped());
    }

    @Test
    void aClosedFrameGivesNoTensors() {
        open(3);
        Frame frame = next(1);
        frame.close();
        assertThrows(IllegalStateException.class, () -> frame.dlpack(0));
        assertThrows(IllegalStateException.class, frame::dlpack);
        assertThrows(IllegalStateException.class, frame::dlpackY);
        assertThrows(IllegalStateException.class, frame::dlpackUv);
        assertEquals(3, acquirable());
    }

    @Test
    void aPlaneThatIsNotThereIsAnErrorAndLeavesNoLease() {
        open(3);
        try (Frame frame = next(1)) {
            assertThrows(IndexOutOfBoundsException.class, () -> frame.dlpack(2));
        }
        assertEquals(3, acquirable());
    }

    @Test
    void aFrameIsPublishedAgainFromItsTensors() {
        open(4);
        try (Frame first = next(3)) {
            try (WritableFrame copy = publisher.acquire();
                    DlpackTensor luma = DlpackTensor.wrap(first.dlpackY().handOver(DlpackTensor.NO_STREAM));
                    DlpackTensor chroma = DlpackTensor.wrapUnversioned(
                            first.dlpackUv().handOverUnversioned(DlpackTensor.NO_STREAM))) {
                assertTrue(luma.isReadOnly());
                copy.copyPlane(0, luma, 0);
                copy.copyPlane(1, chroma, 0);
                copy.publish(2);
            }
        }
        try (Frame second = subscriber.next(Duration.ofSeconds(5))) {
            assertEquals(2, second.ptsNanos());
            for (int i = 0; i < 2; i++) {
                long taken = second.dlpack(i).handOver(DlpackTensor.NO_STREAM);
                assertEquals(
                        checksum(pattern(3, i)),
                        consumer.inspect("inspect_versioned", taken).value("checksum"));
                consumer.delete("delete_versioned", taken);
            }
        }
        assertEquals(4, acquirable());
    }

    /** What the C program found: 64-bit integers, and arrays of four. */
    private record Report(MemorySegment values) {
        static final StructLayout LAYOUT = MemoryLayout.structLayout(
                JAVA_LONG.withName("major"),
                JAVA_LONG.withName("minor"),
                JAVA_LONG.withName("flags"),
                JAVA_LONG.withName("device_type"),
                JAVA_LONG.withName("device_id"),
                JAVA_LONG.withName("ndim"),
                JAVA_LONG.withName("code"),
                JAVA_LONG.withName("bits"),
                JAVA_LONG.withName("lanes"),
                JAVA_LONG.withName("data"),
                JAVA_LONG.withName("byte_offset"),
                MemoryLayout.sequenceLayout(4, JAVA_LONG).withName("shape"),
                MemoryLayout.sequenceLayout(4, JAVA_LONG).withName("strides"),
                JAVA_LONG.withName("checksum"));

        long value(String name) {
            return values.get(JAVA_LONG, LAYOUT.byteOffset(PathElement.groupElement(name)));
        }

        List<Long> dimensions(String name) {
            List<Long> found = new ArrayList<>();
            for (long i = 0; i < value("ndim"); i++) {
                found.add(values.get(
                        JAVA_LONG, LAYOUT.byteOffset(PathElement.groupElement(name), PathElement.sequenceElement(i))));
            }
            return found;
        }
    }

    /** The C program's functions. */
    private static final class Consumer {
        private final SymbolLookup symbols;

        @SuppressWarnings("restricted")
        Consumer(Path library) {
            symbols = SymbolLookup.libraryLookup(library, Arena.global());
        }

        @SuppressWarnings("restricted")
        private MethodHandle link(String function, FunctionDescriptor descriptor) {
            return Linker.nativeLinker().downcallHandle(symbols.find(function).orElseThrow(), descriptor);
        }

        Report inspect(String function, long tensor) {
            MemorySegment values = Arena.ofAuto().allocate(Report.LAYOUT);
            try {
                MethodHandle handle = link(function, FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
                assertEquals(0, (int) handle.invokeExact(tensor, values.address()));
            } catch (Throwable t) {
                throw new AssertionError(t);
            }
            return new Report(values);
        }

        void delete(String function, long tensor) {
            try {
                MethodHandle handle = link(function, FunctionDescriptor.of(JAVA_INT, JAVA_LONG));
                assertEquals(0, (int) handle.invokeExact(tensor));
            } catch (Throwable t) {
                throw new AssertionError(t);
            }
        }
    }
}
