// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.cuframes.Frame;
import io.cuframes.FrameFormat;
import io.cuframes.PlaneLayout;
import io.cuframes.Publisher;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import io.cuframes.Transport;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** A publisher for a source and a strict reader of it, in one process: each frame published is read at once. */
final class Playback implements AutoCloseable {
    private static final AtomicInteger NUMBERS = new AtomicInteger();

    private final VideoSource source;
    private final Publisher publisher;
    private final Subscriber subscriber;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment copy;
    private long pts;
    private long number;
    private boolean keyFrame;
    private boolean hasCaptureTime;
    private long captureTime;

    Playback(VideoSource source, Path sockets, Transport transport) {
        this.source = source;
        FrameFormat format = source.format();
        String key = "javacv-" + ProcessHandle.current().pid() + "-" + NUMBERS.incrementAndGet();
        publisher = Publisher.builder(key)
                .size(format.width(), format.height())
                .color(format.color())
                .transport(transport)
                .socketDirectory(sockets)
                .open();
        subscriber = Subscriber.builder(key)
                .mode(SubscriberMode.STRICT_ORDER)
                .socketDirectory(sockets)
                .open();
        copy = arena.allocate(publisher.format().frameBytes());
    }

    Publisher publisher() {
        return publisher;
    }

    /** Publishes the next frame and reads it; the accessors then tell of the frame read. */
    VideoSource.Status play() {
        VideoSource.Status status = source.publishNext(publisher);
        if (status == VideoSource.Status.PUBLISHED) {
            try (Frame frame = subscriber.next(Duration.ofSeconds(60))) {
                assertNotNull(frame, "the frame published was not delivered");
                assertEquals(publisher.published(), frame.seq());
                pts = frame.ptsNanos();
                keyFrame = frame.isKeyFrame();
                hasCaptureTime = frame.hasCaptureTime();
                captureTime = frame.captureTimeNanos();
                frame.copyTo(copy);
                PlaneLayout luma = frame.format().planes().get(0);
                number = FrameStamp.read(
                        copy.asSlice(luma.offset(), luma.bytes()), luma.pitch(), frame.width(), frame.height());
            }
        }
        return status;
    }

    long number() {
        return number;
    }

    long pts() {
        return pts;
    }

    boolean keyFrame() {
        return keyFrame;
    }

    boolean hasCaptureTime() {
        return hasCaptureTime;
    }

    long captureTime() {
        return captureTime;
    }

    @Override
    public void close() {
        subscriber.close();
        publisher.close();
        arena.close();
    }
}
