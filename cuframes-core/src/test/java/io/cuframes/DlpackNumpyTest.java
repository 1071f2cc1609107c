// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cuframes.testing.EmbeddedPython;
import io.cuframes.testing.Needs;
import io.cuframes.testing.StreamFixture;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Frames in host memory to NumPy and from it, in an interpreter of this process. Debian's packages for it are python3-numpy and libpython3-dev. */
@Timeout(60)
class DlpackNumpyTest {
    private static final int WIDTH = 322;
    private static final int HEIGHT = 48;
    private static final int SLOTS = 4;

    private EmbeddedPython python;
    private final StreamFixture stream = new StreamFixture();
    private Publisher publisher;
    private Subscriber subscriber;

    @BeforeEach
    void open() {
        python = EmbeddedPython.with("numpy");
        python.run("import gc, weakref, zlib");
        publisher = Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
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
    }

    /** A frame whose samples NumPy can reckon out: {@code row * 7 + column * 3}, and one more for each component, of 8 bits. */
    private Frame frame() {
        try (WritableFrame frame = publisher.acquire()) {
            for (int i = 0; i < 2; i++) {
                Plane plane = frame.plane(i);
                int samples = plane.layout().sampleBytes();
                byte[] bytes = new byte[plane.height() * plane.width() * samples];
                for (int at = 0; at < bytes.length; at++) {
                    int sample = at / samples;
                    bytes[at] = (byte) (sample / plane.width() * 7 + sample % plane.width() * 3 + at % samples);
                }
                plane.segment().fill((byte) 0xee);
                frame.copyPlane(i, MemorySegment.ofArray(bytes), plane.layout().rowBytes());
            }
            frame.publish(1);
        }
        return subscriber.next(Duration.ofSeconds(5));
    }

    /** Python for the array that {@link #frame} has in a plane. */
    private static String expected(int height, int width) {
        return "(numpy.arange(" + height + ").reshape(-1, 1) * 7 + numpy.arange(" + width + ") * 3)";
    }

    private int acquirable() {
        List<WritableFrame> taken = new ArrayList<>();
        for (WritableFrame frame = publisher.acquire(); frame != null; frame = publisher.acquire()) {
            taken.add(frame);
        }
        taken.forEach(WritableFrame::close);
        return taken.size();
    }

    private void requireVersioned() {
        Needs.that(
                python.text("numpy.lib.NumpyVersion(numpy.__version__) >= '2.1.0'")
                        .equals("True"),
                "NumPy 2.1 or newer (pip install numpy): " + python.text("numpy.__version__")
                        + " does not know the versioned form");
    }

    private void importArray(long tensor, String capsule) {
        python.setCapsule("capsule", tensor, capsule);
        python.run("array = numpy.from_dlpack(Exported(capsule, (1, 0)))");
        assertEquals("True", python.text("'used_" + capsule + "' in repr(capsule)"), "ownership has passed");
    }

    private void assertLuma() {
        python.run(
                "assert array.shape == (48, 322), array.shape",
                "assert array.strides == (512, 1), array.strides",
                "assert array.dtype == numpy.uint8, array.dtype",
                "assert (array == " + expected(HEIGHT, WIDTH) + ".astype(numpy.uint8)).all()");
    }

    @Test
    void numpyReadsALumaPlaneInPlaceUntilItDropsTheArray() {
        Frame frame = frame();
        long address = frame.plane(0).segment().address();
        importArray(frame.dlpackY().handOverUnversioned(DlpackTensor.NO_STREAM), "dltensor");
        frame.close();
        assertLuma();
        assertEquals(Long.toString(address), python.text("array.__array_interface__['data'][0]"));
        assertEquals(SLOTS - 1, acquirable());
        python.run("row = array[5]", "del array", "gc.collect()");
        assertEquals(SLOTS - 1, acquirable(), "a view of it is left");
        python.run("del row");
        assertEquals(SLOTS, acquirable());
    }

    @Test
    void numpyReadsTheVersionedFormAndHeedsThatItIsReadOnly() {
        requireVersioned();
        try (Frame frame = frame()) {
            importArray(frame.dlpackY().handOver(DlpackTensor.NO_STREAM), "dltensor_versioned");
        }
        assertLuma();
        python.run("assert not array.flags.writeable");
        assertEquals(SLOTS - 1, acquirable());
        python.run("del array");
        assertEquals(SLOTS, acquirable());
    }

    @Test
    void interleavedChromaHasAThirdDimension() {
        try (Frame frame = frame()) {
            importArray(frame.dlpackUv().handOverUnversioned(DlpackTensor.NO_STREAM), "dltensor");
            python.run(
                    "assert array.shape == (24, 161, 2), array.shape",
                    "assert array.strides == (512, 2, 1), array.strides",
                    "want = " + expected(HEIGHT / 2, WIDTH / 2) + "[:, :, None] + numpy.arange(2)",
                    "assert (array == want.astype(numpy.uint8)).all()",
                    "del array");
        }
        assertEquals(SLOTS, acquirable());
    }

    @Test
    void anArrayOutlivesTheSubscriberAndThePublisher() {
        Frame frame = frame();
        importArray(frame.dlpackY().handOverUnversioned(DlpackTensor.NO_STREAM), "dltensor");
        frame.close();
        subscriber.close();
        publisher.close();
        List<String> mapped = StreamFixture.mappings();
        assertLuma();
        python.run("del array");
        assertNotEquals(mapped, StreamFixture.mappings());
    }

    @Test
    void aCapsuleThatPythonRefusesIsStillOurs() {
        try (Frame frame = frame()) {
            long tensor = frame.dlpackY().handOverUnversioned(DlpackTensor.NO_STREAM);
            python.setCapsule("capsule", tensor, "not a tensor");
            assertThrows(AssertionError.class, () -> python.run("numpy.from_dlpack(Exported(capsule, (1, 0)))"));
            DlpackTensor.wrapUnversioned(tensor).close();
        }
        assertEquals(SLOTS, acquirable());
    }

    private void publish(DlpackTensor luma, DlpackTensor chroma) {
        try (WritableFrame frame = publisher.acquire()) {
            frame.copyPlane(0, luma, 0);
            frame.copyPlane(1, chroma, 0);
            frame.publish(1);
        }
    }

    private static String crc(String array) {
        return "zlib.crc32(" + array + ".tobytes())";
    }

    /** The checksum of a plane that was published, without its padding. */
    private String publishedCrc(Frame frame, int plane) {
        importArray(frame.dlpack(plane).handOverUnversioned(DlpackTensor.NO_STREAM), "dltensor");
        String crc = python.text(crc("array"));
        python.run("del array");
        return crc;
    }

    private void publishArrays(String arguments, String capsule, java.util.function.LongFunction<DlpackTensor> wrap) {
        python.run(
                "luma = numpy.random.default_rng(1).integers(0, 256, (48, 400), numpy.uint8)[:, 20:342]",
                "chroma = numpy.random.default_rng(2).integers(0, 256, (24, 161, 2), numpy.uint8)",
                "luma_crc, chroma_crc = " + crc("luma") + ", " + crc("chroma"),
                "dropped = []",
                "weakref.finalize(luma, dropped.append, 'luma')",
                "luma_capsule, chroma_capsule = luma.__dlpack__(" + arguments + "), chroma.__dlpack__(" + arguments
                        + ")",
                "del luma, chroma");
        try (DlpackTensor luma = wrap.apply(python.takeCapsule("luma_capsule", capsule));
                DlpackTensor chroma = wrap.apply(python.takeCapsule("chroma_capsule", capsule))) {
            assertFalse(luma.isReadOnly());
            publish(luma, chroma);
            assertEquals("[]", python.text("dropped"));
        }
        assertEquals("['luma']", python.text("dropped"), "given back");
        try (Frame frame = subscriber.next(Duration.ofSeconds(5))) {
            assertEquals(python.text("luma_crc"), publishedCrc(frame, 0));
            assertEquals(python.text("chroma_crc"), publishedCrc(frame, 1));
        }
    }

    @Test
    void arraysOfNumpyArePublishedAndGivenBack() {
        publishArrays("", "dltensor", DlpackTensor::wrapUnversioned);
    }

    @Test
    void arraysOfTheVersionedFormArePublishedAndGivenBack() {
        requireVersioned();
        publishArrays("max_version=(1, 1)", "dltensor_versioned", DlpackTensor::wrap);
    }
}
