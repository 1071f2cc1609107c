// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.EmbeddedPython;
import io.cuframes.testing.GpuTest;
import io.cuframes.testing.StreamFixture;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Frames in device memory to PyTorch and CuPy and from them, in an interpreter of this process. */
@GpuTest
@Timeout(120)
class DlpackCudaTest {
    private static final int WIDTH = 322;
    private static final int HEIGHT = 48;
    private static final int SLOTS = 4;

    private final StreamFixture stream = new StreamFixture();
    private final Arena arena = Arena.ofShared();
    private EmbeddedPython python;
    private Publisher publisher;
    private Subscriber subscriber;

    @BeforeEach
    void open() {
        python = EmbeddedPython.with("numpy");
        python.run("import zlib");
        publisher = Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.CUDA_IPC)
                .size(WIDTH, HEIGHT)
                .slots(SLOTS)
                .open();
        subscriber = Subscriber.builder(stream.key())
                .socketDirectory(stream.directory())
                .open();
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
        arena.close();
    }

    /** What a test does with either library. */
    enum Library {
        TORCH("torch", "array.stride()", "array.data_ptr()", "array.cpu().numpy()", "torch.from_numpy(%s).cuda()"),
        CUPY(
                "cupy",
                "tuple(s // array.itemsize for s in array.strides)",
                "array.data.ptr",
                "array.get()",
                "cupy.asarray(%s)");

        private final String module;
        private final String strides;
        private final String address;
        private final String onHost;
        private final String toDevice;

        Library(String module, String strides, String address, String onHost, String toDevice) {
            this.module = module;
            this.strides = strides;
            this.address = address;
            this.onHost = onHost;
            this.toDevice = toDevice;
        }
    }

    private Frame next() {
        Frame frame = subscriber.next(Duration.ofSeconds(10));
        assertTrue(frame != null, "no frame in 10 s");
        return frame;
    }

    /** A frame of random bytes. */
    private Frame frame(byte[] luma, byte[] chroma) {
        new Random(1).nextBytes(luma);
        new Random(2).nextBytes(chroma);
        try (WritableFrame frame = publisher.acquire()) {
            frame.copyPlane(0, arena.allocateFrom(ValueLayout.JAVA_BYTE, luma), WIDTH);
            frame.copyPlane(1, arena.allocateFrom(ValueLayout.JAVA_BYTE, chroma), WIDTH);
            frame.publish(1);
        }
        return next();
    }

    private Frame frame() {
        return frame(new byte[WIDTH * HEIGHT], new byte[WIDTH * HEIGHT / 2]);
    }

    private static String crc(byte[] bytes) {
        CRC32 crc = new CRC32();
        crc.update(bytes);
        return Long.toString(crc.getValue());
    }

    private static String crc(String array) {
        return "zlib.crc32(numpy.ascontiguousarray(" + array + ").tobytes())";
    }

    private static byte[] visible(Frame frame, int plane) {
        try (Arena local = Arena.ofConfined()) {
            MemorySegment copy = local.allocate(frame.sizeBytes());
            frame.copyTo(copy);
            PlaneLayout layout = frame.plane(plane).layout();
            byte[] bytes = new byte[layout.rowBytes() * layout.height()];
            for (int row = 0; row < layout.height(); row++) {
                MemorySegment.copy(
                        copy,
                        ValueLayout.JAVA_BYTE,
                        layout.offset() + (long) row * layout.pitch(),
                        bytes,
                        row * layout.rowBytes(),
                        layout.rowBytes());
            }
            return bytes;
        }
    }

    private int acquirable() {
        List<WritableFrame> taken = new ArrayList<>();
        for (WritableFrame frame = publisher.acquire(); frame != null; frame = publisher.acquire()) {
            taken.add(frame);
        }
        taken.forEach(WritableFrame::close);
        return taken.size();
    }

    /** Waits until the GPU has ended every lease. */
    private void awaitAllAcquirable() {
        long start = System.nanoTime();
        while (acquirable() < SLOTS) {
            assertTrue(System.nanoTime() - start < 10_000_000_000L, "a slot is leased after 10 s");
            Thread.onSpinWait();
        }
    }

    private void importArray(Library library, long tensor, String capsule) {
        python.setCapsule("capsule", tensor, capsule);
        python.run("exported = Exported(capsule, (2, 0))", "array = " + library.module + ".from_dlpack(exported)");
        assertEquals("True", python.text("'used_" + capsule + "' in repr(capsule)"), "ownership has passed");
    }

    @ParameterizedTest
    @CsvSource({"TORCH, true", "TORCH, false", "CUPY, true", "CUPY, false"})
    void planesAreReadInPlaceUntilTheyAreDropped(Library library, boolean versioned) {
        python = EmbeddedPython.with("numpy", library.module);
        byte[] luma = new byte[WIDTH * HEIGHT];
        byte[] chroma = new byte[WIDTH * HEIGHT / 2];
        Frame frame = frame(luma, chroma);
        String[] shapes = {"(48, 322)", "(24, 161, 2)"};
        String[] strides = {"(512, 1)", "(512, 2, 1)"};
        byte[][] bytes = {luma, chroma};
        for (int i = 0; i < 2; i++) {
            DlpackTensor plane = frame.dlpack(i);
            long address = plane.address();
            assertEquals(TensorDevice.CUDA, plane.device());
            if (versioned) {
                importArray(library, plane.handOver(DlpackTensor.LEGACY_STREAM), "dltensor_versioned");
            } else {
                importArray(library, plane.handOverUnversioned(DlpackTensor.LEGACY_STREAM), "dltensor");
            }
            assertEquals(shapes[i], python.text("tuple(array.shape)"));
            assertEquals(strides[i], python.text(library.strides));
            assertEquals(Long.toString(address), python.text(library.address));
            assertTrue(python.text("array.dtype").endsWith("uint8"));
            assertEquals(crc(bytes[i]), python.text(crc(library.onHost)));
            if (i == 0) {
                python.run("luma = array");
            }
        }
        frame.close();
        assertEquals(SLOTS - 1, acquirable());
        python.run("del array");
        assertEquals(SLOTS - 1, acquirable());
        python.run("del luma");
        awaitAllAcquirable();
    }

    @Test
    void torchSaysWhichStreamItReadsOn() {
        python = EmbeddedPython.with("numpy", "torch");
        try (Frame frame = frame()) {
            importArray(Library.TORCH, frame.dlpackY().handOver(DlpackTensor.LEGACY_STREAM), "dltensor_versioned");
            assertEquals("1", python.text("exported.arguments['stream']"));
            python.run("del array");
        }
        awaitAllAcquirable();
    }

    @Test
    void theLeaseEndsBehindTheWorkOfTheConsumersStream() {
        python = EmbeddedPython.with("numpy", "torch");
        byte[] luma = new byte[WIDTH * HEIGHT];
        Frame frame = frame(luma, new byte[WIDTH * HEIGHT / 2]);
        python.run("stream = torch.cuda.Stream()");
        long handle = Long.parseLong(python.text("stream.cuda_stream"));
        importArray(Library.TORCH, frame.dlpackY().handOver(handle), "dltensor_versioned");
        frame.close();
        python.run(
                "with torch.cuda.stream(stream):",
                "    torch.cuda._sleep(1)", // both are loaded now: loading waits for what is under way
                "    copy = array.clone()",
                "stream.synchronize()",
                "with torch.cuda.stream(stream):",
                "    torch.cuda._sleep(2_000_000_000)", // a second
                "    copy = array.clone()",
                "del array");
        int free = acquirable();
        boolean busy = python.text("stream.query()").equals("False");
        assertTrue(busy, "the GPU was to sleep longer than this");
        assertEquals(SLOTS - 1, free, "deleted, but still to be read");
        python.run("stream.synchronize()");
        awaitAllAcquirable();
        assertEquals(crc(luma), python.text(crc("copy.cpu().numpy()")));
    }

    @ParameterizedTest
    @CsvSource({"TORCH, true", "TORCH, false", "CUPY, true", "CUPY, false"})
    void tensorsOfAnotherLibraryArePublished(Library library, boolean versioned) {
        python = EmbeddedPython.with("numpy", library.module);
        String arguments = versioned ? "max_version=(1, 0)" : "";
        String capsule = versioned ? "dltensor_versioned" : "dltensor";
        python.run(
                "luma_host = numpy.random.default_rng(1).integers(0, 256, (48, 400), numpy.uint8)",
                "chroma_host = numpy.random.default_rng(2).integers(0, 256, (24, 161, 2), numpy.uint8)",
                "luma = " + String.format(library.toDevice, "luma_host") + "[:, 20:342]",
                "chroma = " + String.format(library.toDevice, "chroma_host"),
                library == Library.TORCH ? "torch.cuda.synchronize()" : "cupy.cuda.runtime.deviceSynchronize()",
                "luma_capsule, chroma_capsule = luma.__dlpack__(" + arguments + "), chroma.__dlpack__(" + arguments
                        + ")",
                "del luma, chroma");
        try (DlpackTensor luma = wrap(versioned, python.takeCapsule("luma_capsule", capsule));
                DlpackTensor chroma = wrap(versioned, python.takeCapsule("chroma_capsule", capsule));
                WritableFrame frame = publisher.acquire()) {
            frame.copyPlane(0, luma, publisher.stream());
            frame.copyPlane(1, chroma, publisher.stream());
            frame.publish(publisher.stream(), 1);
            try (Frame read = next()) { // it is announced: the tensors may go
                assertEquals(python.text(crc("luma_host[:, 20:342]")), crc(visible(read, 0)));
                assertEquals(python.text(crc("chroma_host")), crc(visible(read, 1)));
            }
        }
    }

    private static DlpackTensor wrap(boolean versioned, long tensor) {
        return versioned ? DlpackTensor.wrap(tensor) : DlpackTensor.wrapUnversioned(tensor);
    }

    @Test
    void aTensorInHostMemoryIsPublishedOnTheGpu() {
        python.run(
                "luma = numpy.random.default_rng(3).integers(0, 256, (48, 322), numpy.uint8)",
                "luma_capsule = luma.__dlpack__()");
        try (DlpackTensor luma = DlpackTensor.wrapUnversioned(python.takeCapsule("luma_capsule", "dltensor"));
                WritableFrame frame = publisher.acquire()) {
            frame.copyPlane(0, luma, 0);
            frame.publish(1);
        }
        try (Frame read = next()) {
            assertEquals(python.text(crc("luma")), crc(visible(read, 0)));
        }
    }
}
