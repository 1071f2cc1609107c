// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.cuframes.ColorInfo;
import io.cuframes.Frame;
import io.cuframes.FrameFormat;
import io.cuframes.PlaneLayout;
import io.cuframes.Publisher;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import io.cuframes.Transport;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Plays a source through a ring and keeps its pictures, for tests that look at samples. A change of format is followed. */
final class Pictures {
    private static final AtomicInteger NUMBERS = new AtomicInteger();

    /** A picture, with what the source says once it is published; the planes' rows lie one after the other. */
    static final class Picture {
        private final int width;
        private final int height;
        private final ColorInfo color;
        private final byte[] luma;
        private final byte[] chroma;
        private final long pts;
        private final String description;

        private Picture(Frame frame, MemorySegment copy, String description) {
            FrameFormat format = frame.format();
            width = frame.width();
            height = frame.height();
            color = format.color();
            luma = rows(copy, format.planes().get(0));
            chroma = rows(copy, format.planes().get(1));
            pts = frame.ptsNanos();
            this.description = description;
        }

        int width() {
            return width;
        }

        int height() {
            return height;
        }

        ColorInfo color() {
            return color;
        }

        byte[] luma() {
            return luma;
        }

        byte[] chroma() {
            return chroma;
        }

        long pts() {
            return pts;
        }

        String description() {
            return description;
        }

        int y(int column, int row) {
            return luma[row * width + column] & 255;
        }

        int u(int column, int row) {
            return chroma[row * width + column * 2] & 255;
        }

        int v(int column, int row) {
            return chroma[row * width + column * 2 + 1] & 255;
        }
    }

    private Pictures() {}

    /** The first pictures of a file, decoded on the CPU into host memory. */
    static List<Picture> of(Path clip, Path sockets, int most) {
        try (VideoSource source = VideoSource.builder(clip.toString())
                .decoder(VideoSource.Decoder.CPU)
                .open()) {
            return of(source, sockets, Transport.HOST, most);
        }
    }

    static List<Picture> of(VideoSource source, Path sockets, Transport transport, int most) {
        List<Picture> pictures = new ArrayList<>();
        while (pictures.size() < most && source.awaitFrame()) {
            ofOneFormat(source, sockets, transport, most, pictures);
        }
        return pictures;
    }

    private static void ofOneFormat(
            VideoSource source, Path sockets, Transport transport, int most, List<Picture> pictures) {
        FrameFormat format = source.format();
        String key = "pictures-" + ProcessHandle.current().pid() + "-" + NUMBERS.incrementAndGet();
        try (Publisher publisher = Publisher.builder(key)
                        .size(format.width(), format.height())
                        .color(format.color())
                        .transport(transport)
                        .socketDirectory(sockets)
                        .open();
                Subscriber subscriber = Subscriber.builder(key)
                        .mode(SubscriberMode.STRICT_ORDER)
                        .socketDirectory(sockets)
                        .open()) {
            while (pictures.size() < most && source.publishNext(publisher) == VideoSource.Status.PUBLISHED) {
                try (Frame frame = subscriber.next(Duration.ofSeconds(60))) {
                    assertNotNull(frame, "the frame published was not delivered");
                    pictures.add(picture(frame, source.describe()));
                }
            }
        }
    }

    private static Picture picture(Frame frame, String description) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(frame.format().frameBytes());
            frame.copyTo(copy);
            return new Picture(frame, copy, description);
        }
    }

    private static byte[] rows(MemorySegment copy, PlaneLayout plane) {
        byte[] rows = new byte[plane.rowBytes() * plane.height()];
        for (int row = 0; row < plane.height(); row++) {
            long from = plane.offset() + (long) row * plane.pitch();
            MemorySegment.copy(copy, ValueLayout.JAVA_BYTE, from, rows, row * plane.rowBytes(), plane.rowBytes());
        }
        return rows;
    }
}
