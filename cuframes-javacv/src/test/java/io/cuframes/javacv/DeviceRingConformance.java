// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_NV12;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.Transport;
import io.cuframes.testing.StreamFixture;
import java.nio.ByteBuffer;
import org.bytedeco.javacv.Frame;
import org.bytedeco.javacv.FrameGrabber;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** JavaCV's classes on rings in device memory: what is recorded is uploaded, what is grabbed is copied to the host, or not at all. */
@Timeout(120)
abstract class DeviceRingConformance {
    private static final int WIDTH = 322;
    private static final int HEIGHT = 48;

    private final StreamFixture stream = new StreamFixture();

    @AfterEach
    void close() {
        stream.close();
    }

    private String url(String key, String words) {
        return "cuframes://" + key + "?socketDir=" + stream.directory() + words;
    }

    private CuframesFrameRecorder recorder(String key, Transport transport) throws Exception {
        CuframesFrameRecorder recorder = new CuframesFrameRecorder(url(key, "&transport=" + transport), WIDTH, HEIGHT);
        recorder.start();
        return recorder;
    }

    private CuframesFrameGrabber grabber(String key, String words, FrameGrabber.ImageMode mode) throws Exception {
        CuframesFrameGrabber grabber = new CuframesFrameGrabber(url(key, "&timeout=60s&mode=strict" + words));
        grabber.setImageMode(mode);
        grabber.start();
        return grabber;
    }

    private static Frame red() {
        Frame frame = new Frame(WIDTH, HEIGHT, Frame.DEPTH_UBYTE, 3);
        ByteBuffer bytes = (ByteBuffer) frame.image[0];
        for (int at = 0; at < bytes.capacity(); at++) {
            bytes.put(at, (byte) (at % frame.imageStride % 3 == 2 ? 255 : 0));
        }
        frame.timestamp = 40_000;
        return frame;
    }

    private static void assertRed(Frame frame) {
        ByteBuffer bytes = (ByteBuffer) frame.image[0];
        int pixel = (HEIGHT - 1) * frame.imageStride + (WIDTH - 1) * 3;
        assertTrue((bytes.get(pixel) & 255) < 5, "blue");
        assertTrue((bytes.get(pixel + 1) & 255) < 5, "green");
        assertTrue((bytes.get(pixel + 2) & 255) > 250, "red");
        assertEquals(40_000, frame.timestamp);
    }

    @ParameterizedTest
    @EnumSource(names = {"CUDA_IPC", "CUDA_VMM"})
    void aPictureGoesThroughDeviceMemory(Transport transport) throws Exception {
        try (CuframesFrameRecorder recorder = recorder(stream.key(), transport);
                CuframesFrameGrabber grabber = grabber(stream.key(), "", FrameGrabber.ImageMode.COLOR)) {
            assertEquals(transport, recorder.publisher().transport());
            for (int i = 0; i < 20; i++) {
                recorder.record(red());
                Frame frame = grabber.grab();
                assertRed(frame);
                io.cuframes.Frame behind = assertInstanceOf(io.cuframes.Frame.class, frame.opaque);
                assertEquals(i + 1, behind.seq());
                assertNotNull(behind.plane(0).pointer());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CUDA_IPC", "CUDA_VMM"})
    void rawPlanesAreACopyThatCannotBeWritten(Transport transport) throws Exception {
        try (CuframesFrameRecorder recorder = recorder(stream.key(), transport);
                CuframesFrameGrabber grabber = grabber(stream.key(), "", FrameGrabber.ImageMode.RAW)) {
            recorder.record(red());
            Frame frame = grabber.grab();
            assertEquals(AV_PIX_FMT_NV12, grabber.getPixelFormat());
            ByteBuffer chroma = (ByteBuffer) frame.image[1];
            assertTrue(chroma.isReadOnly());
            int pitch = ((io.cuframes.Frame) frame.opaque).plane(1).pitch();
            int last = (HEIGHT / 2 - 1) * pitch + WIDTH - 1;
            assertTrue(Math.abs((chroma.get(last) & 255) - 240) <= 2, "V");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CUDA_IPC", "CUDA_VMM", "HOST"})
    void aFrameBehindAFrameGoesToAnotherRing(Transport target) throws Exception {
        String second = stream.key() + "-copy";
        try (CuframesFrameRecorder recorder = recorder(stream.key(), Transport.CUDA_IPC);
                CuframesFrameGrabber grabber = grabber(stream.key(), "&image=none", FrameGrabber.ImageMode.COLOR);
                CuframesFrameRecorder copy = recorder(second, target);
                CuframesFrameGrabber reader = grabber(second, "", FrameGrabber.ImageMode.COLOR)) {
            for (int i = 0; i < 20; i++) {
                recorder.record(red());
                copy.record(grabber.grab());
                assertRed(reader.grab());
            }
        }
    }
}
