// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.Frame;
import io.cuframes.FrameFormat;
import io.cuframes.PixelFormat;
import io.cuframes.Publisher;
import io.cuframes.PublisherGoneException;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import io.cuframes.testing.GpuTest;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Each example does what its first sentence says. */
@Timeout(120)
class ExamplesTest {
    private static final int LONGEST_SCREEN = 75;

    @TempDir
    private Path sockets;

    private final String key = "examples-" + ProcessHandle.current().pid();

    private Publisher publisher(Transport transport, int slots) {
        return Publisher.builder(key)
                .socketDirectory(sockets)
                .transport(transport)
                .slots(slots)
                .size(320, 180)
                .open();
    }

    /** Publishes a grey picture with a white pixel at the end of its last row. */
    private static void publish(Publisher publisher, int grey) {
        int width = publisher.format().width();
        int height = publisher.format().height();
        try (WritableFrame frame = publisher.acquire();
                Arena arena = Arena.ofConfined()) {
            if (frame != null) {
                MemorySegment luma = arena.allocate((long) width * height).fill((byte) grey);
                luma.set(java.lang.foreign.ValueLayout.JAVA_BYTE, luma.byteSize() - 1, (byte) 235);
                frame.copyPlane(0, luma, width);
                frame.copyPlane(1, arena.allocate((long) width * height / 2).fill((byte) 128), width);
                frame.keyFrame(grey == 16).publish(publisher.published() * 40_000_000);
            }
        }
    }

    private static void awaitSubscriber(Publisher publisher) throws InterruptedException {
        while (publisher.subscribers() == 0) {
            Thread.sleep(5);
        }
    }

    /** Publishes until the example is over, and gives what it said. */
    private static String feed(ExampleProcess example, Publisher publisher, int grey) throws Exception {
        Thread feeder = Thread.ofPlatform().start(() -> {
            while (!Thread.currentThread().isInterrupted()) {
                publish(publisher, grey);
                java.util.concurrent.locks.LockSupport.parkNanos(5_000_000);
            }
        });
        try {
            return example.output();
        } finally {
            feeder.interrupt();
            feeder.join();
        }
    }

    @Test
    void asyncSubscribeSeesTheEnd() throws Exception {
        try (ExampleProcess example = new ExampleProcess(sockets, AsyncSubscribe.class, key)) {
            try (Publisher publisher = publisher(Transport.HOST, 6)) {
                awaitSubscriber(publisher);
                publish(publisher, 16);
            }
            assertEquals("the stream has ended; key frames: 1\n", example.output());
        }
    }

    @Test
    void reconnectReadsOnFromTheNextPublisher() throws Exception {
        try (ExampleProcess example = new ExampleProcess(sockets, Reconnect.class, key, "2")) {
            Publisher publisher = publisher(Transport.HOST, 6);
            try {
                awaitSubscriber(publisher);
                publish(publisher, 16);
                publisher = publisher.reopen(FrameFormat.of(
                        PixelFormat.NV12, 64, 48, publisher.format().color()));
                assertEquals("publisher 1: 320x180\npublisher 2: 64x48\n", feed(example, publisher, 16));
            } finally {
                publisher.close();
            }
        }
    }

    @Test
    void publishPatternPublishes() throws Exception {
        try (ExampleProcess example = new ExampleProcess(sockets, PublishPattern.class, key, "30");
                Subscriber subscriber = Subscriber.builder(key)
                        .mode(SubscriberMode.STRICT_ORDER)
                        .socketDirectory(sockets)
                        .connectTimeout(Duration.ofSeconds(60))
                        .open();
                Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(subscriber.format().frameBytes());
            long read = 0;
            try {
                while (true) {
                    try (Frame frame = subscriber.next(Duration.ofSeconds(60))) {
                        frame.copyTo(copy);
                        int luma = copy.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0) & 255;
                        assertEquals(16 + frame.ptsNanos() / 40_000_000, luma);
                        read++;
                    }
                }
            } catch (PublisherGoneException e) {
                assertEquals(PublisherGoneException.Reason.ENDED, e.reason());
            }
            assertTrue(read > 0);
            assertEquals("30 published, 0 dropped\n", example.output());
        }
    }

    @Test
    void javaCvGrabSavesThePicture() throws Exception {
        javaCvGrab(Transport.HOST);
    }

    @Test
    @GpuTest
    void javaCvGrabSavesThePictureOfAGpu() throws Exception {
        javaCvGrab(Transport.AUTO);
    }

    private void javaCvGrab(Transport transport) throws Exception {
        Path file = sockets.resolve("picture.png");
        try (Publisher publisher = publisher(transport, 6);
                ExampleProcess example = new ExampleProcess(sockets, JavaCvGrab.class, key, file.toString())) {
            assertEquals(transport != Transport.HOST, publisher.transport().isDevice());
            String output = feed(example, publisher, 126); // the middle of 16 to 235
            assertTrue(output.matches("320x180 at [0-9]+ us\n"), output);
        }
        BufferedImage picture = ImageIO.read(file.toFile());
        int red = picture.getRGB(10, 10) >> 16 & 255;
        assertTrue(red > 124 && red < 132, "grey is " + red);
    }

    @Test
    void dlpackExportDescribesThePlane() throws Exception {
        try (Publisher publisher = publisher(Transport.HOST, 6);
                ExampleProcess example = new ExampleProcess(sockets, DlpackExport.class, key)) {
            String output = feed(example, publisher, 16);
            assertTrue(output.startsWith("shape [180, 320], strides [512, 1], "), output);
        }
    }

    @Test
    @GpuTest
    void jcudaKernelCountsThePixels() throws Exception {
        try (Publisher publisher = publisher(Transport.AUTO, 6);
                ExampleProcess example = new ExampleProcess(sockets, JCudaKernel.class, key)) {
            assertTrue(publisher.transport().isDevice());
            assertEquals("77: " + (320 * 180 - 1) + "\n235: 1\n", feed(example, publisher, 77));
        }
    }

    /** The list says all there is, and what is there is short. */
    @Test
    void everyExampleIsInTheReadmeAndOneScreenLong() throws IOException {
        Path sources = Path.of("src/main/java/io/cuframes/examples");
        if (!Files.isDirectory(sources)) {
            return; // run from a bundle
        }
        String readme = Files.readString(Path.of("README.md"));
        List<Path> files;
        try (Stream<Path> all = Files.list(sources)) {
            files = all.toList();
        }
        assertTrue(files.size() >= 7, files.toString());
        for (Path file : files) {
            assertTrue(readme.contains("](" + file + ")"), "README.md has no link to " + file);
            assertTrue(Files.readAllLines(file).size() <= LONGEST_SCREEN, file + " is longer than a screen");
        }
    }
}
